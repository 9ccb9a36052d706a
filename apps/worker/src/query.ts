/** What follows the question mark. A URL need not be one: whoever asks writes what they like. */
export const queryOf = (url: string): URLSearchParams => new URLSearchParams(/\?(.*)/.exec(url)?.[1] ?? "")
