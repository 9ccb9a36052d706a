/**
 * What everybody texted to us in a time, page by page: the message store,
 * GET …/a2p-sms/messages (RingCentral OpenAPI 2026-08-13). It is read after
 * events may have been lost.
 *
 * It asks for a permission that neither the events nor the newer API ask for
 * (A2PSMS). Without it there is nothing to read, and each reading says so: to
 * fail would also keep the list from being read, which tells the most of it.
 */
import { by, type Observation, ruleAt, unitedStates } from "@stopline/consent"
import type { MissedPage, ProviderError, RowProblem, Span } from "@stopline/provider"
import { Clock, Effect, Option, Result, Schema } from "effect"
import type { Call, Client } from "./client.ts"
import { isClosed } from "./failure.ts"
import { hearMessage } from "./message.ts"
import { askPage } from "./page.ts"
import { Message } from "./wire.ts"

export const readMissed = Effect.fn("RingCentral.missed")(function* (
  client: Client,
  span: Span,
  cursor: string | undefined
): Effect.fn.Return<MissedPage, ProviderError> {
  const asked = yield* Effect.result(askPage(client, callFor(client, span, cursor), cursor))
  if (Result.isFailure(asked)) return isClosed(asked.failure) ? closed(asked.failure) : yield* asked.failure
  const { next, records } = asked.success
  const now = yield* Clock.currentTimeMillis
  const hearing = { account: client.account, rule: ruleAt(unitedStates, now), otherwise: by(now) }
  const observations: Array<Observation> = []
  const problems: Array<RowProblem> = []
  for (const [index, record] of records.entries()) {
    const message = decodeMessage(record)
    const heard = Option.isSome(message) ? hearMessage(message.value, hearing) : unreadable
    observations.push(...heard.observations)
    problems.push(...heard.problems.map(({ reason, row }) => ({ row: `records[${index}].${row}`, reason })))
  }
  return { observations, problems, next }
})

const closed = ({ detail }: ProviderError): MissedPage => ({
  observations: [],
  problems: [
    { row: "messages", reason: `${detail}: the app may not read what was texted while events were lost: grant A2PSMS` }
  ],
  next: { _tag: "End" }
})

const unreadable = { observations: [], problems: [{ row: "message", reason: "it is no message record" }] }

const callFor = (client: Client, { since, until }: Span, cursor: string | undefined): Call => ({
  operation: "subscribe",
  method: "GET",
  path: `${client.a2p}/messages`,
  query: {
    direction: "Inbound",
    // Only this view has the text.
    view: "Detailed",
    // Without it RingCentral looks back 24 hours.
    dateFrom: new Date(since).toISOString(),
    dateTo: new Date(until).toISOString(),
    perPage: "1000",
    ...(cursor !== undefined && { pageToken: cursor })
  },
  group: "light",
  writes: false
})

const decodeMessage = Schema.decodeUnknownOption(Message)
