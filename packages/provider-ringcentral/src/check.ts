/**
 * What RingCentral holds for one pair: the opt-out list, filtered down to it.
 */
import { everySender, type Recipient, type SenderAddress } from "@stopline/consent"
import type { CheckAnswer, CheckPort } from "@stopline/provider"
import { Effect, Result } from "effect"
import type { Call, Client } from "./client.ts"
import { readRow } from "./list.ts"
import { RecordsPage } from "./wire.ts"

export const makeCheckPort = (client: Client): CheckPort => ({
  // The `to` filter takes one number.
  maxRecipients: 1,
  check: (sender, recipients) => Effect.forEach(recipients, (recipient) => checkOne(client, sender, recipient))
})

const checkOne = Effect.fn("RingCentral.check")(function* (
  client: Client,
  sender: SenderAddress,
  recipient: Recipient
) {
  const call: Call = {
    operation: "check",
    method: "GET",
    path: `${client.a2p}/opt-outs`,
    // Not `all`: a record may come without its status, and only in a list of opt-outs is it known what that means.
    query: { from: sender, to: recipient, status: "optout" },
    writes: false
  }
  return readAnswer(sender, recipient, yield* client.ask(call, RecordsPage))
})

/** No record at all is an answer: no opt-out. Records that do not speak of this pair are none. */
const readAnswer = (sender: SenderAddress, recipient: Recipient, { paging, records }: RecordsPage): CheckAnswer => {
  const rows = records.map(readRow)
  const states = rows.flatMap((row) =>
    Result.isSuccess(row) &&
    row.success.recipient === recipient &&
    (row.success.sender === sender || row.success.sender === everySender)
      ? [row.success]
      : []
  )
  const held = states.find(({ state }) => state === "opted-out") ?? states[0]
  // An opt-out is believed wherever it stands; its absence only where everything could be read.
  const complete = rows.every(Result.isSuccess) && (paging.nextPageToken ?? undefined) === undefined
  if (held?.state === "opted-out" || (held !== undefined && complete)) {
    return { _tag: "Known", recipient, reading: { ...held, sender } }
  }
  if (records.length === 0 && complete) {
    return { _tag: "Known", recipient, reading: { sender, recipient, state: "opted-in", origin: "unknown" } }
  }
  return { _tag: "Unanswered", recipient, detail: "RingCentral's answer does not speak of this pair" }
}
