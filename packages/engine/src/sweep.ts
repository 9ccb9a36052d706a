/**
 * Asking again about known recipients, where a provider cannot list: those whose
 * standing is in doubt first, then the stalest.
 */
import type { Recipient } from "@stopline/consent"
import {
  beginRun,
  commitCheck,
  type Connection,
  endRun,
  type LedgerError,
  notAskedSince,
  type RegisteredSender,
  stalest
} from "@stopline/ledger"
import type { CheckPort, ProviderError } from "@stopline/provider"
import { Clock, Duration, Effect, Stream } from "effect"
import { type Fleet, sendersOf, type Station } from "./fleet.ts"
import { paced } from "./pace.ts"
import { report } from "./progress.ts"

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

/** Asks about at most `budget` recipients of each sender, all of them if it suffices. */
export const sweep = Effect.fn("sweep")(function* (
  station: Station,
  port: CheckPort,
  budget: number,
  startedBy: string
): Effect.fn.Return<SweepReport, SweepError, Connection | Fleet> {
  const startedAt = yield* Clock.currentTimeMillis
  const runId = yield* beginRun({ kind: "sweep", accountId: station.account.id, startedBy, at: startedAt })
  let total = none(station.account.name)
  for (const sender of sendersOf(station)) {
    let left = budget
    while (left > 0) {
      const most = Math.min(port.maxRecipients, left)
      const recipients = yield* stalest(sender, startedAt, most)
      if (recipients.length === 0) break
      total = plus(total, yield* ask(station, port, sender, recipients, runId))
      left -= recipients.length
      yield* report({
        kind: "check",
        account: station.account.name,
        sender: sender.address,
        done: total.asked,
        unit: "recipients"
      })
      if (recipients.length < most) break
    }
  }
  yield* endRun(runId, "completed", total, yield* Clock.currentTimeMillis)
  return total
})

/** Asks about named recipients, leaving out those already asked about since `since`: so a run that was killed goes on where it was. */
export const checkAll = Effect.fn("checkAll")(function* <E, R>(
  station: Station,
  port: CheckPort,
  sender: RegisteredSender,
  recipients: Stream.Stream<Recipient, E, R>,
  run: { readonly id: number; readonly startedAt: number },
  total: number | undefined
): Effect.fn.Return<SweepReport, SweepError | E, Connection | Fleet | R> {
  let sum = none(station.account.name)
  let done = 0
  yield* Stream.runForEach(Stream.grouped(recipients, port.maxRecipients), (batch) =>
    Effect.gen(function* () {
      const due = yield* notAskedSince(sender, batch, run.startedAt)
      if (due.length > 0) sum = plus(sum, yield* ask(station, port, sender, due, run.id))
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
  return sum
})

const ask = Effect.fnUntraced(function* (
  station: Station,
  port: CheckPort,
  sender: RegisteredSender,
  recipients: ReadonlyArray<Recipient>,
  runId: number
) {
  const beganAt = yield* Clock.currentTimeMillis
  const answers = yield* paced(station.adapter, "check", port.check(sender.address, recipients))
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
