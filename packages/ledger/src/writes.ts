/**
 * What we are about to make a provider hold, and what came of it.
 *
 * The intent is committed before the request leaves (L7), and with it the
 * decision is made once more: what no longer must be is not written. The outcome
 * is committed before any error is raised (L9).
 */
import type { ConsentState, OptInPolicy } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { type Lane, lockHolding } from "./lanes.ts"
import { lockAccount } from "./locks.ts"
import { inDoubt, isPolicy, mustBeOut, optInSinceJoining, silencedBefore } from "./must.ts"
import type { RegisteredSender } from "./registry.ts"
import { settle } from "./settle.ts"

export interface WriteContext {
  readonly lane: Lane
  readonly leaseMs: number
  readonly sender: RegisteredSender
  readonly state: ConsentState
  readonly policy: OptInPolicy
}

/** Those of the recipients who must be so at the sender, as a standing `st` each. */
const wanted = ({ policy, sender, state }: WriteContext, recipients: ReadonlyArray<number>) => sql`
  (select recipient, ${sender.id}::int as sender_id, ${sender.groupId}::int as group_id
    from unnest(${recipients}::bigint[]) as recipient) as w
  join standing st on st.group_id = w.group_id and st.recipient = w.recipient
  left join opt_in o on o.sender_id = w.sender_id and o.recipient = st.recipient
  where ${mustBeOut(policy)} = ${state === "opted-out"} ${state === "opted-out" ? sql`` : sql`and ${mayLetIn(policy)}`}`

/**
 * Whether a sender `w` may let somebody through: it speaks for that group and the policy is that one to this day, whatever
 * this process was started with, and no group that it once spoke for was told to stop (L3).
 */
const mayLetIn = (policy: OptInPolicy) => sql`
  exists (select from sender s where s.id = w.sender_id and s.group_id = w.group_id and s.active)
  and ${isPolicy(policy)} and not ${silencedBefore(sql`w.recipient`, optInSinceJoining[policy])}`

/** The recipients that a statement returned, in the order in which it was asked for them. */
const among = (
  recipients: ReadonlyArray<number>,
  rows: ReadonlyArray<{ readonly recipient: number }>
): ReadonlyArray<number> => {
  const returned = new Set(rows.map((row) => row.recipient))
  return recipients.filter((recipient) => returned.has(recipient))
}

/** Whether a write is the last one tried again. One that was done, and undone by somebody, is followed by another. */
const again = sql`coalesce(v.written = excluded.intent and v.read_at < v.written_at, false)`

/**
 * Commits the intent to write these pairs, after taking over what a process that
 * died has left behind on the lane. Returns those that still must be written, in the order given.
 */
export const beginWrites = Effect.fn("Ledger.beginWrites")(function* (
  context: WriteContext,
  recipients: ReadonlyArray<number>,
  now: number
): Effect.fn.Return<ReadonlyArray<number>, LedgerError, Connection> {
  const connection = yield* Connection
  const { sender, state } = context
  return yield* connection.transaction(
    "begin writes",
    Effect.gen(function* () {
      yield* lockHolding(sender.accountId, context.lane, now, context.leaseMs)
      yield* adoptAll(sender, now)
      const result = yield* connection.query("begin writes", (db) =>
        sql<{ recipient: number }>`
          insert into view as v (sender_id, recipient, read_at, asked_at, intent, written_begun_at, echo_due)
          select ${sender.id}::int, st.recipient, '-infinity', ${instant(now)}::timestamptz, ${state}::consent_state, ${instant(now)}::timestamptz, true
          from ${wanted(context, recipients)}
          on conflict (sender_id, recipient) do update
            set intent = excluded.intent, asked_at = greatest(v.asked_at, excluded.asked_at), echo_due = true,
              -- A write that is tried again began with its first try, whose echo may still be on its way.
              written_begun_at = case when v.echo_due and ${again}
                then coalesce(v.written_begun_at, excluded.written_begun_at) else excluded.written_begun_at end,
              -- Another one, whose echo has not come yet, may still be heard of.
              overwritten = case when ${again} then v.overwritten when v.echo_due then v.written end,
              overwritten_begun_at = case when ${again} then v.overwritten_begun_at
                when v.echo_due then coalesce(v.written_begun_at, v.written_at) end,
              overwritten_at = case when ${again} then v.overwritten_at when v.echo_due then v.written_at end
            where v.held is distinct from excluded.intent or ${inDoubt}
          returning v.recipient`.execute(db)
      )
      connection.wrote(result.rows.length)
      return among(recipients, result.rows)
    })
  )
})

/**
 * Those whose write was begun and who still must be so, in the order given: between
 * its beginning and its request lies the wait for a turn, and what was said meanwhile counts.
 */
export const stillWanted = Effect.fn("Ledger.stillWanted")(function* (
  context: WriteContext,
  recipients: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<number>, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("still wanted", (db) =>
    sql<{ recipient: number }>`select st.recipient from ${wanted(context, recipients)}`.execute(db)
  )
  return among(recipients, result.rows)
})

/**
 * A try that may have been done is about to be followed by another: the provider
 * may tell of both, so the echo of the second is due although that of the first
 * may have come already.
 */
export const expectEcho = Effect.fn("Ledger.expectEcho")(function* (
  context: WriteContext,
  recipients: ReadonlyArray<number>,
  now: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const connection = yield* Connection
  const { lane, leaseMs, sender, state } = context
  yield* connection.transaction(
    "expect echo",
    Effect.gen(function* () {
      yield* lockHolding(sender.accountId, lane, now, leaseMs)
      yield* connection.query("expect echo", (db) =>
        sql`
          update view set echo_due = true
          where sender_id = ${sender.id} and recipient = any(${recipients}::bigint[]) and intent = ${state}`.execute(db)
      )
    })
  )
})

export type Outcome =
  | { readonly _tag: "Held"; readonly recipient: number }
  | { readonly _tag: "Retryable"; readonly recipient: number; readonly mayHaveApplied: boolean }
  | { readonly _tag: "Rejected"; readonly recipient: number; readonly detail: string }

/** How long a recipient that a provider refused is left alone before it is tried again (ms). */
const refusedForMs = 24 * 60 * 60 * 1000

/** Commits what came of a write, and settles the standings that are now held everywhere. */
export const endWrites = Effect.fn("Ledger.endWrites")(function* (
  context: WriteContext,
  outcomes: ReadonlyArray<Outcome>,
  now: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const connection = yield* Connection
  const { sender, state } = context
  const column = <A>(pick: (outcome: Outcome) => A) => outcomes.map(pick)
  // Whether the last write that was done is again the one that was to be overwritten.
  const stands = sql`coalesce(excluded.written is null and v.overwritten_at = v.written_at, false)`
  // Whether it was the last write tried again, which may have been done and was not heard of yet when this began.
  const dueBefore = sql`coalesce(v.written = ${state}::consent_state and v.written_begun_at <= v.written_at, false)`
  yield* connection.transaction(
    "end writes",
    Effect.gen(function* () {
      yield* lockHolding(sender.accountId, context.lane, now, context.leaseMs)
      yield* connection.query("end writes", (db) =>
        // Every pair is there since the intent was. As an upsert it is found by its key, whatever the statistics say of
        // a sender that had nobody a minute ago; an update would read all that the sender holds.
        sql`
          insert into view as v (sender_id, recipient, read_at, asked_at, held, written, echo_due, refused)
          select ${sender.id}::int, w.recipient, ${instant(now)}::timestamptz, ${instant(now)}::timestamptz,
            case when w.held then ${state}::consent_state end, case when w.applied then ${state}::consent_state end, w.applied, w.refused
          from unnest(
            ${column((o) => o.recipient)}::bigint[],
            ${column((o) => o._tag === "Held")}::bool[],
            ${column((o) => o._tag === "Held" || (o._tag === "Retryable" && o.mayHaveApplied))}::bool[],
            ${column((o) => (o._tag === "Rejected" ? o.detail : null))}::text[]
          ) as w(recipient, held, applied, refused)
          on conflict (sender_id, recipient) do update set
            intent = null,
            held = coalesce(excluded.held, v.held),
            read_at = case when excluded.held is not null then excluded.read_at else v.read_at end,
            lifted_at = case when excluded.held is null then v.lifted_at end,
            -- An opt-in that was heard of since the write began may have come after it, and before its answer.
            doubted_at = case when excluded.held is null or (excluded.held = 'opted-out' and v.doubted_at >= v.written_begun_at)
              then v.doubted_at end,
            absent_at = case when excluded.held is null then v.absent_at end,
            written = coalesce(excluded.written, v.written),
            written_at = case when excluded.written is not null then excluded.read_at else v.written_at end,
            -- One that was not done was none: the write before it stands, and its echo may still come.
            written_begun_at = case when excluded.written is not null then v.written_begun_at
              when ${stands} then v.overwritten_begun_at else least(v.written_begun_at, v.written_at) end,
            echo_due = ${stands} or v.echo_due and (excluded.echo_due or ${dueBefore}),
            overwritten = case when not ${stands} then v.overwritten end,
            overwritten_begun_at = case when not ${stands} then v.overwritten_begun_at end,
            overwritten_at = case when not ${stands} then v.overwritten_at end,
            refused = excluded.refused,
            refused_state = case when excluded.refused is not null then ${state}::consent_state end,
            refused_until = case when excluded.refused is not null then ${instant(now + refusedForMs)}::timestamptz end`.execute(
          db
        )
      )
      yield* settle(
        sender.id,
        column((o) => o.recipient),
        context.policy
      )
    })
  )
})

/**
 * Intents that no living writer stands behind: their request may have been done
 * or not. What was held before stays, so they are planned again; reads and
 * echoes are judged as if the write had just ended.
 *
 * To be called right after the lane of the sender was claimed, when nobody else can have one open.
 */
export const adoptOrphans = Effect.fn("Ledger.adoptOrphans")(function* (
  sender: RegisteredSender,
  now: number
): Effect.fn.Return<number, LedgerError, Connection> {
  const connection = yield* Connection
  return yield* connection.transaction(
    "adopt orphans",
    Effect.gen(function* () {
      yield* lockAccount(sender.accountId)
      return yield* adoptAll(sender, now)
    })
  )
})

const adoptAll = Effect.fnUntraced(function* (sender: RegisteredSender, now: number) {
  const { query } = yield* Connection
  const result = yield* query("adopt orphans", (db) =>
    sql`
      update view set written = intent, written_at = ${instant(now)}, intent = null
      where sender_id = ${sender.id} and intent is not null`.execute(db)
  )
  return Number(result.numAffectedRows ?? 0n)
})

/** Of these senders, those with a write that has no outcome yet, by id: on its way, or left behind by a process that died. */
export const openIntents = Effect.fn("Ledger.openIntents")(function* (
  senders: ReadonlyArray<RegisteredSender>
): Effect.fn.Return<ReadonlyArray<number>, LedgerError, Connection> {
  const { query } = yield* Connection
  const ids = senders.map((sender) => sender.id)
  const result = yield* query("open intents", (db) =>
    sql<{ id: number }>`
      select id from unnest(${ids}::int[]) as id
      where exists (select from view where sender_id = id and intent is not null)`.execute(db)
  )
  return result.rows.map((row) => row.id)
})
