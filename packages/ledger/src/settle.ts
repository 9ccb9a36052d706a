/** Marks the standings that every sender of their group is known to hold: a plan then passes over them. */
import { everySender, type OptInPolicy } from "@stopline/consent"
import { Effect } from "effect"
import { type RawBuilder, sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { differs } from "./must.ts"

/** Nobody in the group differs: the condition over a standing `st`. */
const nobodyDiffers = (policy: OptInPolicy) => sql`not exists (
  select from sender s
  left join view v on v.sender_id = s.id and v.recipient = st.recipient
  left join opt_in o on o.sender_id = s.id and o.recipient = st.recipient
  where s.group_id = st.group_id and s.active and s.address <> ${everySender}
    and (v.intent is not null or ${differs(policy)}))`

/*
 * The rows are locked by a statement of their own before they are judged. A
 * statement judges by what was committed when it began; had it to wait for a row
 * that another transaction was unsettling, it would judge by what was true before.
 */

/** Settles these recipients of a group. To be called inside a transaction. */
export const settle = Effect.fn("Ledger.settle")(function* (
  groupId: number,
  recipients: ReadonlyArray<number>,
  policy: OptInPolicy
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  const rows = sql`st.group_id = ${groupId} and st.recipient = any(${recipients}::bigint[]) and not st.settled`
  yield* query("settle", (db) =>
    sql`select from standing st where ${rows} order by st.group_id, st.recipient for update`.execute(db)
  )
  yield* query("settle", (db) =>
    sql`update standing st set settled = true where ${rows} and ${nobodyDiffers(policy)}`.execute(db)
  )
})

/** Settles whatever can be settled. Costs what is unsettled, not what exists. */
export const settleAll = Effect.fn("Ledger.settleAll")(function* (
  policy: OptInPolicy
): Effect.fn.Return<void, LedgerError, Connection> {
  const connection = yield* Connection
  const run = (statement: RawBuilder<unknown>) => connection.query("settle all", (db) => statement.execute(db))
  yield* connection.transaction(
    "settle all",
    Effect.andThen(
      run(sql`select from standing st where not st.settled order by st.group_id, st.recipient for update`),
      run(sql`update standing st set settled = true where not st.settled and ${nobodyDiffers(policy)}`)
    )
  )
})
