/**
 * When something happened, as far as anyone knows.
 *
 * Instants are milliseconds since the epoch. A fact is rarely known to the
 * millisecond, so every fact carries an interval; a provider's timestamp gives
 * a point, a change found by reading gives the span between two readings.
 */
export interface Interval {
  /** The fact is not older than this (ms since the epoch; `-Infinity` when nothing is known). */
  readonly notBefore: number
  /** The fact is not younger than this (ms since the epoch). */
  readonly notAfter: number
}

export const point = (at: number): Interval => ({ notBefore: at, notAfter: at })

/** Something first seen at `at`, with no idea how long it had been so. */
export const by = (at: number): Interval => ({ notBefore: Number.NEGATIVE_INFINITY, notAfter: at })

const timestamp = /^(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|z|[+-]\d{2}:?\d{2})$/

/**
 * Reads a provider's ISO timestamp with 0 to 9 fraction digits.
 *
 * JavaScript keeps milliseconds. Digits beyond them are not cut off but widen
 * the interval by one millisecond: cut off, two facts of one millisecond could
 * change their order.
 *
 * Returns undefined when the text is no timestamp with a zone.
 */
export const parseTimestamp = (text: string): Interval | undefined => {
  const match = timestamp.exec(text.trim())
  if (match === null) return undefined
  const [, seconds = "", fraction = "", zone = ""] = match
  const whole = Date.parse(`${seconds.replace(" ", "T").toUpperCase()}${zone.toUpperCase()}`)
  if (Number.isNaN(whole)) return undefined
  const digits = fraction.padEnd(9, "0")
  const at = whole + Number(digits.slice(0, 3))
  return { notBefore: at, notAfter: Number(digits.slice(3)) === 0 ? at : at + 1 }
}
