/** Which known recipients to ask a provider about next, where it cannot list. */
import type { Recipient } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { digits, toRecipient } from "./codec.ts"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import type { RegisteredSender } from "./registry.ts"

/**
 * Recipients of one sender that were not asked about since a moment: those whose
 * standing is not held everywhere first, then those who were texted since they
 * were asked about and may have answered with an opt-out, the latest first, and
 * then the stalest. Each of the first two is at most a third of them: some can
 * never be held everywhere, some are texted every day, and neither must keep the
 * others from ever being asked about.
 */
export const stalest = Effect.fn("Ledger.stalest")(function* (
  sender: RegisteredSender,
  askedBefore: number,
  limit: number
): Effect.fn.Return<ReadonlyArray<Recipient>, LedgerError, Connection> {
  const { query } = yield* Connection
  const third = Math.ceil(limit / 3)
  const result = yield* query("stalest", (db) =>
    sql<{ recipient: number }>`
      select recipient from (
        (select v.recipient, v.asked_at, null::timestamptz as texted_at, 0 as rank from view v
          join standing st on st.group_id = ${sender.groupId} and st.recipient = v.recipient and not st.settled
          where v.sender_id = ${sender.id} and v.intent is null and v.asked_at < ${instant(askedBefore)}
          order by v.asked_at limit ${third})
        union all
        (select recipient, asked_at, texted_at, 1 from view
          where sender_id = ${sender.id} and intent is null and asked_at < ${instant(askedBefore)} and texted_at > asked_at
          order by texted_at desc limit ${third})
        union all
        (select recipient, asked_at, null, 2 from view
          where sender_id = ${sender.id} and intent is null and asked_at < ${instant(askedBefore)}
          order by asked_at limit ${limit})
      ) candidates
      group by recipient
      order by min(rank), max(texted_at) desc, min(asked_at), recipient
      limit ${limit}`.execute(db)
  )
  return result.rows.map((row) => toRecipient(row.recipient))
})

export interface Coverage {
  readonly known: number
  /** Nothing is known of what the provider holds for them: they were never asked about, or never answered. */
  readonly neverAnswered: number
  /** Asked about since the moment given. */
  readonly askedSince: number
  /** When the one who has waited longest was last asked about (ms); `-Infinity` when somebody never was. */
  readonly stalestAt: number | undefined
}

/** How many recipients of a sender are known, and how old what is known of them is. @param since a moment (ms) */
export const coverage = Effect.fn("Ledger.coverage")(function* (
  sender: RegisteredSender,
  since: number
): Effect.fn.Return<Coverage, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows } = yield* query("coverage", (db) =>
    sql<{ known: number; neverAnswered: number; askedSince: number; stalestAt: number | null }>`
      select count(*) as known, count(*) filter (where held is null) as "neverAnswered",
        count(*) filter (where asked_at >= ${instant(since)}) as "askedSince", min(asked_at) as "stalestAt"
      from view where sender_id = ${sender.id}`.execute(db)
  )
  const [row] = rows
  return {
    known: row?.known ?? 0,
    neverAnswered: row?.neverAnswered ?? 0,
    askedSince: row?.askedSince ?? 0,
    stalestAt: row?.stalestAt ?? undefined
  }
})

/** How many pairs of an account were asked about in sweeps that began since a moment, by whatever process. */
export const sweptSince = Effect.fn("Ledger.sweptSince")(function* (
  accountId: number,
  since: number
): Effect.fn.Return<number, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows } = yield* query("swept since", (db) =>
    sql<{ asked: number }>`
      select coalesce(sum((counts ->> 'asked')::bigint), 0)::float8 as asked from run
      where account_id = ${accountId} and kind = 'sweep' and started_at > ${instant(since)}`.execute(db)
  )
  return rows[0]?.asked ?? 0
})

/** Of these recipients, those a sender's provider was not asked about since a moment. */
export const notAskedSince = Effect.fn("Ledger.notAskedSince")(function* (
  sender: RegisteredSender,
  recipients: ReadonlyArray<Recipient>,
  since: number
): Effect.fn.Return<ReadonlyArray<Recipient>, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("not asked since", (db) =>
    sql<{ recipient: number }>`
      select distinct p.recipient from unnest(${recipients.map(digits)}::bigint[]) as p(recipient)
      where not exists (
        select from view v
        where v.sender_id = ${sender.id} and v.recipient = p.recipient and v.asked_at >= ${instant(since)})`.execute(db)
  )
  return result.rows.map((row) => toRecipient(row.recipient))
})
