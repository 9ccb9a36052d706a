/**
 * Making RingCentral hold a state: PATCH …/sms/consents, up to 1000 records a
 * request (RingCentral OpenAPI 2026-08-13: editSmsConsentRecords).
 *
 * It answers with the records that failed, and with nothing about the others:
 * silence is success. So a failure that names nobody puts everybody in doubt.
 *
 * Whether a record has to name its coverage is not published: the description
 * tells kinds of records apart by it and has it in none of them, and the guide's
 * example names one. So none is named at first, and the other way is tried once
 * nobody of a write was taken.
 */
import { parseRecipient, parseSender, type Recipient, type SenderAddress } from "@stopline/consent"
import { mayHaveApplied, NextTurn, type WriteOutcome, type WritePort } from "@stopline/provider"
import { Effect, Option, Result } from "effect"
import { isRefusal, writeApart } from "./apart.ts"
import type { Client } from "./client.ts"
import type { ResolvedConfig } from "./config.ts"
import { readCode } from "./failure.ts"
import { quote, retryable } from "./outcome.ts"
import { Amended, type FailedRecord } from "./wire.ts"

/** RingCentral OpenAPI: `records` has 1 to 1000. */
const maxRecords = 1000

/** What is known of how a record has to be written. */
interface Style {
  coverage: Coverage
  /** RingCentral has held somebody who was written so. */
  settled: boolean
}

type Coverage = "none" | "PhoneNumber"

const other = (coverage: Coverage): Coverage => (coverage === "none" ? "PhoneNumber" : "none")

export const makeAmendPorts = (client: Client, config: ResolvedConfig): Record<"optOut" | "optIn", WritePort> => {
  const style: Style = { coverage: "none", settled: false }
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
  const { coverage, settled } = style
  const told = yield* Effect.result(writeApart(recipients, (part) => amend(wish, coverage, part)))
  if (Result.isSuccess(told)) {
    learn(style, coverage, told.success)
    return told.success
  }
  if (settled || !isRefusal(told.failure)) return yield* told.failure
  // Nothing was done. One of them tells whether it is for the coverage, and what became of that one is known from then on.
  const [last] = recipients.slice(-1)
  const rest = recipients.filter((recipient) => recipient !== last)
  yield* yield* NextTurn
  const trial = yield* Effect.result(amend(wish, other(coverage), recipients.slice(-1)))
  if (Result.isFailure(trial)) return yield* isRefusal(trial.failure) ? told.failure : trial.failure
  if (!style.settled) style.coverage = other(coverage)
  learn(style, other(coverage), trial.success)
  if (rest.length > 0) yield* yield* NextTurn
  const others = yield* Effect.catch(
    writeApart(rest, (part) => amend(wish, other(coverage), part)),
    (error) =>
      Effect.succeed(
        rest.map((recipient) =>
          retryable(recipient, `its part of the batch failed: ${error.detail}`, mayHaveApplied(error))
        )
      )
  )
  const outcomes = new Map([...others, ...trial.success].map((outcome) => [outcome.recipient, outcome]))
  return recipients.flatMap((recipient) => outcomes.get(recipient) ?? [])
})

/**
 * Whoever is held was written as one has to. Where nobody is, it may be for the coverage: the next write has it the other
 * way. Not this one, which would have two answers for a person whom the first leaves in doubt.
 */
const learn = (style: Style, coverage: Coverage, outcomes: ReadonlyArray<WriteOutcome>): void => {
  if (style.settled || outcomes.length === 0) return
  style.settled = outcomes.some(({ _tag }) => _tag === "Held")
  style.coverage = style.settled ? coverage : other(coverage)
}

const amend = Effect.fn("RingCentral.amend")(function* (
  { client, operation, sender }: Wish,
  coverage: Coverage,
  recipients: ReadonlyArray<Recipient>
) {
  const covered = coverage === "none" ? {} : { coverage }
  const optStatus = operation === "optOut" ? "OptOut" : "OptIn"
  const people = new Set(recipients)
  const { failedRecords } = yield* client.ask(
    {
      operation,
      method: "PATCH",
      path: client.consents,
      body: { records: recipients.map((to) => ({ from: sender, to, optStatus, source: "Api", ...covered })) },
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
