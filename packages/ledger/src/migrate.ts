/** Brings the schema up to date, and refuses a database that a newer Stopline has moved on. */
import { Effect, Predicate } from "effect"
import { Migrator } from "kysely/migration"
import { Connection } from "./connection.ts"
import { LedgerError } from "./error.ts"
import { migrations } from "./migrations.ts"

export const migrate: Effect.Effect<void, LedgerError, Connection> = Effect.gen(function* () {
  const { query } = yield* Connection
  const result = yield* query("migrate", async (db) => {
    const migrator = new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrations) } })
    return migrator.migrateToLatest()
  })
  if (result.error === undefined) return
  const text = Predicate.isError(result.error) ? result.error.message : "unknown failure"
  const newer = /corrupted migrations|is missing/i.test(text)
  return yield* new LedgerError({
    kind: newer ? "newer" : "broken",
    operation: "migrate",
    detail: newer ? "this database was made by a newer Stopline; run that version, or use another database" : text
  })
}).pipe(Effect.withSpan("Ledger.migrate"))
