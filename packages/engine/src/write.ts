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
  stillWanted,
  toRecipient,
  type WriteContext
} from "@stopline/ledger"
import { mayHaveApplied, type ProviderError, type WriteOutcome, type WritePort } from "@stopline/provider"
import { Array, Clock, Effect } from "effect"
import { Fleet, laneOf, type Station } from "./fleet.ts"
import { finishing } from "./grace.ts"
import { keepLooking, type LaneBusy, whileHeld, withLane } from "./lane.ts"
import { paced, turnsFor } from "./pace.ts"
import { writabilityOf } from "./plan.ts"
import { isOver, isRefusal } from "./refusal.ts"

export interface Written {
  readonly held: ReadonlyArray<Recipient>
  /** To be tried again by the next round. */
  readonly retryable: number
  readonly rejected: ReadonlyArray<{ readonly recipient: Recipient; readonly detail: string }>
  /** No longer needed when its turn came. */
  readonly obsolete: number
  /** What stopped the writing, or what was refused of it, after everything before it was accounted for. */
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
  // Whoever says STOP while their opt-in waits for its turn, perhaps through a penalty, would be let through all the
  // same, until the next write. The other way round nobody is texted who must not be, and the next round repairs it;
  // but not where nobody but the person can lift the block again, who has just said START and would have to once more.
  const repairable = state === "opted-out" && writabilityOf(station.adapter)(sender.address).optIn === undefined
  const wanted = (batch: ReadonlyArray<Recipient>) =>
    repairable
      ? Effect.succeed(batch)
      : Effect.map(stillWanted(context, batch.map(digits)), (left) => left.map(toRecipient))
  const send = (wave: ReadonlyArray<ReadonlyArray<Recipient>>) =>
    sendWave({ held, again, wanted }, station, port, sender, state, wave)
  const { answers, outcomes } = yield* Effect.gen(function* () {
    const answers: Array<Answer> = []
    let over = false
    for (const wave of Array.chunksOf(batches, port.concurrency)) {
      // What is denied or broken for one request is so for the rest: nothing more leaves.
      over ||= isOver(answers.map((answer) => answer.error ?? answer.ledgerError))
      answers.push(...(over ? wave.map((batch) => ({ outcomes: notSent(batch) })) : yield* send(wave)))
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
  const errors = answers.flatMap((answer) => answer.error ?? [])
  const late = Array.reduce(answers, 0, (sum, { obsolete = 0 }) => sum + obsolete)
  return {
    held: outcomes.flatMap((outcome) => (outcome._tag === "Held" ? [outcome.recipient] : [])),
    retryable: outcomes.filter((outcome) => outcome._tag === "Retryable").length - late,
    rejected: outcomes.flatMap((outcome) =>
      outcome._tag === "Rejected" ? [{ recipient: outcome.recipient, detail: outcome.detail }] : []
    ),
    obsolete: recipients.length - due.length + late,
    error: errors.find((error) => !isRefusal(error)) ?? errors[0]
  } satisfies Written
})

interface Answer {
  readonly outcomes: ReadonlyArray<WriteOutcome>
  /** How many of them were not written, as it was no longer needed. */
  readonly obsolete?: number
  readonly error?: ProviderError
  readonly ledgerError?: LedgerError
}

/** What goes before a request. */
interface Before {
  /** The lane is still ours. */
  readonly held: Effect.Effect<void, LedgerError, Connection | Fleet>
  /** Another try of what may have been done. */
  readonly again: (batch: ReadonlyArray<Recipient>) => Effect.Effect<void, LedgerError, Connection>
  /** Who is still to be written. */
  readonly wanted: (batch: ReadonlyArray<Recipient>) => Effect.Effect<ReadonlyArray<Recipient>, LedgerError, Connection>
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
  let asked = batch
  const request = Effect.suspend(() =>
    asked.length === 0 ? Effect.succeed([]) : port.write(sender.address, asked)
  ).pipe(
    Effect.tapError((error) =>
      Effect.sync(() => {
        applied ||= mayHaveApplied(error)
      })
    )
  )
  // The wait for a turn can be long. Who lost the lane meanwhile must not write over what its new holder wrote.
  const ready = Effect.gen(function* () {
    yield* before.held
    asked = yield* before.wanted(batch)
    if (applied && asked.length > 0) yield* before.again(asked)
  })
  const result = yield* Effect.result(paced(station.adapter, operation, Effect.andThen(ready, request), turn))
  if (result._tag === "Success") {
    const wanted = new Set(asked)
    const late = batch.filter((recipient) => !wanted.has(recipient))
    const outcomes = [
      ...complete(asked, result.success, applied),
      ...retryAll(late, "no longer wanted when its turn came", applied)
    ]
    return { outcomes, obsolete: late.length }
  }
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
    if (outcome._tag === "Rejected" && applied)
      return { _tag: "Retryable", recipient, detail: outcome.detail, mayHaveApplied: true }
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
