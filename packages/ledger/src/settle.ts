/** Marks the standings that every sender of their group is known to hold: a plan then passes over them. */
import { everySender, type OptInPolicy } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { registryShare } from "./locks.ts"
import { differs, isPolicy } from "./must.ts"

/** Nobody in the group differs, by the policy that is configured: the condition over a standing `st`. */
const nobodyDiffers = (policy: OptInPolicy) => sql`${isPolicy(policy)} and not exists (
  select from sender s
  left join view v on v.sender_id = s.id and v.recipient = st.recipient
  left join opt_in o on o.sender_id = s.id and o.recipient = st.recipient
  where s.group_id = st.group_id and s.active and s.address <> ${everySender}
    and (v.intent is not null or ${differs(policy)}))`

/*
 * The rows are locked by a statement of their own before they are judged. A
 * statement judges by what was committed when it began; had it to wait for a row
 * that another transaction was unsettling, it would judge by what was true
 * before. For the same reason no sender may join the group meanwhile.
 */

/**
 * Settles these recipients of the group that a sender speaks for to this day, whatever this process was started with, or
 * unsettles them: we have just written them. Who said START as the intent was being committed, or is let in by what was
 * configured since, may have been settled by who could not see the write. To be called inside a transaction.
 */
export const settle = Effect.fn("Ledger.settle")(function* (
  senderId: number,
  recipients: ReadonlyArray<number>,
  policy: OptInPolicy
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  const rows = sql`st.group_id = (select group_id from sender where id = ${senderId}) and st.recipient = any(${recipients}::bigint[])`
  yield* query("settle", (db) =>
    sql`
      with alone as materialized (select ${registryShare})
      select from alone, standing st where ${rows} order by st.group_id, st.recipient for update of st`.execute(db)
  )
  yield* query("settle", (db) =>
    sql`update standing st set settled = not st.settled where ${rows} and st.settled <> (${nobodyDiffers(policy)})`.execute(
      db
    )
  )
})

interface Key {
  readonly groupId: number
  readonly recipient: number
}

/** Settles whatever can be settled, so many at a time. Costs what is unsettled, not what exists. */
export const settleAll = Effect.fn("Ledger.settleAll")(function* (
  policy: OptInPolicy,
  atOnce = 1000
): Effect.fn.Return<void, LedgerError, Connection> {
  const { transaction } = yield* Connection
  let after: Key = { groupId: 0, recipient: 0 }
  for (;;) {
    const page = yield* transaction("settle all", settlePage(after, policy, atOnce))
    const last = page.at(-1)
    if (last === undefined || page.length < atOnce) return
    after = last
  }
})

const settlePage = Effect.fnUntraced(function* (after: Key, policy: OptInPolicy, atOnce: number) {
  const { query } = yield* Connection
  const { rows } = yield* query("settle all", (db) =>
    sql<Key>`
      with alone as materialized (select ${registryShare})
      select st.group_id as "groupId", st.recipient from alone, standing st
      where not st.settled and (st.group_id, st.recipient) > (${after.groupId}, ${after.recipient})
      order by st.group_id, st.recipient limit ${atOnce} for update of st`.execute(db)
  )
  if (rows.length === 0) return rows
  yield* query("settle all", (db) =>
    sql`
      update standing st set settled = true
      from unnest(${rows.map((row) => row.groupId)}::int[], ${rows.map((row) => row.recipient)}::bigint[]) as k(group_id, recipient)
      where st.group_id = k.group_id and st.recipient = k.recipient and not st.settled and ${nobodyDiffers(policy)}`.execute(
      db
    )
  )
  return rows
})
