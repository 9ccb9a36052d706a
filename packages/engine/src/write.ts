/**
 * Writing pairs of one sender, in bursts: the intent is committed, the requests
 * leave, the outcomes are committed, and only then is an error raised (L7, L9).
 */
import { type ConsentState, kindOf, type Recipient } from "@stopline/consent"
import {
  adoptOrphans,
  beginWrites,
  type Connection,
  digits,
  endWrites,
  expectEcho,
  type Lane,
  type LedgerError,
  type Outcome,
  type RegisteredSender,
  toRecipient,
  type WriteContext
} from "@stopline/ledger"
import { mayHaveApplied, type ProviderError, type WriteOutcome, type WritePort } from "@stopline/provider"
import { Array, Clock, Effect } from "effect"
import { Fleet, laneOf, type Station } from "./fleet.ts"
import { finishing } from "./grace.ts"
import { keepLooking, type LaneBusy, whileHeld, withLane } from "./lane.ts"
import { paced, turnsFor } from "./pace.ts"

export interface Written {
  readonly held: ReadonlyArray<Recipient>
  /** To be tried again by the next round. */
  readonly retryable: number
  readonly rejected: ReadonlyArray<{ readonly recipient: Recipient; readonly detail: string }>
  /** No longer needed when its turn came. */
  readonly obsolete: number
  /** What stopped the writing, after everything before it was accounted for. */
  readonly error: ProviderError | undefined
}

const nothingWritten: Written = { held: [], retryable: 0, rejected: [], obsolete: 0, error: undefined }

/** Writes one burst of pairs of one sender, on its lane. */
export const writeBurst = Effect.fn("writeBurst")(function* (
  station: Station,
  port: WritePort,
  sender: RegisteredSender,
  state: ConsentState,
  recipients: ReadonlyArray<Recipient>
): Effect.fn.Return<Written, LedgerError | LaneBusy, Connection | Fleet> {
  const { settings } = yield* Fleet
  yield* Effect.annotateCurrentSpan({
    account: sender.account,
    kind: kindOf(sender.address),
    state,
    pairs: recipients.length
  })
  return yield* withLane(laneOf(sender), (lane) =>
    finishing(onLane(lane, station, port, sender, state, recipients), settings.graceMs)
  )
})

const onLane = Effect.fnUntraced(function* (
  lane: Lane,
  station: Station,
  port: WritePort,
  sender: RegisteredSender,
  state: ConsentState,
  recipients: ReadonlyArray<Recipient>
) {
  const { settings } = yield* Fleet
  const context: WriteContext = { lane, leaseMs: settings.leaseMs, sender, state, policy: settings.policy }
  const adopt = Effect.flatMap(Clock.currentTimeMillis, (now) => whileHeld(lane, adoptOrphans(sender, now)))
  const began = yield* Clock.currentTimeMillis
  const due = yield* beginWrites(context, recipients.map(digits), began)
  if (due.length === 0) return { ...nothingWritten, obsolete: recipients.length }
  const batches = Array.chunksOf(due.map(toRecipient), port.maxRecipients)
  const held = yield* keepLooking(lane, began)
  const again = (batch: ReadonlyArray<Recipient>) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => expectEcho(context, batch.map(digits), now))
  const send = (wave: ReadonlyArray<ReadonlyArray<Recipient>>) =>
    sendWave({ held, again }, station, port, sender, state, wave)
  const { answers, outcomes } = yield* Effect.gen(function* () {
    const answers: Array<Answer> = []
    for (const wave of Array.chunksOf(batches, port.concurrency)) {
      // What is denied or broken for one request is so for the rest: nothing more leaves.
      const failed = answers.some((answer) => answer.error !== undefined || answer.ledgerError !== undefined)
      answers.push(...(failed ? wave.map((batch) => ({ outcomes: notSent(batch) })) : yield* send(wave)))
    }
    const outcomes = answers.flatMap((answer) => answer.outcomes)
    yield* endWrites(context, outcomes.map(toLedger), yield* Clock.currentTimeMillis)
    return { answers, outcomes }
  }).pipe(
    // Cut off, what left and what did not is unknown: nobody stands behind the intents any more.
    Effect.onError(() => Effect.ignore(adopt))
  )
  const ledgerFailure = answers.find((answer) => answer.ledgerError !== undefined)?.ledgerError
  if (ledgerFailure !== undefined) return yield* ledgerFailure
  return {
    held: outcomes.flatMap((outcome) => (outcome._tag === "Held" ? [outcome.recipient] : [])),
    retryable: outcomes.filter((outcome) => outcome._tag === "Retryable").length,
    rejected: outcomes.flatMap((outcome) =>
      outcome._tag === "Rejected" ? [{ recipient: outcome.recipient, detail: outcome.detail }] : []
    ),
    obsolete: recipients.length - due.length,
    error: answers.find((answer) => answer.error !== undefined)?.error
  } satisfies Written
})

interface Answer {
  readonly outcomes: ReadonlyArray<WriteOutcome>
  readonly error?: ProviderError
  readonly ledgerError?: LedgerError
}

/** What goes before a request. */
interface Before {
  /** The lane is still ours. */
  readonly held: Effect.Effect<void, LedgerError, Connection | Fleet>
  /** Another try of what may have been done. */
  readonly again: (batch: ReadonlyArray<Recipient>) => Effect.Effect<void, LedgerError, Connection>
}

/** As many requests as may be under way at once: their turns are drawn together, and they leave side by side. */
const sendWave = Effect.fnUntraced(function* (
  before: Before,
  station: Station,
  port: WritePort,
  sender: RegisteredSender,
  state: ConsentState,
  wave: ReadonlyArray<ReadonlyArray<Recipient>>
): Effect.fn.Return<ReadonlyArray<Answer>, never, Connection | Fleet> {
  const operation = state === "opted-out" ? "optOut" : "optIn"
  const turns = yield* Effect.result(turnsFor(station.adapter, operation, wave.length))
  if (turns._tag === "Failure") return wave.map((batch) => ({ outcomes: notSent(batch), ledgerError: turns.failure }))
  const requests = Array.zip(wave, turns.success)
  return yield* Effect.forEach(
    requests,
    ([batch, turn]) => sendBatch(before, turn, station, port, sender, state, batch),
    { concurrency: "unbounded" }
  )
})

/** One request, and one outcome for every recipient in it whatever became of it. */
const sendBatch = Effect.fnUntraced(function* (
  before: Before,
  turn: Effect.Effect<void, LedgerError, Connection>,
  station: Station,
  port: WritePort,
  sender: RegisteredSender,
  state: ConsentState,
  batch: ReadonlyArray<Recipient>
): Effect.fn.Return<Answer, never, Connection | Fleet> {
  const operation = state === "opted-out" ? "optOut" : "optIn"
  // A try that may have been done stays so, however the tries after it end.
  let applied = false
  const request = Effect.tapError(port.write(sender.address, batch), (error) =>
    Effect.sync(() => {
      applied ||= mayHaveApplied(error)
    })
  )
  // The wait for a turn can be long. Who lost the lane meanwhile must not write over what its new holder wrote.
  const ready = Effect.andThen(
    before.held,
    Effect.suspend(() => (applied ? before.again(batch) : Effect.void))
  )
  const result = yield* Effect.result(paced(station.adapter, operation, Effect.andThen(ready, request), turn))
  if (result._tag === "Success") return { outcomes: complete(batch, result.success, applied) }
  const error = result.failure
  const outcomes = retryAll(batch, error._tag === "LedgerError" ? "the ledger failed" : error.detail, applied)
  return error._tag === "LedgerError" ? { outcomes, ledgerError: error } : { outcomes, error }
})

const notSent = (batch: ReadonlyArray<Recipient>) => retryAll(batch, "not sent: what went before it failed", false)

const retryAll = (batch: ReadonlyArray<Recipient>, detail: string, applied: boolean): ReadonlyArray<WriteOutcome> =>
  batch.map((recipient) => ({ _tag: "Retryable", recipient, detail, mayHaveApplied: applied }))

/** An adapter that leaves a recipient out has not said that it is held. */
const complete = (
  batch: ReadonlyArray<Recipient>,
  outcomes: ReadonlyArray<WriteOutcome>,
  applied: boolean
): ReadonlyArray<WriteOutcome> => {
  const answered = new Map(outcomes.map((outcome) => [outcome.recipient, outcome]))
  return batch.map((recipient): WriteOutcome => {
    const outcome = answered.get(recipient)
    if (outcome === undefined) {
      return { _tag: "Retryable", recipient, detail: "no answer for this recipient", mayHaveApplied: true }
    }
    return outcome._tag === "Retryable" ? { ...outcome, mayHaveApplied: outcome.mayHaveApplied || applied } : outcome
  })
}

const toLedger = (outcome: WriteOutcome): Outcome => {
  const recipient = digits(outcome.recipient)
  switch (outcome._tag) {
    case "Held":
      return { _tag: "Held", recipient }
    case "Retryable":
      return { _tag: "Retryable", recipient, mayHaveApplied: outcome.mayHaveApplied }
    case "Rejected":
      return { _tag: "Rejected", recipient, detail: outcome.detail }
  }
}
