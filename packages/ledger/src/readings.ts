/**
 * What a provider answered when it was read, set against what it was known to
 * hold. A difference is an observation; the rest is not news (design of views:
 * @stopline/consent view.ts).
 */
import type { Basis, Observation, Reading, Recipient } from "@stopline/consent"
import { toldOf, View } from "@stopline/consent"
import { Effect } from "effect"
import { digits, toRecipient } from "./codec.ts"
import { sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { append, type Append, type Recorded } from "./fold.ts"
import { lockAccount } from "./locks.ts"
import { type RegisteredAccount, type RegisteredSender, senderId } from "./registry.ts"
import { loadViews, type Pair, pairKey, type PairView, saveViews } from "./views.ts"

export interface ReadingContext {
  readonly account: RegisteredAccount
  readonly runId: number
  readonly basis: Extract<Basis, "listed" | "checked">
  readonly span: View.Span
  /** How long after a write of ours the provider may answer from an older copy (ms). */
  readonly settle: number
}

export interface Compared {
  /** Every pair that was read as opted out, once. */
  readonly optedOut: ReadonlyArray<Pair>
  readonly recorded: ReadonlyArray<Recorded>
  /** Pairs whose view was stored. */
  readonly stored: ReadonlyArray<Pair>
  /** Readings that could not be judged, because a write of ours was on its way or just done. */
  readonly undecided: number
}

/**
 * Judges readings and stores what follows. To be called inside a transaction
 * that holds the account's lock.
 */
export const compare = Effect.fn("Ledger.compare")(function* (
  context: ReadingContext,
  readings: ReadonlyArray<Reading>
): Effect.fn.Return<Compared, LedgerError, Connection> {
  const wanted = yield* distinct(context.account, readings)
  const known = yield* loadViews([...wanted.values()])
  const views: Array<PairView> = []
  const facts: Array<Append> = []
  let undecided = 0
  for (const [key, { reading, ...pair }] of wanted) {
    const before = known.get(key)
    const meeting = View.meetReading(before?.view, reading.state, reading.at, context.span, context.settle)
    if (meeting._tag === "Undecided") {
      undecided += 1
      continue
    }
    if (meeting._tag === "News") {
      views.push({ ...pair, view: meeting.view })
      facts.push({ senderId: pair.senderId, observation: observe(context, reading, meeting.time) })
      continue
    }
    // A walk that finds what was known writes no row; a check does, since the stalest pair is asked first.
    const reappeared = before?.absentAt !== undefined
    const doubted = before !== undefined && View.isInDoubt(before.view)
    const firstSight = before?.view.held === undefined
    if (meeting.view !== undefined && (context.basis === "checked" || reappeared || doubted || firstSight)) {
      views.push({ ...pair, view: meeting.view })
    }
  }
  yield* saveViews(views)
  const recorded = yield* append(context.account.id, context.runId, context.span.endedAt, facts)
  const optedOut = [...wanted.values()].filter(({ reading }) => reading.state === "opted-out")
  return { optedOut, recorded, stored: views, undecided }
})

/** The readings by pair. When a page shows a pair twice the opt-out counts: which is the later nobody knows (L4). */
const distinct = Effect.fnUntraced(function* (account: RegisteredAccount, readings: ReadonlyArray<Reading>) {
  const ids = new Map<string, number>()
  const byPair = new Map<string, Pair & { readonly reading: Reading }>()
  for (const reading of readings) {
    const id = ids.get(reading.sender) ?? (yield* senderId(account, reading.sender))
    ids.set(reading.sender, id)
    const pair = { senderId: id, recipient: digits(reading.recipient) }
    const key = pairKey(pair)
    if (byPair.get(key)?.reading.state !== "opted-out") byPair.set(key, { ...pair, reading })
  }
  return byPair
})

const observe = (context: ReadingContext, reading: Reading, time: Observation["time"]): Observation => ({
  account: context.account.name,
  sender: reading.sender,
  recipient: reading.recipient,
  state: reading.state,
  origin: reading.origin,
  basis: context.basis,
  time: toldOf(reading.state, time, context.span.endedAt),
  reach: "pair",
  key: null,
  evidence: {}
})

/**
 * Pairs that a second finished walk did not show: the provider no longer blocks
 * them. That is news about the provider, and never an opt-in by itself (L3). To be
 * called inside a transaction that holds the account's lock.
 */
export const believeAbsent = Effect.fn("Ledger.believeAbsent")(function* (
  context: ReadingContext,
  absent: ReadonlyArray<Pair>,
  address: (senderId: number) => Reading["sender"]
): Effect.fn.Return<ReadonlyArray<Recorded>, LedgerError, Connection> {
  // Since they were missed somebody may have spoken, or we have written.
  const known = yield* loadViews(absent)
  const views: Array<PairView> = []
  const facts: Array<Append> = []
  for (const pair of absent) {
    const { recipient, senderId } = pair
    const { view } = known.get(pairKey(pair)) ?? {}
    const meeting = View.meetReading(view, "opted-in", undefined, context.span, context.settle)
    if (meeting._tag !== "News") continue
    const reading: Reading = {
      sender: address(senderId),
      recipient: toRecipient(recipient),
      state: "opted-in",
      origin: "unknown"
    }
    views.push({ senderId, recipient, view: meeting.view })
    facts.push({ senderId, observation: observe(context, reading, meeting.time) })
  }
  yield* saveViews(views)
  return yield* append(context.account.id, context.runId, context.span.endedAt, facts)
})

/**
 * Stores the answers to one check. Recipients that got no answer stay as they
 * were, never "not opted out" (L5), and go to the end of the queue.
 */
export const commitCheck = Effect.fn("Ledger.commitCheck")(function* (
  context: ReadingContext,
  sender: RegisteredSender,
  readings: ReadonlyArray<Reading>,
  unanswered: ReadonlyArray<Recipient>
): Effect.fn.Return<Compared, LedgerError, Connection> {
  const connection = yield* Connection
  return yield* connection.transaction(
    "commit check",
    Effect.gen(function* () {
      yield* lockAccount(context.account.id)
      const compared = yield* compare(context, readings)
      // A view that was stored says by itself that it was asked for.
      const stored = new Set(compared.stored.map((pair) => pair.recipient))
      const asked = [...unanswered, ...readings.map((reading) => reading.recipient)]
        .map(digits)
        .filter((recipient) => !stored.has(recipient))
      if (asked.length === 0) return compared
      yield* connection.query("commit check", (db) =>
        sql`
          insert into view as v (sender_id, recipient, read_at, asked_at)
          select distinct ${sender.id}::int, p.recipient, '-infinity'::timestamptz, ${instant(context.span.beganAt)}::timestamptz
          from unnest(${asked}::bigint[]) as p(recipient)
          on conflict (sender_id, recipient) do update set asked_at = greatest(v.asked_at, excluded.asked_at)`.execute(
          db
        )
      )
      return compared
    })
  )
})
