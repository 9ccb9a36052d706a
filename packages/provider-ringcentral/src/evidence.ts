/**
 * What a person texted to one of our senders since a moment: the message store,
 * GET …/a2p-sms/messages (RingCentral OpenAPI 2026-08-13, not deprecated). It
 * also gives an opt-out the time that its record lacks.
 */
import { by, type Observation, type Recipient, ruleAt, type SenderAddress, unitedStates } from "@stopline/consent"
import type { EvidencePort } from "@stopline/provider"
import { Clock, Effect, Option, Schema } from "effect"
import type { Call, Client } from "./client.ts"
import { hearMessage } from "./message.ts"
import { readAllRows } from "./rows.ts"
import { Message } from "./wire.ts"

export const makeEvidencePort = (client: Client): EvidencePort => ({
  since: (sender, recipient, since) => readMessages(client, sender, recipient, since)
})

const readMessages = Effect.fn("RingCentral.evidence")(function* (
  client: Client,
  sender: SenderAddress,
  recipient: Recipient,
  since: number
) {
  const now = yield* Clock.currentTimeMillis
  const hearing = { account: client.account, rule: ruleAt(unitedStates, now), otherwise: by(now) }
  const pageAt = (cursor?: string) => callFor(client, recipient, Math.min(since, now), cursor)
  const rows = yield* readAllRows(client, pageAt)
  const observations: Array<Observation> = []
  for (const row of rows) {
    const heard = Option.map(decodeMessage(row), (message) => hearMessage(message, hearing))
    // It may be the STOP after a START.
    if (Option.isNone(heard) || heard.value.problems.length > 0) {
      return yield* client.unreadable(pageAt(), "a message of this person cannot be read")
    }
    observations.push(...heard.value.observations)
  }
  // The filter by number matches both ends of a message, so rows of the recipient's other conversations come along.
  return observations.filter((told) => told.sender === sender && told.recipient === recipient)
})

const callFor = (client: Client, recipient: Recipient, since: number, cursor?: string): Call => ({
  operation: "evidence",
  method: "GET",
  path: `${client.a2p}/messages`,
  query: {
    direction: "Inbound",
    // Only this view has the text.
    view: "Detailed",
    phoneNumber: recipient,
    // Without it RingCentral looks back 24 hours.
    dateFrom: new Date(Math.max(since, 0)).toISOString(),
    perPage: "1000",
    ...(cursor !== undefined && { pageToken: cursor })
  },
  writes: false
})

const decodeMessage = Schema.decodeUnknownOption(Message)
