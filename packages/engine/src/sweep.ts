/**
 * Asking again about known recipients, where a provider cannot list: those whose
 * standing is in doubt first, then those who were texted since, then the stalest.
 */
import type { Recipient, SenderAddress } from "@stopline/consent"
import {
  beginRun,
  commitCheck,
  type Connection,
  endRun,
  type LedgerError,
  notAskedSince,
  noteRun,
  type RegisteredSender,
  stalest,
  sweptSince
} from "@stopline/ledger"
import type { CheckAnswer, CheckPort, ProviderError } from "@stopline/provider"
import { Clock, Duration, Effect, Result, Stream } from "effect"
import { type Fleet, sendersOf, type Station } from "./fleet.ts"
import { paced } from "./pace.ts"
import { report } from "./progress.ts"
import { isOver, isRefusal } from "./refusal.ts"
import { eachSender } from "./senders.ts"

export interface SweepReport {
  readonly account: string
  readonly asked: number
  /** Recipients the provider gave no answer about. */
  readonly unanswered: number
  readonly news: number
}

type SweepError = ProviderError | LedgerError

const none = (account: string): SweepReport => ({ account, asked: 0, unanswered: 0, news: 0 })

const plus = (a: SweepReport, b: SweepReport): SweepReport => ({
  account: a.account,
  asked: a.asked + b.asked,
  unanswered: a.unanswered + b.unanswered,
  news: a.news + b.news
})

export interface SweepBudget {
  /** Recipients of each sender in one sweep. */
  readonly perSender: number
  /** Pairs of the whole account in any hour, whoever asks. */
  readonly perHour: number
}

const hourMs = 60 * 60_000

/** Asks about as many recipients of each sender as the budget has, all of them if it suffices. */
export const sweep = Effect.fn("sweep")(function* (
  station: Station,
  port: CheckPort,
  budget: SweepBudget,
  startedBy: string
): Effect.fn.Return<SweepReport, SweepError, Connection | Fleet> {
  const { account } = station
  const startedAt = yield* Clock.currentTimeMillis
  const left =
    budget.perHour === Infinity ? Infinity : budget.perHour - (yield* sweptSince(account.id, startedAt - hourMs))
  const runId = yield* beginRun({ kind: "sweep", accountId: account.id, startedBy, at: startedAt })
  const run = { id: runId, startedAt }
  const senders = sendersOf(station)
  let total = none(account.name)
  let waiting = senders.length
  yield* eachSender(senders, (sender) => {
    // What an hour has left is shared by the senders that have not had their turn.
    const share = Math.min(budget.perSender, Math.ceil((left - total.asked) / waiting--))
    return sweepSender(station, port, sender, share, run, (asked) =>
      Effect.suspend(() => {
        total = plus(total, asked)
        return Effect.andThen(noteRun(runId, total), tellOf(sender, total))
      })
    )
  })
  yield* Effect.annotateCurrentSpan({ account: account.name, asked: total.asked, news: total.news })
  yield* endRun(runId, "completed", total, yield* Clock.currentTimeMillis)
  return total
})

const tellOf = (sender: RegisteredSender, { account, asked }: SweepReport) =>
  report({ kind: "check", account, sender: sender.address, done: asked, unit: "recipients" })

interface Run {
  readonly id: number
  readonly startedAt: number
  /** The only sender that it is of. */
  readonly sender?: SenderAddress
}

const sweepSender = Effect.fnUntraced(function* (
  station: Station,
  port: CheckPort,
  sender: RegisteredSender,
  budget: number,
  run: Run,
  account: (asked: SweepReport) => Effect.Effect<void, LedgerError, Connection>
) {
  const told: Array<ProviderError | undefined> = []
  for (let left = budget; left > 0;) {
    const most = Math.min(port.maxRecipients, left)
    const recipients = yield* stalest(sender, run.startedAt, most)
    if (recipients.length === 0) break
    const answer = yield* ask(station, port, sender, recipients, run.id)
    // Whom it refuses to speak of had their turn, or those behind them would never have theirs.
    yield* account(Result.isSuccess(answer) ? answer.success : yield* leaveOut(station, sender, recipients, run.id))
    told.push(Result.isSuccess(answer) ? undefined : answer.failure)
    if (isOver(told)) break
    left -= recipients.length
    if (recipients.length < most) break
  }
  const last = told.at(-1)
  if (last !== undefined && (isOver(told) || told.every((refused) => refused !== undefined))) return yield* last
})

/** So many requests in a row: a list is often sorted, and numbers that a provider refuses stand together in it. */
const mostRefused = 10

/** Asks about named recipients, leaving out those already asked about since `since`: so a run that was killed goes on where it was. */
export const checkAll = Effect.fn("checkAll")(function* <E, R>(
  station: Station,
  port: CheckPort,
  sender: RegisteredSender,
  recipients: Stream.Stream<Recipient, E, R>,
  run: Run,
  total: number | undefined
): Effect.fn.Return<SweepReport, SweepError | E, Connection | Fleet | R> {
  let sum = none(station.account.name)
  let done = 0
  let taken = false
  // Left out when somebody behind them was taken: else it is not over them, and they are to be asked about again.
  const refused: Array<{ readonly due: ReadonlyArray<Recipient>; readonly error: ProviderError }> = []
  const passRefused = Effect.suspend(() =>
    Effect.forEach(refused.splice(0), ({ due }) =>
      Effect.map(leaveOut(station, sender, due, run.id), (left) => {
        sum = plus(sum, left)
      })
    )
  )
  yield* Stream.runForEach(Stream.grouped(recipients, port.maxRecipients), (batch) =>
    Effect.gen(function* () {
      const due = yield* notAskedSince(sender, batch, run.startedAt)
      if (due.length > 0) {
        const answer = yield* ask(station, port, sender, due, run.id)
        if (Result.isSuccess(answer)) {
          taken = true
          sum = plus(sum, answer.success)
          yield* passRefused
        } else {
          refused.push({ due, error: answer.failure })
          if (refused.length === mostRefused) return yield* answer.failure
        }
        yield* noteRun(run.id, { ...sum, sender: run.sender, at: yield* Clock.currentTimeMillis })
      }
      done += batch.length
      yield* report({
        kind: "check",
        account: station.account.name,
        sender: sender.address,
        done,
        unit: "recipients",
        ...(total !== undefined && { total })
      })
    })
  )
  const [first] = refused
  if (first !== undefined && !taken) return yield* first.error
  yield* passRefused
  return sum
})

/** What is to be read of some people; a failure: they were refused all together. */
const ask = Effect.fnUntraced(function* (
  station: Station,
  port: CheckPort,
  sender: RegisteredSender,
  recipients: ReadonlyArray<Recipient>,
  runId: number
): Effect.fn.Return<Result.Result<SweepReport, ProviderError>, SweepError, Connection | Fleet> {
  const beganAt = yield* Clock.currentTimeMillis
  const told = yield* Effect.result(paced(station.adapter, "check", port.check(sender.address, recipients)))
  if (told._tag === "Failure") {
    const error = told.failure
    return error._tag === "ProviderError" && isRefusal(error) ? Result.fail(error) : yield* error
  }
  return Result.succeed(yield* store(station, sender, recipients, runId, told.success, beganAt))
})

/** Nobody answers for them; they are asked about again when it is their turn. */
const leaveOut = Effect.fnUntraced(function* (
  station: Station,
  sender: RegisteredSender,
  recipients: ReadonlyArray<Recipient>,
  runId: number
) {
  return yield* store(station, sender, recipients, runId, [], yield* Clock.currentTimeMillis)
})

const store = Effect.fnUntraced(function* (
  station: Station,
  sender: RegisteredSender,
  recipients: ReadonlyArray<Recipient>,
  runId: number,
  answers: ReadonlyArray<CheckAnswer>,
  beganAt: number
) {
  const endedAt = yield* Clock.currentTimeMillis
  const readings = answers.flatMap((answer) => (answer._tag === "Known" ? [answer.reading] : []))
  // Also whom the adapter left out: silence is never an answer (L5), and they must not be asked for ever.
  const answered = new Set(readings.map((reading) => reading.recipient))
  const unanswered = recipients.filter((recipient) => !answered.has(recipient))
  const compared = yield* commitCheck(
    {
      account: station.account,
      runId,
      basis: "checked",
      span: { beganAt, endedAt },
      settle: Duration.toMillis(station.adapter.settle)
    },
    sender,
    readings,
    unanswered
  )
  return {
    account: station.account.name,
    asked: recipients.length,
    unanswered: unanswered.length,
    news: compared.recorded.length
  } satisfies SweepReport
})
