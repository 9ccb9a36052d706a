/**
 * Reading a complete list page by page (L6).
 *
 * A walk goes on where an earlier one stopped. When it ends it knows whether it
 * saw all that the provider was known to hold; if not, it is walked again,
 * marking, and what two marking walks miss is believed gone.
 */
import { everySender, type SenderAddress } from "@stopline/consent"
import {
  type Absences,
  abandonWalk,
  absences,
  beginWalk,
  clearedSince,
  commitAbsences,
  commitPage,
  type Connection,
  endRun,
  type Lane,
  LedgerError,
  type Pair,
  raiseHalt,
  type ReadingContext,
  type RegisteredSender,
  type RunKind,
  sawAll,
  unfinishedWalk,
  type Walk,
  walkKey
} from "@stopline/ledger"
import { type ListPort, ProviderError, Unreadable } from "@stopline/provider"
import { Clock, Duration, Effect } from "effect"
import { Fleet, type Station } from "./fleet.ts"
import { type LaneBusy, whileHeld, withLane } from "./lane.ts"
import { paced } from "./pace.ts"
import { report } from "./progress.ts"
import { allowed } from "./settings.ts"

export interface WalkReport {
  readonly account: string
  readonly sender: SenderAddress | undefined
  readonly pages: number
  readonly rows: number
  /** Observations that were new. */
  readonly news: number
  /** Rows that could not be understood. */
  readonly problems: number
  /** The list shrank more than a person would believe; nothing was concluded from it. */
  readonly halted: boolean
  /** It went on from the cursor of an earlier walk that had not ended. */
  readonly resumed: boolean
}

export interface WalkStart {
  readonly kind: Extract<RunKind, "walk" | "backfill">
  readonly startedBy: string
  readonly unguarded: boolean
}

type WalkError = ProviderError | LedgerError | LaneBusy
type WalkNeeds = Connection | Fleet

/** Walks the list of an account, or of one sender, until what it says is certain. */
export const walk = Effect.fn("walk")(function* (
  station: Station,
  port: ListPort,
  sender: RegisteredSender | undefined,
  start: WalkStart
): Effect.fn.Return<WalkReport, WalkError, WalkNeeds> {
  return yield* withLane(walkKey(station.account, sender), (lane) =>
    Effect.gen(function* () {
      // Once to read it, and when something is missing twice more to be sure.
      let total = yield* walkOnce(station, port, sender, start, lane, false)
      for (let again = 0; again < 2 && total.missed && !total.halted; again++) {
        const next = yield* walkOnce(station, port, sender, start, lane, true)
        total = {
          ...next,
          news: total.news + next.news,
          pages: total.pages + next.pages,
          problems: Math.max(total.problems, next.problems),
          resumed: total.resumed
        }
      }
      const { missed: _, ...walked } = total
      yield* Effect.annotateCurrentSpan({ account: station.account.name, pages: walked.pages, news: walked.news })
      return walked
    })
  )
})

interface OneWalk extends WalkReport {
  readonly missed: boolean
}

const walkOnce = Effect.fnUntraced(function* (
  station: Station,
  port: ListPort,
  sender: RegisteredSender | undefined,
  start: WalkStart,
  lane: Lane,
  marking: boolean
) {
  const cutOff = yield* unfinishedWalk(station.account, sender)
  // What a backfill finds needs no guard; so it does not go on with a walk that nobody asked for.
  const unfinished = start.kind === "backfill" && cutOff?.kind !== "backfill" ? undefined : cutOff
  const begun = unfinished ?? (yield* beginFresh(station, sender, start, marking, lane))
  const walked = yield* readPages(station, port, begun, lane).pipe(
    Effect.tapError((error) => incomplete(begun, error, lane)),
    // A token that an earlier walk left behind may have gone stale: from the first page, once.
    Effect.catchIf(
      (error) => unfinished !== undefined && isSenseless(error),
      () =>
        Effect.gen(function* () {
          const fresh = yield* beginFresh(station, sender, start, marking, lane)
          return yield* readPages(station, port, fresh, lane).pipe(
            Effect.tapError((error) => incomplete(fresh, error, lane))
          )
        })
    )
  )
  const verdict = yield* conclude(station, port, walked.walk, lane)
  const now = yield* Clock.currentTimeMillis
  const outcome = verdict.halted ? "halted" : "completed"
  const { pages, rows, runId } = walked.walk
  const counts = { pages, rows, news: walked.news, ...(sender !== undefined && { sender: sender.address }) }
  yield* endRun(runId, outcome, counts, now)
  return {
    account: station.account.name,
    sender: sender?.address,
    pages: walked.walk.pages,
    rows: walked.walk.rows,
    news: walked.news + verdict.news,
    problems: walked.problems,
    halted: verdict.halted,
    missed: verdict.missed,
    resumed: unfinished !== undefined
  } satisfies OneWalk
})

const beginFresh = Effect.fnUntraced(function* (
  station: Station,
  sender: RegisteredSender | undefined,
  start: WalkStart,
  marking: boolean,
  lane: Lane
) {
  const { settings } = yield* Fleet
  const now = yield* Clock.currentTimeMillis
  return yield* beginWalk(station.account, sender, { ...start, marking }, lane, settings.leaseMs, now)
})

/** An answer that made no sense, or a request that would make none the next time either: what it points to may be gone. */
const isSenseless = (error: ProviderError | LedgerError): boolean =>
  error._tag === "ProviderError" && (error.reason._tag === "Unreadable" || error.reason._tag === "Refused")

/** A walk that led into nonsense starts over next time; one that was only cut off goes on. */
const incomplete = Effect.fnUntraced(function* (walk: Walk, error: ProviderError | LedgerError, lane: Lane) {
  if (!isSenseless(error)) return
  const now = yield* Clock.currentTimeMillis
  yield* Effect.ignore(
    whileHeld(lane, Effect.andThen(abandonWalk(walk, now), endRun(walk.runId, "incomplete", null, now)))
  )
})

const contextFor = (station: Station, walk: Walk, beganAt: number, endedAt: number): ReadingContext => ({
  account: station.account,
  runId: walk.runId,
  basis: "listed",
  span: { beganAt, endedAt },
  settle: Duration.toMillis(station.adapter.settle)
})

/** One page, with when it was asked for and when it had come. */
const fetchPage = Effect.fnUntraced(function* (
  station: Station,
  port: ListPort,
  { sender }: Walk,
  cursor: string | undefined
) {
  const beganAt = yield* Clock.currentTimeMillis
  const page = yield* paced(
    station.adapter,
    "list",
    port.page({
      size: port.maxPage,
      ...(sender !== undefined && { sender: sender.address }),
      ...(cursor !== undefined && { cursor })
    })
  )
  return { page, beganAt, endedAt: yield* Clock.currentTimeMillis }
})

const readPages = Effect.fnUntraced(function* (station: Station, port: ListPort, begun: Walk, lane: Lane) {
  const { settings } = yield* Fleet
  const tokens = new Set<string>()
  let walk = begun
  let news = 0
  let problems = 0
  let barren = 0
  let fetched = yield* fetchPage(station, port, walk, walk.cursor)
  for (;;) {
    const { beganAt, endedAt, page } = fetched
    const next = page.next._tag === "More" ? page.next.cursor : undefined
    barren = page.readings.length + page.problems.length === 0 ? barren + 1 : 0
    const endless = next === undefined ? undefined : whyEndless(walk, next, tokens, barren)
    if (endless !== undefined) {
      return yield* new ProviderError({
        account: station.account.name,
        operation: "list",
        reason: new Unreadable({ mayHaveApplied: false }),
        detail: endless
      })
    }
    if (next !== undefined) tokens.add(next)
    const commit = commitPage(walk, lane, settings.leaseMs, contextFor(station, walk, beganAt, endedAt), {
      readings: page.readings,
      problems: page.problems.length > 0,
      next
    })
    // The next page is fetched while this one is stored. If that fails, however it fails, this one is stored all the same.
    const ahead = next === undefined ? Effect.undefined : Effect.exit(fetchPage(station, port, walk, next))
    const [committed, following] = yield* Effect.all([commit, ahead], { concurrency: 2 })
    for (const problem of page.problems) {
      yield* Effect.logWarning("a row of a list could not be understood", {
        account: station.account.name,
        page: walk.pages + 1,
        row: problem.row,
        reason: problem.reason
      })
    }
    walk = committed.walk
    news += committed.news
    problems += page.problems.length
    yield* report({ kind: "walk", account: station.account.name, done: walk.rows, unit: "rows" })
    if (following === undefined) return { walk, news, problems }
    fetched = yield* following
  }
})

/** An empty page may be followed by rows; a long run of them is a list that never ends. */
const mostBarren = 20

const whyEndless = (walk: Walk, next: string, tokens: ReadonlySet<string>, barren: number): string | undefined => {
  if (next === walk.cursor || tokens.has(next)) {
    return `the list runs in a circle: page ${walk.pages + 1} names a token that came before`
  }
  return barren < mostBarren ? undefined : `the list goes on without rows: ${barren} empty pages in a row`
}

/** What a finished walk says about pairs it did not show. */
const conclude = Effect.fnUntraced(function* (station: Station, port: ListPort, walk: Walk, lane: Lane) {
  const certain = { missed: false, halted: false, news: 0 }
  // A list with rows that nobody could read, or promised only in part, says nothing about absence.
  if (!walk.whole || port.coverage === "partial") return certain
  if (yield* sawAll(walk)) return certain
  if (!walk.marking) return { ...certain, missed: true }
  // Whoever took the lane over may be marking anew, and would make it seem that nobody had been seen.
  const missed = yield* whileHeld(lane, absences(walk))
  if (missed.once === 0 && missed.twice === 0) return certain
  if (yield* haltedBy(station, walk, missed)) return { ...certain, halted: true }
  const { settings } = yield* Fleet
  const address = (id: number) => station.account.senders.find((sender) => sender.id === id)?.address ?? everySender
  const context = contextFor(station, walk, walk.startedAt, yield* Clock.currentTimeMillis)
  let news = 0
  let after: Pair | undefined
  do {
    const page = { after, limit: settings.pageRows }
    const now = yield* Clock.currentTimeMillis
    const some = yield* commitAbsences(walk, lane, settings.leaseMs, context, page, address, now)
    news += some.news
    after = some.last
  } while (after !== undefined)
  return { missed: missed.once > 0, halted: false, news }
})

/** An empty list is far more often a fault than the truth; so is one that lost a large part. */
const emptiedFrom = 10
const believedForMs = 24 * 60 * 60_000

const haltedBy = Effect.fnUntraced(function* (station: Station, walk: Walk, missed: Absences) {
  const { settings } = yield* Fleet
  const gone = missed.once + missed.twice
  const limit = allowed(settings.guard.absences, missed.known)
  const emptied = walk.rows === 0 && missed.known >= emptiedFrom
  if (!emptied && gone <= limit) return false
  const kind = emptied ? "listing-emptied" : "listing-shrank"
  const now = yield* Clock.currentTimeMillis
  if (yield* clearedSince(station.account.id, kind, now - believedForMs)) return false
  const message = emptied
    ? `${station.account.name}: its list came back empty, and ${missed.known} opt-outs were known there. Nothing was concluded from it. If it is true: \`stopline resume --account ${station.account.name}\``
    : `${station.account.name}: ${gone} of ${missed.known} known opt-outs are missing from its list, over the limit of ${limit}. Nothing was concluded from it. If it is true: \`stopline resume --account ${station.account.name}\``
  const numbers = { missing: gone, known: missed.known, limit }
  const fresh = yield* raiseHalt({ accountId: station.account.id, kind, message, numbers, digest: null }, now)
  if (fresh) yield* Effect.logError(message, numbers)
  return true
})
