/**
 * One gate per credential and limit group, shared by all processes (L15): a
 * token bucket in a row. Tokens may go below zero; that is a reservation, and
 * the answer says how long to wait for it.
 */
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"

export interface Bucket {
  readonly key: string
  /** Requests per window, wherever in time the window is laid. */
  readonly requests: number
  readonly windowMs: number
  /** How many may go at once; a quarter if it is left out. */
  readonly atOnce?: number
}

/**
 * A full bucket and what flows in while it is emptied must together stay within
 * the limit, in any window. So some may go at once, and the rest is spread.
 */
export const flow = ({ atOnce: wished, requests, windowMs }: Bucket) => {
  const atOnce = Math.min(requests, Math.max(1, wished ?? Math.floor(requests / 4)))
  return { atOnce, perMs: (requests - atOnce + 1) / windowMs }
}

/**
 * Reserves one request. Returns how long to wait before it may be sent (ms).
 * During a penalty the turns are given out from its end on, one after another.
 */
export const reserve = Effect.fn("Ledger.reserve")(function* (
  bucket: Bucket,
  now: number
): Effect.fn.Return<number, LedgerError, Connection> {
  const { query } = yield* Connection
  const { atOnce, perMs } = flow(bucket)
  const at = sql`${instant(now)}::timestamptz`
  const result = yield* query("reserve", (db) =>
    sql<{ wait: number }>`
      insert into pace as p (key, tokens, refreshed_at, blocked_until)
      values (${bucket.key}, ${atOnce - 1}, ${at}, '-infinity')
      on conflict (key) do update set
        tokens = least(
          ${atOnce}::float8,
          p.tokens + greatest(0, extract(epoch from greatest(${at}, p.blocked_until) - p.refreshed_at) * 1000) * ${perMs}::float8
        ) - 1,
        refreshed_at = greatest(p.refreshed_at, ${at}, p.blocked_until)
      returning (
        greatest(0, -tokens / ${perMs}::float8)
        + case when blocked_until > ${at} then extract(epoch from blocked_until - ${at}) * 1000 else 0 end
      )::float8 as wait`.execute(db)
  )
  return Math.ceil(result.rows[0]?.wait ?? 0)
})

/** Whether the gate is shut at this moment, and for how long (ms). To be asked again after waiting: a penalty may have begun meanwhile. */
export const blockedFor = Effect.fn("Ledger.blockedFor")(function* (
  key: string,
  now: number
): Effect.fn.Return<number, LedgerError, Connection> {
  const { query } = yield* Connection
  const row = yield* query("blocked for", (db) =>
    db.selectFrom("pace").select("blocked_until").where("key", "=", key).executeTakeFirst()
  )
  return row === undefined ? 0 : Math.max(0, row.blocked_until - now)
})

/** Shuts the gate for everybody until a moment: nothing is sent during a penalty. */
export const block = Effect.fn("Ledger.block")(function* (
  bucket: Bucket,
  until: number,
  now: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  yield* query("block", (db) =>
    sql`
      insert into pace as p (key, tokens, refreshed_at, blocked_until)
      values (${bucket.key}, 0, ${instant(now)}, ${instant(until)})
      on conflict (key) do update set
        tokens = least(p.tokens, 0), blocked_until = greatest(p.blocked_until, excluded.blocked_until)`.execute(db)
  )
})
