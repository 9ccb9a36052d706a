/**
 * What a person said to one of our senders since a moment, by RingCentral's own
 * record of it: GET …/sms/consents/history (RingCentral OpenAPI 2026-08-13).
 * Only records that name the person as their source are the person's words.
 */
import { everySender, type Observation, type Recipient, type SenderAddress } from "@stopline/consent"
import type { EvidencePort } from "@stopline/provider"
import { Effect, Result } from "effect"
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
  // It has no filter by date, and its order is not published: all of it, then.
  const rows = yield* readAllRows(client, (cursor) => callFor(client, recipient, cursor))
  return rows.flatMap((row): ReadonlyArray<Observation> => {
    const read = readConsent(row)
    if (Result.isFailure(read)) return []
    const { at, origin, recipient: who, sender: whose, state } = read.success
    const here = who === recipient && (whose === sender || whose === everySender)
    if (!here || origin !== "recipient" || at === undefined || at.notAfter < since) return []
    return [
      {
        account: client.account,
        sender: whose,
        recipient,
        state,
        origin,
        basis: "event",
        time: at,
        reach: "pair",
        // A record has no id. One pair takes one state at one moment once.
        key: `consent:${whose}:${state}:${at.notBefore}`,
        evidence: {}
      }
    ]
  })
})

const callFor = (client: Client, recipient: Recipient, cursor: string | undefined): Call => ({
  operation: "evidence",
  method: "GET",
  path: `${client.consents}/history`,
  query: { to: recipient, perPage: "1000", ...(cursor !== undefined && { pageToken: cursor }) },
  writes: false
})
