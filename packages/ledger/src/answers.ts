/** Whether the ledger answers at all: the least that can be asked. */
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"

export const answers: Effect.Effect<void, LedgerError, Connection> = Effect.flatMap(Connection, ({ query }) =>
  Effect.asVoid(query("answers", (db) => sql`select`.execute(db)))
)
