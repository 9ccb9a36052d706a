/**
 * What RingCentral holds for one pair: the opt-out list, filtered down to it.
 */
import { everySender, type Reading, type Recipient, type SenderAddress } from "@stopline/consent"
import type { CheckAnswer, CheckPort } from "@stopline/provider"
import { Effect, Result } from "effect"
import type { Call, Client } from "./client.ts"
import { readRow } from "./list.ts"
import { readAllRows } from "./rows.ts"

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
  const rows = yield* readAllRows(client, (cursor) => callFor(client, recipient, cursor))
  return readAnswer(sender, recipient, rows.map(readRow))
})

const callFor = (client: Client, recipient: Recipient, cursor?: string): Call => ({
  operation: "check",
  method: "GET",
  path: `${client.a2p}/opt-outs`,
  // Not filtered by sender: whether an account-wide record is shown under a sender's number is not published.
  // Not `all`: a record may come without its status, and only in a list of opt-outs is it known what that means.
  query: { to: recipient, status: "optout", ...(cursor !== undefined && { pageToken: cursor }) },
  writes: false
})

/** No record of the pair is an answer: no opt-out. */
const readAnswer = (
  sender: SenderAddress,
  recipient: Recipient,
  rows: ReadonlyArray<Result.Result<Reading, string>>
): CheckAnswer => {
  const about = rows.flatMap((row) =>
    Result.isSuccess(row) && row.success.recipient === recipient ? [row.success] : []
  )
  const here = about.filter((reading) => reading.sender === sender || reading.sender === everySender)
  const held = here.find(({ state }) => state === "opted-out") ?? here[0]
  // An opt-out is believed wherever it stands; its absence only where every row could be read, and is about whom was asked.
  if (held?.state === "opted-out") return { _tag: "Known", recipient, reading: { ...held, sender } }
  if (about.length < rows.length) {
    return { _tag: "Unanswered", recipient, detail: "RingCentral's answer does not speak of this pair" }
  }
  const none = { recipient, state: "opted-in", origin: "unknown" } as const
  return { _tag: "Known", recipient, reading: { ...(held ?? none), sender } }
}
