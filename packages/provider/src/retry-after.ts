/** Dates as they stand in headers of HTTP, such as that of Retry-After. */

/**
 * How long it is until a date (ms), negative when it is past; NaN when it is none. Their date against their clock, where
 * they tell it: ours may be wrong.
 *
 * @param theirs the answer's own `Date` header
 * @param now by our clock (ms)
 */
export const untilHttpDate = (text: string, theirs: string | undefined, now: number): number =>
  readHttpDate(text) - (readHttpDate(theirs ?? "") || now)

/** NaN for anything else: on its own, JavaScript makes a date of `-5`. */
const readHttpDate = (text: string): number => (/^[A-Z][a-z]{2}, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN)
