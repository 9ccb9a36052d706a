/**
 * What a person said to one of our senders since a moment, by RingCentral's own
 * record of it: GET …/sms/consents/history (RingCentral OpenAPI 2026-08-13).
 * Only records that name the person as their source are the person's words.
 */
import { by, everySender, type Observation, type Recipient, type SenderAddress } from "@stopline/consent"
import { type EvidencePort, NextTurn } from "@stopline/provider"
import { Clock, Effect, Result, Schema } from "effect"
import type { Call, Client } from "./client.ts"
import { readConsent } from "./consent.ts"
import { isClosed } from "./failure.ts"
import { readAllRows } from "./rows.ts"

/**
 * @param messages the message store: it also has words that RingCentral misses
 */
export const makeHistoryPort = (client: Client, messages: EvidencePort): EvidencePort => ({
  since: Effect.fn("RingCentral.historyAndMessages")(function* (sender, recipient, since) {
    const recorded = yield* readHistory(client, sender, recipient, since)
    yield* yield* NextTurn
    // The message store asks for a permission of its own. What RingCentral acted on is in the history without it.
    const said = yield* Effect.catchIf(messages.since(sender, recipient, since), isClosed, () => Effect.succeed([]))
    return [...recorded, ...said]
  })
})

const readHistory = Effect.fn("RingCentral.history")(function* (
  client: Client,
  sender: SenderAddress,
  recipient: Recipient,
  since: number
) {
  const pageAt = (cursor?: string) => callFor(client, recipient, cursor)
  const now = yield* Clock.currentTimeMillis
  const observations: Array<Observation> = []
  // It has no filter by date, and its order is not published: all of it, then.
  for (const row of yield* readAllRows(client, pageAt)) {
    const read = readConsent(row)
    if (Result.isFailure(read) && isOptIn(row)) continue
    // It may be the STOP after a START.
    if (Result.isFailure(read)) return yield* client.unreadable(pageAt(), "a record of this person cannot be read")
    const { at, origin, recipient: who, sender: whose, state } = read.success
    const here = who === recipient && (whose === sender || whose === everySender)
    // An opt-in of which nobody knows when it was said is none that came after the opt-out.
    const time = at ?? (state === "opted-out" ? by(now) : undefined)
    if (!here || origin !== "recipient" || time === undefined || time.notAfter < since) continue
    observations.push({
      account: client.account,
      sender: whose,
      recipient,
      state,
      origin,
      basis: "event",
      time,
      reach: "pair",
      // A record has no id. One pair takes one state at one moment once.
      key: `consent:${whose}:${state}:${time.notBefore}`,
      evidence: {}
    })
  }
  return observations
})

const isOptIn = Schema.is(Schema.Struct({ optStatus: Schema.Literal("OptIn") }))

const callFor = (client: Client, recipient: Recipient, cursor?: string): Call => ({
  operation: "evidence",
  method: "GET",
  path: `${client.consents}/history`,
  query: { to: recipient, perPage: "1000", ...(cursor !== undefined && { pageToken: cursor }) },
  writes: false
})
