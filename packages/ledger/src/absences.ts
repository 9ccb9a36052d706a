/**
 * What a finished walk did not show. A count and a hash of all pairs seen are set
 * against those of the views, so a list that has not changed costs no row; only
 * what two marking walks miss is believed gone.
 */
import type { EverySender, SenderAddress } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { type Lane, lockHolding } from "./lanes.ts"
import { believeAbsent, type ReadingContext } from "./readings.ts"
import { type PairView, toView, viewColumns, type ViewRow } from "./views.ts"
import { pairHash, type Walk } from "./walks.ts"

/** The pairs a walk speaks of: those of its sender, or of every sender of the account. */
const inScope = (walk: Walk) =>
  walk.sender === undefined
    ? sql`v.sender_id in (select id from sender where account_id = ${walk.account.id})`
    : sql`v.sender_id = ${walk.sender.id}`

/** Whether a finished walk saw exactly the pairs that its provider was known to hold. */
export const sawAll = Effect.fn("Ledger.sawAll")(function* (
  walk: Walk
): Effect.fn.Return<boolean, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("saw all", (db) =>
    sql<{ same: boolean }>`
      select w.seen_count = k.count and w.seen_hash = k.hash as same
      from walk w, (
        select count(*) as count, coalesce(bit_xor(${pairHash(sql`v.recipient`, sql`v.sender_id`)}), 0) as hash
        from view v where ${inScope(walk)} and v.held = 'opted-out') k
      where w.key = ${walk.key}`.execute(db)
  )
  return result.rows[0]?.same === true
})

export interface Absences {
  /** Held before, and not shown by this marking walk for the first time. */
  readonly once: ReadonlyArray<PairView>
  /** Held before, and shown neither by this walk nor by the finished marking walk before it. */
  readonly twice: ReadonlyArray<PairView>
  /** Pairs the provider was known to hold. */
  readonly known: number
}

/** What a finished marking walk did not show. Pairs that changed since it began are left out: it cannot speak of them. */
export const absences = Effect.fn("Ledger.absences")(function* (
  walk: Walk
): Effect.fn.Return<Absences, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("absences", (db) =>
    sql<ViewRow>`
      select ${viewColumns}
      from view v
      where ${inScope(walk)} and v.held = 'opted-out' and v.intent is null and v.read_at < ${instant(walk.startedAt)}
        and not exists (select from walk_seen s where s.key = ${walk.key} and s.sender_id = v.sender_id and s.recipient = v.recipient)
      order by v.sender_id, v.recipient`.execute(db)
  )
  const known = yield* query("absences", (db) =>
    sql<{
      count: number
    }>`select count(*) as count from view v where ${inScope(walk)} and v.held = 'opted-out'`.execute(db)
  )
  const pairs = result.rows.map(toView)
  // The next walk may begin in the very millisecond in which the one before ended.
  const suspected = (pair: PairView) => pair.absentAt !== undefined && pair.absentAt <= walk.startedAt
  return {
    once: pairs.filter((pair) => !suspected(pair)),
    twice: pairs.filter(suspected),
    known: known.rows[0]?.count ?? 0
  }
})

/** Stores what a marking walk missed: the first time as a suspicion, the second time as news. */
export const commitAbsences = Effect.fn("Ledger.commitAbsences")(function* (
  walk: Walk,
  lane: Lane,
  leaseMs: number,
  context: ReadingContext,
  missed: Absences,
  address: (senderId: number) => SenderAddress | EverySender
): Effect.fn.Return<number, LedgerError, Connection> {
  const connection = yield* Connection
  const now = context.span.endedAt
  return yield* connection.transaction(
    "commit absences",
    Effect.gen(function* () {
      yield* lockHolding(walk.account.id, lane, now, leaseMs)
      yield* connection.query("commit absences", (db) =>
        sql`
          update view v set absent_at = ${instant(now)}
          from unnest(${missed.once.map((p) => p.senderId)}::int[], ${missed.once.map((p) => p.recipient)}::bigint[]) as p(sender_id, recipient)
          where v.sender_id = p.sender_id and v.recipient = p.recipient and v.held = 'opted-out' and v.read_at < ${instant(walk.startedAt)}`.execute(
          db
        )
      )
      const news = yield* believeAbsent(context, missed.twice, address)
      return news.length
    })
  )
})
