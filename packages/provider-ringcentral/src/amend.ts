/**
 * Making RingCentral hold a state: PATCH …/sms/consents, up to 1000 records a
 * request (RingCentral OpenAPI 2026-08-13: editSmsConsentRecords).
 *
 * It answers with the records that failed, and with nothing about the others:
 * silence is success. So a failure that names nobody puts everybody in doubt.
 *
 * Whether a record has to name its coverage is not published: the description
 * tells kinds of records apart by it and has it in none of them, and the guide's
 * example names one. So none is named, until nobody of a write is taken and a
 * record that names it is.
 */
import { parseRecipient, parseSender, type Recipient, type SenderAddress } from "@stopline/consent"
import { mayHaveApplied, NextTurn, type ProviderError, type WriteOutcome, type WritePort } from "@stopline/provider"
import { Effect, Option, Result } from "effect"
import { isRefusal, writeApart } from "./apart.ts"
import type { Client } from "./client.ts"
import type { ResolvedConfig } from "./config.ts"
import { readCode } from "./failure.ts"
import { quote, retryable } from "./outcome.ts"
import { Amended, type FailedRecord } from "./wire.ts"

/** RingCentral OpenAPI: `records` has 1 to 1000. */
const maxRecords = 1000

/** What is known of how a record has to be written. Undefined: nothing yet. */
interface Style {
  coverage: "none" | "PhoneNumber" | undefined
}

export const makeAmendPorts = (client: Client, config: ResolvedConfig): Record<"optOut" | "optIn", WritePort> => {
  const style: Style = { coverage: undefined }
  const port = (operation: "optOut" | "optIn"): WritePort => ({
    maxRecipients: Math.min(config.recipients ?? maxRecords, maxRecords),
    concurrency: config.concurrency,
    except: () => undefined,
    write: (sender, recipients) => write({ client, operation, sender, style }, recipients)
  })
  return { optOut: port("optOut"), optIn: port("optIn") }
}

interface Wish {
  readonly client: Client
  readonly operation: "optOut" | "optIn"
  readonly sender: SenderAddress
  readonly style: Style
}

const write = Effect.fn("RingCentral.amendAll")(function* (wish: Wish, recipients: ReadonlyArray<Recipient>) {
  const { style } = wish
  const known = style.coverage !== undefined
  const apart = writeApart(recipients, (part) => amend(wish, part))
  const told = yield* Effect.result(apart)
  if (holdsAny(told)) style.coverage ??= "none"
  const mayNeedIt = Result.isSuccess(told) ? recipients.length > 0 && !holdsAny(told) : isRefusal(told.failure)
  if (known || !mayNeedIt) return yield* Effect.fromResult(told)
  const last = recipients.slice(-1)
  yield* yield* NextTurn
  const trial = yield* Effect.result(amend({ ...wish, style: { coverage: "PhoneNumber" } }, last))
  if (Result.isFailure(trial) && !isRefusal(trial.failure)) return yield* trial.failure
  if (Result.isFailure(trial) || !holdsAny(trial)) return yield* Effect.fromResult(told)
  style.coverage = "PhoneNumber"
  if (recipients.length === 1) return trial.success
  yield* yield* NextTurn
  // What became of the one that was tried is known, whatever becomes of the others.
  return yield* Effect.catch(apart, (error) => {
    const failed = (recipient: Recipient) =>
      retryable(recipient, `its part of the batch failed: ${error.detail}`, mayHaveApplied(error))
    const outcomeOf = (recipient: Recipient) =>
      trial.success.find((outcome) => outcome.recipient === recipient) ?? failed(recipient)
    return Effect.succeed(recipients.map(outcomeOf))
  })
})

/** RingCentral took the form of it, at least. */
const holdsAny = (told: Result.Result<ReadonlyArray<WriteOutcome>, ProviderError>): boolean =>
  Result.isSuccess(told) && told.success.some(({ _tag }) => _tag === "Held")

const amend = Effect.fn("RingCentral.amend")(function* (
  { client, operation, sender, style }: Wish,
  recipients: ReadonlyArray<Recipient>
) {
  const coverage = style.coverage === "PhoneNumber" ? { coverage: style.coverage } : {}
  const optStatus = operation === "optOut" ? "OptOut" : "OptIn"
  const people = new Set(recipients)
  const { failedRecords } = yield* client.ask(
    {
      operation,
      method: "PATCH",
      path: client.consents,
      body: { records: recipients.map((to) => ({ from: sender, to, optStatus, source: "Api", ...coverage })) },
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
