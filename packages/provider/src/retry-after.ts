/** The header Retry-After of HTTP: seconds, or a date. */
import { Duration } from "effect"

/**
 * How long to wait; undefined where it does not say. No time at all and a date that is past say nothing: a request at once
 * would begin a penalty anew. A date counts against their clock, where they tell it: ours may be wrong.
 *
 * @param text the value of the header, empty where there is none
 * @param theirs the answer's own `Date` header
 * @param now by our clock (ms)
 */
export const readRetryAfter = (
  text: string,
  theirs: string | undefined,
  now: number
): Duration.Duration | undefined => {
  const value = text.trim()
  const wait = /^\d{1,9}(\.\d+)?$/.test(value)
    ? Number(value) * 1000
    : readHttpDate(value) - (readHttpDate(theirs ?? "") || now)
  return wait > 0 ? Duration.millis(wait) : undefined
}

/** NaN for anything else: on its own, JavaScript makes a date of `-5`. */
const readHttpDate = (text: string): number => (/^[A-Z][a-z]{2}, .* GMT$/.test(text) ? Date.parse(text) : Number.NaN)
