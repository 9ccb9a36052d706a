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
 * standing is not held everywhere first, then the stalest. The first are at most
 * half of them: some can never be held everywhere, and must not keep the others
 * from ever being asked about.
 */
export const stalest = Effect.fn("Ledger.stalest")(function* (
  sender: RegisteredSender,
  askedBefore: number,
  limit: number
): Effect.fn.Return<ReadonlyArray<Recipient>, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("stalest", (db) =>
    sql<{ recipient: number }>`
      select recipient from (
        (select v.recipient, v.asked_at, 0 as rank from view v
          join standing st on st.group_id = ${sender.groupId} and st.recipient = v.recipient and not st.settled
          where v.sender_id = ${sender.id} and v.intent is null and v.asked_at < ${instant(askedBefore)}
          order by v.asked_at limit ${Math.ceil(limit / 2)})
        union all
        (select recipient, asked_at, 1 from view
          where sender_id = ${sender.id} and intent is null and asked_at < ${instant(askedBefore)}
          order by asked_at limit ${limit})
      ) candidates
      group by recipient
      order by min(rank), min(asked_at), recipient
      limit ${limit}`.execute(db)
  )
  return result.rows.map((row) => toRecipient(row.recipient))
})

/** How many recipients of a sender are known, and when the stalest of them was last asked about (ms). */
export const coverage = Effect.fn("Ledger.coverage")(function* (
  sender: RegisteredSender
): Effect.fn.Return<{ readonly known: number; readonly stalestAt: number | undefined }, LedgerError, Connection> {
  const { query } = yield* Connection
  const row = yield* query("coverage", (db) =>
    db
      .selectFrom("view")
      .select((e) => [e.fn.countAll<number>().as("known"), e.fn.min("asked_at").as("stalestAt")])
      .where("sender_id", "=", sender.id)
      .executeTakeFirst()
  )
  return { known: row?.known ?? 0, stalestAt: row?.stalestAt ?? undefined }
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
