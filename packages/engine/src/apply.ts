/**
 * Carrying out what differs, as far as the guards allow: per account side by
 * side, per sender in order, a burst at a time. What was decided when the plan
 * was made is decided again with each burst.
 */
import type { ConsentState, Recipient } from "@stopline/consent"
import { type Connection, type Difference, digits, type LedgerError, type RegisteredSender } from "@stopline/ledger"
import { type ProviderError, writePort } from "@stopline/provider"
import { Clock, Duration, Effect } from "effect"
import { type Change, judge, type Moment } from "./diff.ts"
import { eachDiffering, type FirstPages, speakingFor } from "./differing.ts"
import { confirmWindow } from "./evidence.ts"
import { Fleet, type Station } from "./fleet.ts"
import type { LaneBusy } from "./lane.ts"
import { writabilityOf } from "./plan.ts"
import { report } from "./progress.ts"
import { isOver, isRefusal } from "./refusal.ts"
import { firstBurst, nextBurst } from "./burst.ts"
import { writeBurst, type Written } from "./write.ts"

export interface ApplyReport {
  readonly account: string
  readonly optedOut: number
  readonly optedIn: number
  /** Left for the next round. */
  readonly retryable: number
  readonly rejected: number
  /** Held back by a guard. */
  readonly heldBack: number
  /** What stopped a sender, in words. */
  readonly errors: ReadonlyArray<ProviderError | LaneBusy>
}

export const nothingApplied = (account: string): ApplyReport => ({
  account,
  optedOut: 0,
  optedIn: 0,
  retryable: 0,
  rejected: 0,
  heldBack: 0,
  errors: []
})

export interface ApplyOptions {
  /** Directions that a guard stands in the way of; people's own opt-outs go whatever it says. */
  readonly heldBack: ReadonlySet<ConsentState>
  readonly confirmMs: number
  /** At most so many changes that a guard counts: what is found while this runs has passed no guard. Absent: any number. */
  readonly atMost?: Readonly<Record<ConsentState, number>>
  /** Changes expected, for those who watch. */
  readonly expected?: number
  /** Only these recipients, and only what they said themselves. */
  readonly only?: ReadonlyArray<number>
  /** What differs, where that was read already. */
  readonly first?: FirstPages
  /** Told of whom a sender holds now as it should. */
  readonly onHeld?: (recipients: ReadonlyArray<Recipient>) => void
}

/** Writes the changes of one account. One failing sender does not stop the others; a denied account stops itself. */
export const applyTo = Effect.fn("applyTo")(function* (
  station: Station,
  options: ApplyOptions
): Effect.fn.Return<ApplyReport, LedgerError, Connection | Fleet> {
  yield* Effect.annotateCurrentSpan({ account: station.account.name })
  let total = nothingApplied(station.account.name)
  const bursts: Bursts = {}
  const courses = yield* coursesOf(options)
  const room = { ...(options.atMost ?? { "opted-out": Infinity, "opted-in": Infinity }) }
  const { settings } = yield* Fleet
  const seeks = station.adapter.evidence._tag === "Can"
  const windowOf = confirmWindow(station.account, seeks, options.confirmMs, settings.policy)
  yield* eachDiffering(
    speakingFor(station),
    settings,
    Effect.fnUntraced(function* (sender: RegisteredSender, rows: ReadonlyArray<Difference>) {
      const moment = { now: yield* Clock.currentTimeMillis, confirmMs: yield* windowOf(sender, rows) }
      const course = courses(sender)
      const written = yield* applyPage(station, sender, rows, moment, options, room, bursts, course, total)
      total = written.total
      if (!written.stop) return "page"
      // One sender may be denied by itself; a second one says that it is the account.
      const denied = total.errors.filter((error) => error._tag === "ProviderError" && error.reason._tag === "Denied")
      return denied.length > 1 ? "nothing" : "sender"
    }),
    options.only,
    options.first
  )
  return total
})

const applyPage = Effect.fnUntraced(function* (
  station: Station,
  sender: RegisteredSender,
  rows: ReadonlyArray<Difference>,
  moment: Moment,
  options: ApplyOptions,
  room: Room,
  bursts: Bursts,
  course: Courses,
  before: ApplyReport
) {
  const can = writabilityOf(station.adapter)(sender.address)
  const items = rows.map((row) => judge(row, sender.address, can, moment))
  const changes = items.filter((item): item is Change => item._tag === "Change")
  const turn = changes.filter(({ recipient, to }) => !course[to].isOver && digits(recipient) > course[to].after)
  const go = turn.filter((change) => mayGo(change, options, room))
  let total: ApplyReport = { ...before, heldBack: before.heldBack + turn.length - go.length }
  for (const { recipient, to } of changes) {
    const { after, refusal } = course[to]
    if (refusal === undefined || digits(recipient) > after) continue
    course[to].refusal = undefined
    total = { ...total, errors: [...total.errors, refusal] }
  }
  for (const state of ["opted-out", "opted-in"] as const) {
    const recipients = go.filter((change) => change.to === state).map((change) => change.recipient)
    const written = yield* writeAll(station, sender, state, recipients, options, bursts, course[state], total)
    if (written.stop) return written
    total = written.total
  }
  return { total, stop: course["opted-out"].isOver && course["opted-in"].isOver }
})

/**
 * How far one direction of a sender is. What is refused to one direction says nothing of the other. Where it ended over
 * refusals, the next apply begins behind them, and the one after that with the first again: whoever comes behind people
 * that a provider refuses has their turn, be they ever so many (L9).
 */
interface Course {
  readonly after: number
  /** Why those before are passed over; told when there is still somebody. */
  refusal: ProviderError | undefined
  isOver: boolean
  /** What became of the last requests. */
  told: ReadonlyArray<ProviderError | undefined>
}

type Courses = Readonly<Record<ConsentState, Course>>

const keyOf = (sender: RegisteredSender, state: ConsentState): string => `${sender.id} ${state}`

/** The courses of a sender. Whoever has just spoken is not made to wait for a turn. */
const coursesOf = Effect.fnUntraced(function* ({ only }: ApplyOptions) {
  const { passed } = yield* Fleet
  const known = new Map<number, Courses>()
  const begin = (sender: RegisteredSender, state: ConsentState): Course => {
    const key = keyOf(sender, state)
    const before = only === undefined ? passed.get(key) : undefined
    if (before !== undefined) passed.delete(key)
    return { after: before?.recipient ?? 0, refusal: before?.error, isOver: false, told: [] }
  }
  return (sender: RegisteredSender): Courses => {
    const courses = known.get(sender.id) ?? {
      "opted-out": begin(sender, "opted-out"),
      "opted-in": begin(sender, "opted-in")
    }
    known.set(sender.id, courses)
    return courses
  }
})

/** How many pairs the next burst of each direction takes. */
type Bursts = Partial<Record<ConsentState, number>>

/** How many changes of each direction that a guard counts may still go. */
type Room = Record<ConsentState, number>

const mayGo = (change: Change, options: ApplyOptions, room: Room): boolean => {
  if (change.personal) return true
  if (options.only !== undefined) return false
  if (change.to === "opted-out" && !change.guarded) return true
  if (options.heldBack.has(change.to) || room[change.to] <= 0) return false
  room[change.to] -= 1
  return true
}

const writeAll = Effect.fnUntraced(function* (
  station: Station,
  sender: RegisteredSender,
  state: ConsentState,
  recipients: ReadonlyArray<Recipient>,
  options: ApplyOptions,
  bursts: Bursts,
  course: Course,
  before: ApplyReport
) {
  const capability = writePort(station.adapter, state)
  if (capability._tag !== "Can" || recipients.length === 0) return { total: before, stop: false }
  const { port } = capability
  const { passed } = yield* Fleet
  let total = before
  for (let done = 0; done < recipients.length;) {
    const size = bursts[state] ?? firstBurst(port)
    const burst = recipients.slice(done, done + size)
    done += burst.length
    const [took, result] = yield* Effect.timed(Effect.result(writeBurst(station, port, sender, state, burst)))
    bursts[state] = nextBurst(port, size, Duration.toMillis(took))
    if (result._tag === "Failure") {
      if (result.failure._tag === "LedgerError") return yield* result.failure
      return { total: { ...total, errors: [...total.errors, result.failure] }, stop: true }
    }
    total = account(total, state, result.success)
    options.onHeld?.(result.success.held)
    yield* report({
      kind: "apply",
      account: station.account.name,
      sender: sender.address,
      done: total.optedOut + total.optedIn,
      unit: "changes",
      ...(options.expected !== undefined && { total: options.expected })
    })
    const { error, held } = result.success
    if (error !== undefined) total = { ...total, errors: [...total.errors, error] }
    const refused = error !== undefined && isRefusal(error)
    course.told = [...course.told.slice(-1), refused && held.length > 0 ? undefined : error]
    if (!isOver(course.told)) continue
    // The sender's other recipients would meet the same failure; the next round tries again.
    if (!refused) return { total, stop: true }
    course.isOver = true
    if (options.only === undefined) passed.set(keyOf(sender, state), { recipient: digits(burst.at(-1)!), error })
    break
  }
  return { total, stop: false }
})

const account = (total: ApplyReport, state: ConsentState, written: Written): ApplyReport => ({
  ...total,
  optedOut: total.optedOut + (state === "opted-out" ? written.held.length : 0),
  optedIn: total.optedIn + (state === "opted-in" ? written.held.length : 0),
  retryable: total.retryable + written.retryable,
  rejected: total.rejected + written.rejected.length
})
