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
import type { Pair } from "./views.ts"
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

/** How many pairs, by what a finished marking walk makes of them. Pairs that changed since it began are left out: it cannot speak of them. */
export interface Absences {
  /** Held before, and not shown by this marking walk for the first time. */
  readonly once: number
  /** Held before, and shown neither by this walk nor by the finished marking walk before it. */
  readonly twice: number
  /** The provider was known to hold. */
  readonly known: number
}

/** Whether a view `v` was missed by a walk that marked what it saw, `s`. */
const missed = (walk: Walk) =>
  sql<boolean>`(v.intent is null and v.read_at < ${instant(walk.startedAt)} and s.key is null)`

/** Whether the walk before had missed it, too. The next walk may begin in the very millisecond in which the one before ended. */
const suspected = (walk: Walk) => sql<boolean>`coalesce(v.absent_at <= ${instant(walk.startedAt)}, false)`

const first: Pair = { senderId: 0, recipient: 0 }

/** Behind a pair. Of both tables, or each page would read all that was seen. */
const heldAndSeen = (walk: Walk, after = first) => sql`
  view v left join walk_seen s on s.key = ${walk.key} and s.sender_id = v.sender_id and s.recipient = v.recipient
    and (s.sender_id, s.recipient) > (${after.senderId}, ${after.recipient})
  where ${inScope(walk)} and v.held = 'opted-out' and (v.sender_id, v.recipient) > (${after.senderId}, ${after.recipient})`

/** What a finished marking walk did not show, counted: a list that came back empty may have held millions. */
export const absences = Effect.fn("Ledger.absences")(function* (
  walk: Walk
): Effect.fn.Return<Absences, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("absences", (db) =>
    sql<Absences>`
      select count(*) filter (where ${missed(walk)} and not ${suspected(walk)}) as once,
        count(*) filter (where ${missed(walk)} and ${suspected(walk)}) as twice, count(*) as known
      from ${heldAndSeen(walk)}`.execute(db)
  )
  return result.rows[0] ?? { once: 0, twice: 0, known: 0 }
})

/** Some of what a marking walk missed. */
export interface SomeAbsences {
  /** What was news of it. */
  readonly news: number
  /** Where to go on; absent: that was all. */
  readonly last: Pair | undefined
}

/** Stores some of what a marking walk missed: the first time as a suspicion, the second time as news. @param now at this page (ms) */
export const commitAbsences = Effect.fn("Ledger.commitAbsences")(function* (
  walk: Walk,
  lane: Lane,
  leaseMs: number,
  context: ReadingContext,
  page: { readonly after: Pair | undefined; readonly limit: number },
  address: (senderId: number) => SenderAddress | EverySender,
  now: number
): Effect.fn.Return<SomeAbsences, LedgerError, Connection> {
  const connection = yield* Connection
  const { after, limit } = page
  return yield* connection.transaction(
    "commit absences",
    Effect.gen(function* () {
      yield* lockHolding(walk.account.id, lane, now, leaseMs)
      const { rows } = yield* connection.query("commit absences", (db) =>
        sql<Pair & { readonly twice: boolean }>`
          select v.sender_id as "senderId", v.recipient, ${suspected(walk)} as twice from ${heldAndSeen(walk, after)}
            and ${missed(walk)}
          order by v.sender_id, v.recipient limit ${limit}`.execute(db)
      )
      const once = rows.filter(({ twice }) => !twice)
      yield* connection.query("commit absences", (db) =>
        sql`
          update view v set absent_at = ${instant(context.span.endedAt)}
          from unnest(${once.map((p) => p.senderId)}::int[], ${once.map((p) => p.recipient)}::bigint[]) as p(sender_id, recipient)
          where v.sender_id = p.sender_id and v.recipient = p.recipient and v.held = 'opted-out' and v.read_at < ${instant(walk.startedAt)}`.execute(
          db
        )
      )
      const twice = rows.filter((row) => row.twice)
      const news = yield* believeAbsent(context, twice, address)
      return { news: news.length, last: rows.length < limit ? undefined : rows.at(-1) }
    })
  )
})
