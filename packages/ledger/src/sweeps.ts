/** Which known recipients to ask a provider about next, where it cannot list. */
import type { Recipient } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { toRecipient } from "./codec.ts"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import type { RegisteredSender } from "./registry.ts"

/**
 * Recipients of one sender that were not read since a moment: those whose
 * standing is not held everywhere first, then the stalest.
 */
export const stalest = Effect.fn("Ledger.stalest")(function* (
  sender: RegisteredSender,
  readBefore: number,
  limit: number
): Effect.fn.Return<ReadonlyArray<Recipient>, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("stalest", (db) =>
    sql<{ recipient: number }>`
      select recipient from (
        (select v.recipient, v.read_at, 0 as rank from view v
          join standing st on st.group_id = ${sender.groupId} and st.recipient = v.recipient and not st.settled
          where v.sender_id = ${sender.id} and v.intent is null and v.read_at < ${instant(readBefore)}
          order by v.read_at limit ${limit})
        union all
        (select recipient, read_at, 1 from view
          where sender_id = ${sender.id} and intent is null and read_at < ${instant(readBefore)}
          order by read_at limit ${limit})
      ) candidates
      group by recipient
      order by min(rank), min(read_at), recipient
      limit ${limit}`.execute(db)
  )
  return result.rows.map((row) => toRecipient(row.recipient))
})

/** How many recipients of a sender are known, and when the stalest of them was last read (ms). */
export const coverage = Effect.fn("Ledger.coverage")(function* (
  sender: RegisteredSender
): Effect.fn.Return<{ readonly known: number; readonly stalestAt: number | undefined }, LedgerError, Connection> {
  const { query } = yield* Connection
  const row = yield* query("coverage", (db) =>
    db
      .selectFrom("view")
      .select((e) => [e.fn.countAll<number>().as("known"), e.fn.min("read_at").as("stalestAt")])
      .where("sender_id", "=", sender.id)
      .executeTakeFirst()
  )
  return { known: row?.known ?? 0, stalestAt: row?.stalestAt ?? undefined }
})
