/** What being rewritten does to a table: every view is asked about once more, and vacuum comes by as it does by default. */
import { Clock, Effect } from "effect"
import { Connection } from "@stopline/ledger"
import { sql } from "kysely"
import { sizeOf } from "./shape.ts"

const slices = 10

export const churn = Effect.fn("churn")(function* () {
  const { query } = yield* Connection
  const run = (text: string) => query("churn", (db) => sql.raw(text).execute(db))
  const before = yield* sizeOf("view")
  let vacuumMs = 0
  for (let slice = 0; slice < slices; slice++) {
    yield* run(
      `update view set asked_at = now(), read_at = now() where mod(hashint8(recipient)::bigint + 2147483648, ${slices}) = ${slice}`
    )
    // Autovacuum's own threshold is a fifth of the rows.
    if (slice % 2 === 0) continue
    const since = yield* Clock.currentTimeMillis
    yield* run("vacuum view")
    vacuumMs += (yield* Clock.currentTimeMillis) - since
  }
  yield* run("select pg_stat_force_next_flush()")
  const { rows } = yield* query("churn", (db) =>
    sql<{ table: string; updated: number; hot: number }>`
      select coalesce((select inhparent::regclass::text from pg_inherits where inhrelid = relid), relname) as table,
        sum(n_tup_upd)::int8 as updated, sum(n_tup_hot_upd)::int8 as hot
      from pg_stat_user_tables where n_tup_upd > 0 group by 1 order by 1`.execute(db)
  )
  return { before, after: yield* sizeOf("view"), vacuumMs, updates: rows }
})
