/**
 * When events of an account could be heard: a run of the kind `listen`, from the
 * first look that found everything in order to the last one. Between two of them
 * lies a time in which events may have been lost.
 */
import { Effect } from "effect"
import { type RawBuilder, sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"

export interface Hearing {
  readonly runId: number
  /** The subscription that the events came by. */
  readonly subscription: string
  /** The last moment of which it is known. */
  readonly until: number
}

/** A time in which events may have been lost. */
export interface Gap {
  readonly since: number
  readonly until: number
  /** When a walk through the whole list had ended that began after it. Absent: what was lost may still be. */
  readonly readAt: number | undefined
}

export const lastHearing = Effect.fn("Ledger.lastHearing")(function* (
  accountId: number
): Effect.fn.Return<Hearing | undefined, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("last hearing", (db) =>
    sql<{ runId: number; subscription: string; until: number }>`
      select id as "runId", counts->>'subscription' as subscription, ended_at as until
      from run where kind = 'listen' and account_id = ${accountId} order by id desc limit 1`.execute(db)
  )
  return result.rows[0]
})

/** Everything was in order at this moment, too. */
export const stillHeard = Effect.fn("Ledger.stillHeard")(function* (
  runId: number,
  at: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  yield* query("still heard", (db) =>
    sql`update run set ended_at = greatest(ended_at, ${instant(at)}::timestamptz) where id = ${runId}`.execute(db)
  )
})

/** When the last walk through the list of this account was begun, before a moment. */
export const walkedBefore = Effect.fn("Ledger.walkedBefore")(function* (
  accountId: number,
  at: number
): Effect.fn.Return<number | undefined, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("walked before", (db) =>
    sql<{
      at: number | null
    }>`select ${lastWalk(sql`${accountId}::int`, sql`${instant(at)}::timestamptz`)} as at`.execute(db)
  )
  return result.rows[0]?.at ?? undefined
})

const lastWalk = (accountId: RawBuilder<unknown>, before: RawBuilder<unknown>) =>
  sql`(select w.started_at from run w
    where w.account_id = ${accountId} and w.kind = 'walk' and w.started_at < ${before} order by w.started_at desc limit 1)`

/**
 * Of a time of listening `r`, in a window of those of its account: since when there was nobody who heard. Before the
 * first of all it is since the walk that had begun by then: to the rows that this one had read already things may have happened.
 */
export const deafSince = sql<number | null>`coalesce(
  lag(r.ended_at) over (order by r.id), ${lastWalk(sql`r.account_id`, sql`r.started_at`)})`

/** From this moment on events can be heard. */
export const beginHearing = Effect.fn("Ledger.beginHearing")(function* (
  hearing: { readonly accountId: number; readonly subscription: string; readonly startedBy: string },
  at: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  yield* query("begin hearing", (db) =>
    db
      .insertInto("run")
      .values({
        kind: "listen",
        account_id: hearing.accountId,
        started_by: hearing.startedBy,
        started_at: instant(at),
        ended_at: instant(at),
        outcome: "completed",
        unguarded: false,
        counts: JSON.stringify({ subscription: hearing.subscription })
      })
      .execute()
  )
})

/** The latest gaps of an account, latest first. */
export const gapsOf = Effect.fn("Ledger.gapsOf")(function* (
  accountId: number,
  atMost = 20
): Effect.fn.Return<ReadonlyArray<Gap>, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("gaps", (db) =>
    sql<{ since: number; until: number; readAt: number | null }>`
      select gap.since, gap.until, (
        -- The first that began is the first that ended, as they share a lane. To look at all since would take longer each day.
        select walk.ended_at from run walk
        where walk.account_id = ${accountId} and walk.kind = 'walk' and walk.outcome = 'completed'
          and walk.started_at >= gap.until
        order by walk.started_at limit 1
      ) as "readAt"
      from (
        select r.id, ${deafSince} as since, r.started_at as until
        from run r where r.kind = 'listen' and r.account_id = ${accountId}
      ) gap
      where gap.since is not null
      order by gap.id desc limit ${atMost}`.execute(db)
  )
  return result.rows.map(({ readAt, since, until }) => ({ since, until, readAt: readAt ?? undefined }))
})
