/**
 * One gate per credential and limit group, shared by all processes (L15): a
 * token bucket in a row. Tokens may go below zero; that is a reservation, and
 * the answer says how long to wait for it.
 */
import { Effect } from "effect"
import { type RawBuilder, sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"

export interface Bucket {
  readonly key: string
  /** Requests per window, wherever in time the window is laid. */
  readonly requests: number
  readonly windowMs: number
  /** How many may go at once after a pause; a quarter if it is left out. */
  readonly atOnce?: number
}

/**
 * A full bucket and what flows in while it is emptied must together stay within
 * the limit, in any window. So after some went at once the rest of the window is
 * spread, and whoever never pauses has the whole limit, one after another.
 */
export const flow = ({ atOnce: wished, requests, windowMs }: Bucket) => {
  const atOnce = Math.min(requests, Math.max(1, wished ?? Math.floor(requests / 4)))
  // What may have gathered in a short pause without being taken for going at once.
  const steady = Math.min(atOnce, Math.max(1, Math.floor(requests / 100)))
  // Not every request is under way for the same time: two windows apart here may be nearer there.
  const window = windowMs * 1.01
  return {
    atOnce,
    steady,
    window,
    spreadPerMs: (requests - atOnce + 1) / window,
    perMs: (requests - steady + 1) / window
  }
}

const msBetween = (from: RawBuilder<unknown>, until: RawBuilder<unknown>) =>
  sql`greatest(0, extract(epoch from ${until} - ${from}) * 1000)::float8`

/**
 * Clocks of processes differ, and what one has given out the other counts from there on. But one that was further ahead
 * than that was wrong: nothing would flow in until its time has come, and each request would owe a turn for ever longer.
 */
const mostAhead = sql`interval '1 minute'`

/** No penalty is longer than a day: one that ends later than that was begun by a clock that was far ahead. */
const longestPenaltyMs = 24 * 60 * 60_000 + 60_000

/** Until when the gate is shut. */
const shutUntil = (at: RawBuilder<unknown>, until: RawBuilder<unknown>) =>
  sql`case when ${until} <= ${at} + ${longestPenaltyMs}::float8 * interval '1 millisecond' then ${until} else '-infinity' end`

/**
 * Reserves so many requests, as if one after another. Returns how long each has to wait before it may be sent (ms).
 * During a penalty the turns are given out from its end on, one after another.
 */
export const reserve = Effect.fn("Ledger.reserve")(function* (
  bucket: Bucket,
  now: number,
  count = 1
): Effect.fn.Return<ReadonlyArray<number>, LedgerError, Connection> {
  const { query } = yield* Connection
  const { atOnce, perMs, spreadPerMs, steady, window } = flow(bucket)
  const at = sql`${instant(now)}::timestamptz`
  const spread = sql`${window}::float8 * interval '1 millisecond'`
  const result = yield* query("reserve", (db) =>
    sql<{ waits: ReadonlyArray<number> }>`
      insert into pace as p (key, tokens, refreshed_at, blocked_until, spread_until)
      values (${bucket.key}, ${atOnce - count}::float8, ${at}, '-infinity', case when ${atOnce > steady}::bool then ${at} + ${spread} else 'epoch' end)
      on conflict (key) do update set (tokens, refreshed_at, spread_until) = (
        select level - ${count}::float8, greatest(refreshed, turn), case when filled then turn + ${spread} else spread_end end
        from (select greatest(${at}, ${shutUntil(at, sql`p.blocked_until`)}) as turn) t
        cross join lateral (select case when p.refreshed_at > turn + ${mostAhead} then p.refreshed_at - turn else '0' end as ahead) a
        cross join lateral (select p.refreshed_at - ahead as refreshed, p.spread_until - ahead as spread_end) r
        cross join lateral (select ${msBetween(sql`turn`, sql`spread_end`)} as spread_left, p.tokens
          + ${spreadPerMs}::float8 * ${msBetween(sql`refreshed`, sql`least(turn, spread_end)`)}
          + ${perMs}::float8 * ${msBetween(sql`greatest(refreshed, spread_end)`, sql`turn`)} as flowed) f
        cross join lateral (select spread_left = 0 and flowed >= ${atOnce}::float8 and ${atOnce > steady}::bool as filled) l
        -- Only what was full lets some go at once, and the less the longer ago it was full.
        cross join lateral (select case when filled then ${atOnce}::float8 else least(flowed,
          ${steady}::float8 + ${atOnce - steady}::float8 * least(1, spread_left / ${window}::float8)) end as level) m)
      returning array(
        select (${msBetween(at, shutUntil(at, sql`blocked_until`))}
          + case when missing <= spread_left * ${spreadPerMs}::float8 then missing / ${spreadPerMs}::float8
            else spread_left + (missing - spread_left * ${spreadPerMs}::float8) / ${perMs}::float8 end)::float8
        from generate_series(${count}::int - 1, 0, -1) as behind
        cross join lateral (select greatest(0, -(tokens + behind)) as missing, ${msBetween(sql`refreshed_at`, sql`spread_until`)} as spread_left) m
        order by behind desc
      ) as waits`.execute(db)
  )
  return (result.rows[0]?.waits ?? []).map(Math.ceil)
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
  const left = row === undefined ? 0 : Math.max(0, row.blocked_until - now)
  return left <= longestPenaltyMs ? left : 0
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
        tokens = least(p.tokens, 0), blocked_until = greatest(${shutUntil(sql`${instant(now)}::timestamptz`, sql`p.blocked_until`)}, excluded.blocked_until)`.execute(
      db
    )
  )
})
