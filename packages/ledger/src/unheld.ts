/**
 * How many pairs are not as they must be, and since when, for all senders in one
 * statement. It counts what a plan would judge one by one, and passes over what
 * is settled, so it costs what differs.
 */
import type { ConsentState, OptInPolicy } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { differs, heldForAll, mustBeOut, optInSinceJoining, silencedBefore, wasLifted, wasRefused } from "./must.ts"
import type { RegisteredAccount, RegisteredSender } from "./registry.ts"

/** A sender, and what its provider takes from us at all. */
export interface Writable {
  readonly account: RegisteredAccount
  readonly sender: RegisteredSender
  readonly optOut: boolean
  readonly optIn: boolean
  /** How the person's own words are looked for there, if they are. */
  readonly seeking?: Seeking
}

/** How many people of a sender have their turn at once, how long a turn takes, and how long all of them wait at most (ms). */
export interface Seeking {
  readonly atOnce: number
  readonly turnMs: number
  readonly longestMs: number
}

/** Why a pair is left as it is, by the names that the engine has for it. */
export const withheldReasons = ["cannot", "refused", "awaiting-evidence", "held-for-all"] as const

export interface Unheld {
  readonly senderId: number
  /** What must be. */
  readonly state: ConsentState
  /** Absent: it can be written, and has not been. */
  readonly withheld: (typeof withheldReasons)[number] | undefined
  readonly pairs: number
  /** Since when the oldest should have been held (ms): since it was said, its sender joined the group, or its provider lifted the block, whichever was last. */
  readonly since: number | undefined
}

export interface UnheldOptions {
  readonly policy: OptInPolicy
  readonly now: number
  /** How long evidence is looked for before a block that a provider lifted is put back (ms); longer where many are. */
  readonly confirmMs: number
}

export const unheld = Effect.fn("Ledger.unheld")(function* (
  senders: ReadonlyArray<Writable>,
  { confirmMs, now, policy }: UnheldOptions
): Effect.fn.Return<ReadonlyArray<Unheld>, LedgerError, Connection> {
  const { query } = yield* Connection
  const column = <A>(pick: (one: Writable) => A) => senders.map(pick)
  const people = sql`count(*) filter (where p.must = 'opted-out' and ${wasLifted}) over (partition by w.sender_id)`
  const windowMs = sql`greatest(${confirmMs}::float8, least((ceil(${people} / w.at_once) - 1) * w.turn_ms, w.longest_ms))`
  const result = yield* query("unheld", (db) =>
    sql<{
      senderId: number
      state: ConsentState
      withheld: Unheld["withheld"] | null
      pairs: number
      since: number | null
    }>`
      select d.sender_id as "senderId", d.must as state, d.withheld, count(*) as pairs, min(d.since) as since
      from (
        select w.sender_id, p.must,
          case
            when not case when p.must = 'opted-out' then w.opt_out else w.opt_in end then 'cannot'
            when ${wasRefused(sql`p.must`)} and v.refused_until > ${instant(now)}::timestamptz then 'refused'
            when p.must = 'opted-in' and ${heldForAll(sql`st.recipient`)} then 'held-for-all'
            when p.must = 'opted-in' and ${silencedBefore(sql`st.recipient`, optInSinceJoining[policy])} then 'awaiting-evidence'
            when p.must = 'opted-out' and ${wasLifted} and v.lifted_at > ${instant(now)}::timestamptz - ${windowMs} * interval '1 millisecond' then 'awaiting-evidence'
          end as withheld,
          greatest(st.out_at, j.since, case when ${wasLifted} then v.lifted_at end) as since
        from unnest(
          ${column((one) => one.sender.id)}::int[],
          ${column((one) => one.sender.groupId)}::int[],
          ${column((one) => one.account.every.id)}::int[],
          ${column((one) => one.optOut)}::bool[],
          ${column((one) => one.optIn)}::bool[],
          ${column((one) => one.seeking?.atOnce ?? null)}::float8[],
          ${column((one) => one.seeking?.turnMs ?? null)}::float8[],
          ${column((one) => one.seeking?.longestMs ?? null)}::float8[]
        ) as w(sender_id, group_id, every_id, opt_out, opt_in, at_once, turn_ms, longest_ms)
        join standing st on st.group_id = w.group_id and not st.settled
        left join membership j on j.sender_id = w.sender_id and j.group_id = w.group_id
        left join view v on v.sender_id = w.sender_id and v.recipient = st.recipient
        left join opt_in o on o.sender_id = w.sender_id and o.recipient = st.recipient
        cross join lateral (select case when ${mustBeOut(policy)} then 'opted-out' else 'opted-in' end as must) p
        where ${differs(policy)}
      ) d
      group by 1, 2, 3`.execute(db)
  )
  return result.rows.map(({ since, withheld, ...row }) => ({
    ...row,
    withheld: withheld ?? undefined,
    since: since ?? undefined
  }))
})
