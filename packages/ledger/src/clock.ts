/** Whether this machine and the database agree on what time it is. */
import { Clock, Effect } from "effect"
import { sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"

/** By how much our clock is ahead of the database's (ms); negative is behind. What the question takes on its way counts as no difference. */
export const clockAhead = Effect.fn("Ledger.clockAhead")(function* (): Effect.fn.Return<
  number,
  LedgerError,
  Connection
> {
  const { query } = yield* Connection
  const asked = yield* Clock.currentTimeMillis
  const { rows } = yield* query("clock", (db) => sql<{ now: number }>`select clock_timestamp() as now`.execute(db))
  const answered = yield* Clock.currentTimeMillis
  const now = rows[0]?.now ?? asked
  return Math.max(0, asked - now) + Math.min(0, answered - now)
})
