/**
 * Making RingCentral hold a state: PATCH …/sms/consents, up to 1000 records a
 * request (RingCentral OpenAPI 2026-08-13: editSmsConsentRecords).
 *
 * It answers with the records that failed, and with nothing about the others:
 * silence is success. So a failure that names nobody puts everybody in doubt.
 */
import { parseRecipient, parseSender, type Recipient, type SenderAddress } from "@stopline/consent"
import type { WriteOutcome, WritePort } from "@stopline/provider"
import { Effect, Option } from "effect"
import { writeApart } from "./apart.ts"
import type { Client } from "./client.ts"
import type { ResolvedConfig } from "./config.ts"
import { readCode } from "./failure.ts"
import { quote, retryable } from "./outcome.ts"
import { Amended, type FailedRecord } from "./wire.ts"

/** RingCentral OpenAPI: `records` has 1 to 1000. */
const maxRecords = 1000

export const makeAmendPort = (client: Client, config: ResolvedConfig, operation: "optOut" | "optIn"): WritePort => ({
  maxRecipients: Math.min(config.recipients ?? maxRecords, maxRecords),
  concurrency: config.concurrency,
  except: () => undefined,
  write: (sender, recipients) => writeApart(recipients, (part) => amend(client, operation, sender, part))
})

const amend = Effect.fn("RingCentral.amend")(function* (
  client: Client,
  operation: "optOut" | "optIn",
  sender: SenderAddress,
  recipients: ReadonlyArray<Recipient>
) {
  const optStatus = operation === "optOut" ? "OptOut" : "OptIn"
  const people = new Set(recipients)
  const { failedRecords } = yield* client.ask(
    {
      operation,
      method: "PATCH",
      path: client.consents,
      body: { records: recipients.map((to) => ({ from: sender, to, optStatus, source: "Api" })) },
      writes: true
    },
    Amended
  )
  const failed = new Map<Recipient, FailedRecord>()
  let nameless = false
  for (const record of failedRecords ?? []) {
    const recipient = Option.getOrUndefined(parseRecipient(record.to ?? ""))
    const ours = record.from == null || Option.getOrUndefined(parseSender(record.from)) === sender
    if (recipient !== undefined && ours && people.has(recipient)) failed.set(recipient, record)
    else nameless = true
  }
  return recipients.map((recipient): WriteOutcome => {
    const failure = failed.get(recipient)
    if (failure !== undefined) return retryable(recipient, sayWhy(failure), false)
    return nameless
      ? retryable(recipient, "RingCentral says that a record failed, and not whose", true)
      : { _tag: "Held", recipient }
  })
})

/** Which codes a failed record may bear is not published, so none is taken for final. */
const sayWhy = ({ error }: FailedRecord): string =>
  Option.match(readCode(error?.errorCode), {
    onNone: () => quote(typeof error?.message === "string" ? error.message : ""),
    onSome: (code) => `RingCentral says: ${code}`
  })
