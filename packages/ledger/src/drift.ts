/**
 * Where what must be and what is known to be held differ. Read from the
 * standings that are not settled, so it costs what differs, not what exists.
 */
import { bases, type Basis, type ConsentState, isPersonal, type OptInPolicy } from "@stopline/consent"
import { Effect } from "effect"
import { type RawBuilder, sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import {
  because,
  differs,
  heldForAll,
  inDoubt,
  mustBeOut,
  optInAt,
  optInSinceJoining,
  silencedBefore,
  wasLifted,
  wasRefused
} from "./must.ts"
import type { RegisteredAccount, RegisteredSender } from "./registry.ts"

export interface Difference {
  readonly recipient: number
  readonly must: ConsentState
  readonly held: ConsentState | undefined
  readonly liftedAt: number | undefined
  /** When the recipient last opted out, as it counts (ms). */
  readonly outAt: number | undefined
  readonly intent: ConsentState | undefined
  readonly refused: string | undefined
  readonly refusedUntil: number | undefined
  /** The observation that decides, and how it was learnt. */
  readonly because: number | undefined
  readonly basis: Basis | undefined
  /** A person said it themselves and has not taken it back, whatever else was read since. */
  readonly inOwnWords: boolean
  /** It was found by a run whose findings need no guard. */
  readonly unguarded: boolean
  /** The provider blocks for every sender of the account whom this one must not block. */
  readonly heldForAll: boolean
  /** An opt-out of another group that the sender once spoke for still stands: moving a sender opts nobody back in (L3). */
  readonly silencedBefore: boolean
}

type Row = {
  [K in keyof Difference]: undefined extends Difference[K] ? Exclude<Difference[K], undefined> | null : Difference[K]
}

const personal = bases.filter(isPersonal)

/** A sender, and the recipient after which to go on (0: from the first). */
export interface Cursor {
  readonly account: RegisteredAccount
  readonly sender: RegisteredSender
  readonly after: number
}

/** Some of the differences of each sender, by its id. */
export type Differing = Effect.Effect<ReadonlyMap<number, ReadonlyArray<Difference>>, LedgerError, Connection>

/** The next differences of each of these senders, at most `limit` of each, in order of recipient. @param only those of these recipients */
export const differences = (
  cursors: ReadonlyArray<Cursor>,
  policy: OptInPolicy,
  limit: number,
  only?: ReadonlyArray<number>
): Differing =>
  differing(cursors, policy, limit, only === undefined ? sql`true` : sql`st.recipient = any(${only}::bigint[])`)

/** Of these differences the blocks that a provider lifted, and that are to be put back. */
export const liftedBlocks = (cursors: ReadonlyArray<Cursor>, policy: OptInPolicy, limit: number): Differing =>
  differing(cursors, policy, limit, sql`${wasLifted} and ${mustBeOut(policy)}`)

const differing = Effect.fn("Ledger.differences")(function* (
  cursors: ReadonlyArray<Cursor>,
  policy: OptInPolicy,
  limit: number,
  which: RawBuilder<unknown>
): Effect.fn.Return<ReadonlyMap<number, ReadonlyArray<Difference>>, LedgerError, Connection> {
  const { query } = yield* Connection
  const column = (pick: (cursor: Cursor) => number | null) => cursors.map(pick)
  const must = sql`case when ${mustBeOut(policy)} then 'opted-out' else 'opted-in' end`
  const result = yield* query("differences", (db) =>
    sql<Row & { readonly senderId: number }>`
      select w.sender_id as "senderId", d.*, ob.basis, coalesce(r.unguarded, false) as unguarded,
        d.must = 'opted-out' and coalesce(ob.personal, false) as "inOwnWords",
        d.must = 'opted-in' and ${silencedBefore(sql`d.recipient`, sql`d."optInSinceJoining"`)} as "silencedBefore",
        d.must = 'opted-in' and ${heldForAll(sql`d.recipient`)} as "heldForAll"
      from unnest(
        ${column((one) => one.sender.id)}::int[],
        ${column((one) => one.sender.groupId)}::int[],
        ${column((one) => one.account.every.id)}::int[],
        ${column((one) => one.after)}::bigint[]
      ) as w(sender_id, group_id, every_id, after)
      cross join lateral (select array(select m.sender_id from membership m where m.group_id = w.group_id) as members offset 0) g
      cross join lateral (
        select st.recipient,
          ${must} as must,
          case when not ${inDoubt} then v.held end as held, v.lifted_at as "liftedAt", st.out_at as "outAt", v.intent,
          case when ${wasRefused(must)} then v.refused end as refused, v.refused_until as "refusedUntil",
          ${because(policy)} as because, ${optInAt[policy]} as "optInAt",
          ${optInSinceJoining[policy]} as "optInSinceJoining"
        from standing st
        left join view v on v.sender_id = w.sender_id and v.recipient = st.recipient and v.recipient > w.after
        left join opt_in o on o.sender_id = w.sender_id and o.recipient = st.recipient
        where st.group_id = w.group_id and not st.settled and st.recipient > w.after
          and ${which} and ${differs(policy)}
        order by st.recipient
        limit ${limit}
      ) d
      -- All that was said of a person, once. Joined, the whole table would be read for each page as soon as it seems small enough.
      cross join lateral (
        select max(p.basis) filter (where p.id = d.because) as basis, max(p.run_id) filter (where p.id = d.because) as run_id,
          bool_or(p.state = 'opted-out' and p.basis = any(${personal}::basis[]) and p.sender_id = any(g.members)
            and not coalesce(d."optInAt" > p.not_after, false)) as personal
        from observation p where p.recipient = d.recipient
      ) ob
      left join run r on r.id = ob.run_id
      order by w.sender_id, d.recipient`.execute(db)
  )
  const bySender = new Map<number, Array<Difference>>(cursors.map(({ sender }) => [sender.id, []]))
  for (const row of result.rows) bySender.get(row.senderId)?.push(toDifference(row))
  return bySender
})

const toDifference = (row: Row): Difference => ({
  recipient: row.recipient,
  must: row.must,
  held: row.held ?? undefined,
  liftedAt: row.liftedAt ?? undefined,
  outAt: row.outAt ?? undefined,
  intent: row.intent ?? undefined,
  refused: row.refused ?? undefined,
  refusedUntil: row.refusedUntil ?? undefined,
  because: row.because ?? undefined,
  basis: row.basis ?? undefined,
  inOwnWords: row.inOwnWords,
  unguarded: row.unguarded,
  heldForAll: row.heldForAll,
  silencedBefore: row.silencedBefore
})

/** Pairs of an account of which anything is known: what shares are shares of. */
export const population = Effect.fn("Ledger.population")(function* (
  account: RegisteredAccount
): Effect.fn.Return<number, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("population", (db) =>
    sql<{ count: number }>`
      select count(*) as count from view v join sender s on s.id = v.sender_id
      where s.account_id = ${account.id} and v.held is not null`.execute(db)
  )
  return result.rows[0]?.count ?? 0
})
