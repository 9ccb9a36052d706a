/**
 * One round: read, plan, guard, apply, account for it (L8, L10). A round that
 * dies anywhere leaves nothing that the next one does not repair.
 */
import {
  beginRun,
  clearHalts,
  type Connection,
  endRun,
  type LedgerError,
  openHalts,
  raiseHalt,
  settleAll
} from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { applyTo, type ApplyReport, nothingApplied } from "./apply.ts"
import { Fleet, type Station } from "./fleet.ts"
import { guardMessage, heldBackAt, type OpenHalt } from "./guard.ts"
import { type AccountPlan, plan, type Plan, plannedOf } from "./plan.ts"
import { readAll, type ReadReport } from "./read.ts"
import type { SweepBudget } from "./sweep.ts"

export interface RoundReport {
  /** `completed`: all was read and all that may be written was. `incomplete`: some lane failed, or some recipient has to be tried again. `halted`: a person has to decide. */
  readonly outcome: "completed" | "incomplete" | "halted"
  readonly reads: ReadonlyArray<ReadReport>
  readonly plan: Plan
  readonly applied: ReadonlyArray<ApplyReport>
  readonly halts: ReadonlyArray<string>
}

export interface RoundOptions {
  /** Recipients of each sender to ask about where one cannot list. */
  readonly sweepBudget: number
  /** Pairs of each account to ask about in any hour. Absent: any number. */
  readonly sweepPerHour?: number
  readonly startedBy: string
  readonly confirmMs: number
  /** Read before planning. */
  readonly read: boolean
  /** Write what was planned. */
  readonly write: boolean
  /** The digest of a plan that a person has seen and approves. */
  readonly approve?: string
}

export const round = Effect.fn("round")(function* (
  options: RoundOptions
): Effect.fn.Return<RoundReport, LedgerError, Connection | Fleet> {
  const startedAt = yield* Clock.currentTimeMillis
  const runId = yield* beginRun({ kind: "round", accountId: null, startedBy: options.startedBy, at: startedAt })
  const reads = options.read ? yield* readAll(budgetOf(options), options.startedBy) : []
  const { approved, open, planned, write } = yield* decide(options)
  const applied = write ? yield* applyAll(planned, open, approved, options) : []
  if (write && approved) yield* clearWhatWasApproved(planned, applied, options.startedBy)
  const halts = open.map((halt) => halt.message)
  const failed =
    reads.some((read) => read.error !== undefined) || applied.some((one) => one.errors.length > 0 || one.retryable > 0)
  const outcome = failed ? "incomplete" : halts.length > 0 ? "halted" : "completed"
  yield* endRun(
    runId,
    outcome,
    { applied: applied.map(({ errors, ...counts }) => ({ ...counts, errors: errors.length })) },
    yield* Clock.currentTimeMillis
  )
  return { outcome, reads, plan: planned, applied, halts }
})

export interface Decided {
  readonly planned: Plan
  /** It is the plan that a person has seen. */
  readonly approved: boolean
  readonly write: boolean
  /** What waits for a person, these plans' own halts among them. */
  readonly open: ReadonlyArray<OpenHalt>
}

/** Plans, guards, and raises what halts there are. Writes nothing to any provider. */
export const decide = Effect.fn("decide")(function* (
  options: Pick<RoundOptions, "confirmMs" | "write" | "approve" | "startedBy">
): Effect.fn.Return<Decided, LedgerError, Connection | Fleet> {
  const { settings, stations } = yield* Fleet
  yield* settleAll(settings.policy, settings.pageRows)
  const planned = yield* plan(
    stations.map(plannedOf),
    settings,
    { examples: 20, confirmMs: options.confirmMs },
    yield* Clock.currentTimeMillis
  )
  const approved = options.approve === planned.digest
  // Another plan than the one that was looked at: nothing is written, not even what needs no approval.
  const write = options.write && (options.approve === undefined || approved)
  const own = write ? yield* account(planned, approved, options.startedBy) : []
  const stored = yield* openHalts()
  // One that somebody cleared just as it was raised was not looked at with these numbers.
  const cleared = own.filter((one) => !stored.some(({ account, kind }) => account === one.account && kind === one.kind))
  return { planned, approved, write, open: [...stored, ...cleared] }
})

/** What is to be carried out at one account. */
export type Order = Pick<AccountPlan, "account" | "changes" | "guarded">

/** What was decided, for those who carry it out later and elsewhere. */
export const ordersOf = ({ open, planned }: Decided): ReadonlyArray<Order> =>
  planned.accounts.flatMap(({ account, changes, guarded }) => {
    if (changes === 0) return []
    const room = { ...guarded }
    // Settled here and now: who clears a halt in the next moment has approved nothing.
    for (const direction of heldBackAt(account, open)) room[direction] = 0
    return [{ account, changes, guarded: room }]
  })

const budgetOf = ({ sweepBudget, sweepPerHour }: RoundOptions): SweepBudget => ({
  perSender: sweepBudget,
  perHour: sweepPerHour ?? Infinity
})

/** Raises the halts that the plan calls for, and says which; an approval of exactly this plan clears them instead. */
const account = Effect.fnUntraced(function* (planned: Plan, approved: boolean, by: string) {
  const { stations } = yield* Fleet
  const now = yield* Clock.currentTimeMillis
  const raised: Array<OpenHalt> = []
  if (approved) {
    yield* clearHalts({ kinds: ["too-many-opt-outs", "too-many-opt-ins", "opt-ins-without-evidence"] }, by, now)
    return raised
  }
  for (const one of planned.accounts) {
    const station = stations.find((candidate) => candidate.account.name === one.account)
    if (station === undefined) continue
    for (const halt of one.halts) {
      const message = guardMessage(one.account, halt, planned.digest)
      const numbers = { count: halt.count, limit: halt.limit, population: halt.population }
      const fresh = yield* raiseHalt(
        { accountId: station.account.id, kind: halt.kind, message, numbers, digest: planned.digest },
        now
      )
      if (fresh) yield* Effect.logError(message, numbers)
      raised.push({ account: one.account, kind: halt.kind, message })
    }
  }
  return raised
})

const applyAll = Effect.fnUntraced(function* (
  planned: Plan,
  open: ReadonlyArray<OpenHalt>,
  approved: boolean,
  options: RoundOptions
) {
  const { stations } = yield* Fleet
  return yield* Effect.forEach(
    stations,
    (station) => {
      const one = planned.accounts.find((candidate) => candidate.account === station.account.name)
      if (one === undefined || one.changes === 0) return Effect.succeed(nothingApplied(station.account.name))
      return applyPlanned(station, one, approved ? [] : open, options.confirmMs)
    },
    { concurrency: "unbounded" }
  )
})

/**
 * Who planned while this was being written saw what was left of it, and halted over what a person had approved. If there
 * is something else as well, the next plan halts again.
 */
const clearWhatWasApproved = Effect.fnUntraced(function* (
  planned: Plan,
  applied: ReadonlyArray<ApplyReport>,
  by: string
) {
  const now = yield* Clock.currentTimeMillis
  for (const { account, halts } of planned.accounts) {
    const done = applied.some((one) => one.account === account && one.errors.length === 0)
    if (done && halts.length > 0) yield* clearHalts({ account, kinds: halts.map(({ kind }) => kind) }, by, now)
  }
})

/** Carries out what was planned for one account, but for what a halt holds back. */
export const applyPlanned = (
  station: Station,
  one: Pick<AccountPlan, "changes" | "guarded">,
  open: ReadonlyArray<OpenHalt>,
  confirmMs: number
): Effect.Effect<ApplyReport, LedgerError, Connection | Fleet> => {
  const heldBack = new Set(heldBackAt(station.account.name, open))
  return applyTo(station, { heldBack, confirmMs, atMost: one.guarded, expected: one.changes })
}
