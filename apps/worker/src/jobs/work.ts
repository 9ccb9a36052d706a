/**
 * What a worker does: it reads each account again and again, decides for all of
 * them when something may differ, and carries out for each what was decided.
 */
import {
  adoptAll,
  applyPlanned,
  type ApplyReport,
  backfill,
  decide,
  Fleet,
  ordersOf,
  readAccount,
  type ReadReport,
  sendersOf,
  type Station,
  type SweepBudget
} from "@stopline/engine"
import {
  beginRun,
  type Connection,
  endRun,
  gapsOf,
  lastEnded,
  type LedgerError,
  openHalts,
  policyInForce,
  settleAll
} from "@stopline/ledger"
import { Clock, Effect, Predicate, Schedule, type Scope, Stream } from "effect"
import { gatherAgainMs, gatherDue, gatherWhenDue, type People } from "../people/gather.ts"
import { Jobs, type Working } from "./jobs.ts"
import type { Payload } from "./queues.ts"

export interface Duties {
  /** Between two readings of an account. */
  readonly everyMs: number
  readonly sweep: SweepBudget
  readonly people: People | undefined
  readonly onRead: (report: ReadReport) => Effect.Effect<void>
  readonly onHalted: (halts: ReadonlyArray<string>) => Effect.Effect<void>
  readonly onApplied: (report: ApplyReport) => Effect.Effect<void>
}

type Needs = Fleet | Connection | Jobs

/** How often, at least, everything is decided anew, and it is looked whether a job is missing that a worker was about to put when it died. */
const mostMs = 60_000

/** Works until it is interrupted. While the database is away it begins again and again, and says why once; whatever else is wrong ends it. */
export const work = (duties: Duties): Effect.Effect<never, LedgerError, Needs> =>
  Effect.suspend(() => {
    const told = new Set<string>()
    const tell = ({ message }: LedgerError) =>
      Effect.suspend(() => {
        if (told.has(message)) return Effect.void
        told.add(message)
        return Effect.logWarning("no job can be done", { error: message })
      })
    return Effect.scoped(Effect.andThen(beginWork(duties), Effect.never)).pipe(
      Effect.tapError(tell),
      Effect.retry({
        while: ({ kind }) => kind === "unreachable" || kind === "conflict",
        schedule: Schedule.spaced("1 second")
      })
    )
  })

const beginWork = Effect.fn("work")(function* (
  duties: Duties
): Effect.fn.Return<void, LedgerError, Needs | Scope.Scope> {
  const jobs = yield* Jobs
  const { stations } = yield* Fleet
  const side = (atMost: number, lookSeconds: number): Working => ({
    atOnce: Math.min(atMost, stations.length),
    lookSeconds
  })
  const { everyMs, people } = duties
  const begin = Effect.fnUntraced(function* (soonestGatherMs: number) {
    for (const { account } of stations) {
      yield* jobs.put("read", { account: account.name })
      // What was put when the configuration said otherwise may be due far too late.
      yield* jobs.hasten("read", { account: account.name }, everyMs)
    }
    // What a worker left half done when it died, what could not be pushed, and what was attested or imported may be there, and
    // nothing due to be read; and a long list may be read for hours.
    yield* jobs.put("reconcile", {})
    if (people === undefined) return
    yield* jobs.put("gather", {})
    yield* jobs.hasten("gather", {}, Math.max(soonestGatherMs, yield* gatherDue(people)))
  })
  // Before anybody looks: whoever finds nothing looks again only after a while.
  yield* begin(0)
  yield* jobs.work("read", side(8, Math.min(2, Math.max(0.5, everyMs / 20_000))), ({ account }) =>
    forStation(account, (station) => read(station, duties))
  )
  yield* jobs.work("reconcile", { atOnce: 1, lookSeconds: Math.min(2, Math.max(0.5, everyMs / 20_000)) }, () =>
    reconcile(duties)
  )
  yield* jobs.work("apply", side(8, 5), (payload) =>
    forStation(payload.account, (station) => apply(station, payload, duties))
  )
  yield* jobs.work("backfill", side(4, 5), (payload) =>
    forStation(payload.account, (station) => readAll(station, payload, people))
  )
  if (people !== undefined) {
    yield* jobs.work("gather", { atOnce: 1, lookSeconds: 2 }, () => gatherWhenDue(people))
  }
  yield* Effect.sleep(Math.min(mostMs, everyMs)).pipe(
    // A list that could not be read is left alone for a while.
    Effect.andThen(begin(gatherAgainMs)),
    Effect.catch((error) => Effect.logDebug("the jobs could not be looked after", { error: error.message })),
    Effect.forever,
    Effect.forkScoped
  )
})

const unknownHere = (what: string) =>
  `the workers do not know this ${what}; restart them with the configuration that has it`

/** An account that is no longer configured, or not yet, has nothing to be done for it. */
const forStation = <A, E, R>(
  name: string,
  use: (station: Station) => Effect.Effect<A, E, R>
): Effect.Effect<A | string, E, R | Fleet> =>
  Effect.flatMap(Fleet, ({ stations }) => {
    const station = stations.find(({ account }) => String(account.name) === name)
    return station === undefined ? Effect.succeed<A | string>(unknownHere("account")) : use(station)
  })

const read = Effect.fnUntraced(function* (station: Station, { everyMs, onRead, sweep }: Duties) {
  const { owner } = yield* Fleet
  const jobs = yield* Jobs
  const beganAt = yield* Clock.currentTimeMillis
  const report = yield* readAccount(station, sweep, owner)
  yield* onRead(report)
  yield* jobs.put("reconcile", {})
  // Events were lost after this reading began: only another one can tell of them.
  const gaps = yield* gapsOf(station.account.id)
  if (gaps.some(({ readAt, until }) => readAt === undefined && until > beganAt)) return 0
  return Math.max(0, beganAt + everyMs - (yield* Clock.currentTimeMillis))
})

const reconcile = Effect.fnUntraced(function* ({ onHalted }: Duties) {
  const { owner, settings, stations } = yield* Fleet
  const jobs = yield* Jobs
  const { confirmMs } = settings
  const runId = yield* beginRun({
    kind: "round",
    accountId: null,
    startedBy: owner,
    at: yield* Clock.currentTimeMillis
  })
  yield* adoptAll(stations)
  const inForce = yield* policyInForce()
  if (inForce !== settings.policy) {
    yield* Effect.logWarning(
      "another policy is in force than this worker was started with, and it opts nobody in; start it again with the configuration of today",
      { policy: settings.policy, inForce }
    )
  }
  const decided = yield* decide({ confirmMs, write: true, startedBy: owner })
  for (const order of ordersOf(decided)) yield* jobs.put("apply", order)
  const halts = decided.open.map((halt) => halt.message)
  const outcome = halts.length > 0 ? "halted" : "completed"
  yield* endRun(runId, outcome, { changes: decided.planned.changes }, yield* Clock.currentTimeMillis)
  if (halts.length > 0) yield* onHalted(halts)
  return undefined
})

const apply = Effect.fnUntraced(function* (station: Station, planned: Payload<"apply">, { onApplied }: Duties) {
  const { owner, settings } = yield* Fleet
  const at = yield* Clock.currentTimeMillis
  const runId = yield* beginRun({ kind: "apply", accountId: station.account.id, startedBy: owner, at })
  const report = yield* applyPlanned(station, planned, yield* openHalts(), settings.confirmMs)
  const { errors, ...counts } = report
  const outcome = errors.length > 0 || report.retryable > 0 ? "incomplete" : "completed"
  yield* endRun(runId, outcome, { ...counts, errors: errors.length }, yield* Clock.currentTimeMillis)
  yield* onApplied(report)
  return undefined
})

const readAll = Effect.fnUntraced(function* (
  station: Station,
  { askedAt, sender, startedBy }: Payload<"backfill">,
  people: People | undefined
) {
  const { settings } = yield* Fleet
  const jobs = yield* Jobs
  if (sender !== undefined && sendersOf(station, sender).length === 0) return unknownHere("sender")
  // Cut off with its worker, it may have been read to its end by whoever came next.
  const last = yield* lastEnded("backfill", station.account.id)
  const covered = Predicate.hasProperty(last?.counts, "sender") ? last.counts.sender === sender : true
  if (last?.outcome === "completed" && last.startedAt >= askedAt && covered) return undefined
  const report = yield* backfill(station, {
    startedBy,
    ...(sender !== undefined && { sender }),
    ...(people !== undefined && { recipients: () => recipientsOf(people) })
  })
  if (report._tag === "Blind") {
    yield* Effect.logError("nobody to ask about", { account: report.account, why: report.why })
    return report.canBeAsked
      ? `it cannot be listed (${report.why}); name everybody you text in the workers' configuration, as people`
      : `it can neither be listed nor asked (${report.why}); import what your own applications have kept`
  }
  yield* settleAll(settings.policy)
  yield* jobs.put("reconcile", {})
  return undefined
})

const recipientsOf = (people: People) =>
  Stream.flatMap(people.rows(), (row) => ("recipient" in row ? Stream.succeed(row.recipient) : Stream.empty))
