/**
 * The opt-outs of an account, page by page: GET …/a2p-sms/opt-outs
 * (RingCentral OpenAPI 2026-08-13, deprecated since 2025-05).
 */
import type { Reading } from "@stopline/consent"
import type { ListPort, Page, PageRequest, ProviderError, RowProblem } from "@stopline/provider"
import { Effect, Result, Schema } from "effect"
import type { Call, Client } from "./client.ts"
import { askPage, cursorMark } from "./page.ts"
import { readPair } from "./pair.ts"
import { OptOutRecord, readOrigin } from "./wire.ts"

/** RingCentral OpenAPI: `paging.perPage` is 1 to 1000. */
const maxPage = 1000

export const makeListPort = (client: Client): ListPort => ({
  maxPage,
  coverage: "complete",
  page: (request) => readPage(client, "list", request)
})

export const readPage: (
  client: Client,
  operation: "list" | "probe",
  request: PageRequest
) => Effect.Effect<Page, ProviderError> = Effect.fn("RingCentral.page")(function* (
  client,
  operation,
  { cursor, sender, size }
) {
  const call: Call = {
    operation,
    method: "GET",
    path: `${client.a2p}/opt-outs`,
    // Nothing says that a token remembers its filters, so they are sent with it again.
    query: {
      // The documented baseline. `all` would list every pair that ever opted back in as well, and end no walk sooner.
      status: "optout",
      perPage: String(Math.min(Math.max(size, 1), maxPage)),
      ...(sender !== undefined && { from: sender }),
      ...(cursor !== undefined && { pageToken: cursor })
    },
    writes: false
  }
  if (cursor?.startsWith(cursorMark) === true) {
    return yield* client.unreadable(call, "the page token is of the newer API; the list has to be read from its start")
  }
  const { next, records } = yield* askPage(client, call, cursor)
  const readings: Array<Reading> = []
  const problems: Array<RowProblem> = []
  for (const [index, record] of records.entries()) {
    const row = readRow(record)
    if (Result.isSuccess(row)) readings.push(row.success)
    else problems.push({ row: `records[${index}]`, reason: row.failure })
  }
  return { readings, problems, next }
})

/** One record of an opt-out list. A record without a status is opted out: it stands in a list of opt-outs. */
export const readRow = (record: unknown): Result.Result<Reading, string> =>
  Result.flatMap(decodeRecord(record), ({ from, source, status, to }) =>
    Result.map(readPair(from, to), (pair) => ({
      ...pair,
      state: status === "OptIn" ? "opted-in" : "opted-out",
      origin: readOrigin(source)
    }))
  )

const decodeRecord = (record: unknown) =>
  Result.mapError(decode(record), () => "it is no opt-out record: from, to or status cannot be read")
const decode = Schema.decodeUnknownResult(OptOutRecord)
