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

/** The same, of which it is known that it had happened by then (ms). */
export const notLaterThan = ({ notAfter, notBefore }: Interval, moment: number): Interval => ({
  notBefore: Math.min(notBefore, moment),
  notAfter: Math.min(notAfter, moment)
})

/** Two clocks may differ by so much without anybody noticing (ms). */
export const clockSlack = 5_000

const day = 24 * 60 * 60 * 1000

/**
 * When something happened, by whoever told of it: not later than it was heard of. An opt-in that is dated so would
 * outlast every opt-out until then, an opt-out every opt-in. But the clock that is wrong may be ours: what silences is
 * taken at its word, unless no clock is so wrong.
 *
 * @param heardAt when it reached us (ms)
 */
export const toldOf = (state: "opted-out" | "opted-in", time: Interval, heardAt: number): Interval =>
  time.notAfter <= heardAt + (state === "opted-in" ? clockSlack : day) ? time : notLaterThan(time, heardAt)

/** Nobody texted a business before. A date like year 1 or 1970 stands where a program had none. */
const firstText = Date.UTC(2000, 0, 1)

const timestamp = /^(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?(Z|z|[+-]\d{2}:?\d{2})$/

/**
 * Reads a provider's ISO timestamp with 0 to 9 fraction digits.
 *
 * A timestamp says no more than its digits: `12:00:45Z` is any moment of that
 * second, `45.32` any of ten milliseconds. JavaScript keeps milliseconds, so
 * digits beyond them widen the interval as well. Read as a point, two facts of
 * one moment could change their order.
 *
 * Returns undefined when the text is no timestamp with a zone, or one of nothing.
 */
export const parseTimestamp = (text: string): Interval | undefined => {
  const match = timestamp.exec(text.trim())
  if (match === null) return undefined
  const [, seconds = "", fraction = "", zone = ""] = match
  const whole = Date.parse(`${seconds.replace(" ", "T").toUpperCase()}${zone.toUpperCase()}`)
  if (Number.isNaN(whole) || whole < firstText || !isDay(seconds.slice(0, 10))) return undefined
  const at = whole + Number(fraction.slice(0, 3).padEnd(3, "0"))
  const missing = 10 ** Math.max(0, 3 - fraction.length) - 1
  const beyond = Number(fraction.slice(3)) === 0 ? 0 : 1
  return { notBefore: at, notAfter: at + missing + beyond }
}

/** JavaScript takes the 30th of February for the 2nd of March. Every month has 28 days, and most dates need no more asking. */
const isDay = (date: string): boolean =>
  date.slice(8) <= "28" || new Date(Date.parse(`${date}T00:00:00Z`)).toISOString().startsWith(date)
