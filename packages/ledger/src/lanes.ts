/**
 * One writer per lane at a time (L12).
 *
 * A lane is claimed with a lease and an epoch. It can be taken over when the
 * lease has run out, or at once when the process that held it is gone: every
 * process keeps an advisory lock while it lives, so a killed one is seen to be
 * dead without waiting. Whoever has lost its own lock just now, to a restart of
 * Postgres perhaps, takes nobody for dead: the holder may live, with a request
 * on its way. Each write carries the epoch of its claim, so a frozen
 * holder that wakes up finds itself fenced out and can change nothing.
 *
 * Who waits for a lane says so, and whoever had it last lets them go first.
 */
import { Effect } from "effect"
import { type RawBuilder, sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import { LedgerError } from "./error.ts"
import { accountLock } from "./locks.ts"
import { freedChannel, sessionLocks } from "./session.ts"

export interface Lane {
  readonly key: string
  readonly epoch: number
}

/** Claims a lane. Undefined: somebody alive holds it, or it was ours last and another process waits for it. */
export const claimLane = Effect.fn("Ledger.claimLane")(function* (
  key: string,
  owner: string,
  now: number,
  leaseMs: number
): Effect.fn.Return<Lane | undefined, LedgerError, Connection> {
  const { certain, query, session } = yield* Connection
  const result = yield* query("claim lane", (db) =>
    sql<{ epoch: number }>`
      insert into lane (key, owner, session, epoch, lease_until)
      values (${key}, ${owner}, ${session}, 1, ${instant(now + leaseMs)})
      on conflict (key) do update
        set owner = excluded.owner, session = excluded.session, epoch = lane.epoch + 1, lease_until = excluded.lease_until,
          wanted_until = '-infinity'
        where not (lane.session = ${session} and lane.wanted_until > ${instant(now)})
          and (lane.lease_until < ${instant(now)} or ${certain()} and not exists (
            select from pg_locks l
            where l.locktype = 'advisory' and l.classid = ${sessionLocks} and l.objid = lane.session and l.objsubid = 2
              and l.database = (select oid from pg_database where datname = current_database())))
      returning epoch`.execute(db)
  )
  const epoch = result.rows[0]?.epoch
  return epoch === undefined ? undefined : { key, epoch }
})

/** Says that this process waits for a lane that another one has: from now until then that one, once it let go, claims it no more. */
export const wantLane = Effect.fn("Ledger.wantLane")(function* (
  key: string,
  until: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query, session } = yield* Connection
  yield* query("want lane", (db) =>
    db
      .updateTable("lane")
      .set({ wanted_until: instant(until) })
      .where("key", "=", key)
      .where("session", "!=", session)
      .execute()
  )
})

/**
 * Lets another claim it, and wakes whoever waits. A lane that was lost meanwhile
 * stays with who has it. Nothing waits for the disk here: a release that is lost
 * with the database is made up for by the end of every session.
 */
export const releaseLane = Effect.fn("Ledger.releaseLane")(function* (
  lane: Lane
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  yield* query("release lane", (db) =>
    sql`
      with released as (
        update lane set lease_until = '-infinity' where key = ${lane.key} and epoch = ${lane.epoch} returning key)
      select set_config('synchronous_commit', 'off', true), pg_notify(${freedChannel}, key) from released`.execute(db)
  )
})

/**
 * To be called in the transaction of every write on a lane: prolongs the lease,
 * keeps others from claiming until the commit, and fails `fenced` when the lane is lost.
 */
export const holdLane = Effect.fn("Ledger.holdLane")(function* (
  lane: Lane,
  now: number,
  leaseMs: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  const held = yield* query("hold lane", (db) => holding(lane, now, leaseMs).execute(db))
  if (held.rows.length === 0) return yield* fenced(lane)
})

/** Fails `fenced`: the lane is with another process. */
export const fenced = (lane: Lane): LedgerError =>
  new LedgerError({
    kind: "fenced",
    operation: "hold lane",
    detail: `${lane.key} has been taken over by another process`
  })

/** Both at once: the account's write lock for this transaction, and `holdLane`. */
export const lockHolding = Effect.fn("Ledger.lockHolding")(function* (
  accountId: number,
  lane: Lane,
  now: number,
  leaseMs: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("hold lane", (db) =>
    sql<{ held: number }>`
      with held as (${holding(lane, now, leaseMs)})
      select ${accountLock(accountId)}, (select count(*) from held) as held`.execute(db)
  )
  if (result.rows[0]?.held !== 1) return yield* fenced(lane)
})

/** The lane, if it is still ours and the condition holds; its lease is prolonged. */
export const holding = (lane: Lane, now: number, leaseMs: number, condition: RawBuilder<unknown> = sql`true`) => sql`
  update lane set lease_until = ${instant(now + leaseMs)}
  where key = ${lane.key} and epoch = ${lane.epoch} and lease_until > '-infinity' and ${condition}
  returning 1`

/** Who holds a lane, for a message to a person. */
export const laneOwner = Effect.fn("Ledger.laneOwner")(function* (
  key: string
): Effect.fn.Return<string | undefined, LedgerError, Connection> {
  const { query } = yield* Connection
  const row = yield* query("lane owner", (db) =>
    db.selectFrom("lane").select("owner").where("key", "=", key).executeTakeFirst()
  )
  return row?.owner
})
