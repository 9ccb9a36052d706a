/**
 * What all of RingCentral's lists share: their parameters, their pages, and the
 * faults that mislead whoever walks them.
 */
import { Schema } from "effect"
import type { Call } from "../fault.ts"
import { type Keyed, type KeysetPage, cutShort, emptied, readPage, repeating, unknownPage } from "../keyset.ts"
import type { Service } from "./routes.ts"

/** No bounds are published for the parameter, only for the answer: 1 to 1000. More is taken as 1000, less refused. */
export const PerPage = Schema.FiniteFromString.check(Schema.isInt(), Schema.isGreaterThan(0))
const mostPerPage = 1000

/** The published examples leave the plus out of query parameters, and an unescaped plus arrives as a space. */
export const number = (text: string): string => {
  const digits = text.trim()
  return /^\d{7,15}$/.test(digits) ? `+${digits}` : digits
}

interface Asked<Entry> {
  /** By growing id. */
  readonly rows: ReadonlyArray<Entry>
  readonly accept: (row: Entry) => boolean
  readonly perPage: number | undefined
  readonly pageToken: string | undefined
}

export const showPage = <Entry extends Keyed>(service: Service, call: Call, asked: Asked<Entry>): KeysetPage<Entry> => {
  const { faults, salt, tokenOnLastPage } = service
  const perPage = Math.min(asked.perPage ?? mostPerPage, mostPerPage)
  const page = readPage({ ...asked, perPage, tokenOnLastPage })
  if (asked.pageToken !== undefined && faults.take(["forgotten-token"], call)) return unknownPage(perPage)
  switch (faults.take(["empty-page", "repeat-token", "short-list"], call)?.kind) {
    case "empty-page":
      return emptied(page, salt())
    case "repeat-token":
      return repeating(page)
    case "short-list":
      return cutShort(page)
    default:
      return page
  }
}
