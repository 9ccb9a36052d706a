/** A moment as a person or a file writes it. */
import { type Interval, parseTimestamp } from "@stopline/consent"

const day = /^\d{4}-\d{2}-\d{2}$/
const minute = /^(\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2})(Z|z|[+-]\d{2}:?\d{2})$/

/** What parseWhen reads, for a message. */
export const whenExample = "2026-01-05T10:00Z, or 2026-01-05"

/**
 * Reads `2026-01-05T10:00:30Z`, `2026-01-05 10:00+01:00` and `2026-01-05`. Like a
 * provider's timestamp it says no more than its digits: any moment of that
 * minute, or of that day anywhere on earth, since nobody said where.
 *
 * Returns undefined for anything else, and for a time of day without a zone.
 */
export const parseWhen = (text: string): Interval | undefined => {
  const trimmed = text.trim()
  if (day.test(trimmed)) return span(`${trimmed}T00:00:00+14:00`, `${trimmed}T23:59:59-12:00`)
  const [, start, zone] = minute.exec(trimmed) ?? []
  return start === undefined ? parseTimestamp(trimmed) : span(`${start}:00${zone}`, `${start}:59${zone}`)
}

const span = (first: string, last: string): Interval | undefined => {
  const begins = parseTimestamp(first)
  const ends = parseTimestamp(last)
  return begins === undefined || ends === undefined
    ? undefined
    : { notBefore: begins.notBefore, notAfter: ends.notAfter }
}
