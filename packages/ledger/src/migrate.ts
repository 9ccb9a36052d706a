/** Brings the schema up to date, and refuses a database that a newer Stopline has moved on. */
import { Effect, Predicate, Schedule } from "effect"
import { sql } from "kysely"
import { type Migration, Migrator } from "kysely/migration"
import { Connection } from "./connection.ts"
import { LedgerError, ledgerError } from "./error.ts"
import { migrations } from "./migrations.ts"

/**
 * How long a migration waits for a table that is in use. Whoever comes after it
 * waits behind it, even to read, so it gives up soon and lets them pass.
 */
const lockTimeout = sql`set local lock_timeout = '2s'`

/** How often it is tried again, a second apart, before it is a person's business. */
const tries = 120

const patient = (migration: Migration): Migration => ({
  up: async (db) => {
    await lockTimeout.execute(db)
    await migration.up(db)
  }
})

/**
 * Does what of these has not been done yet, in one transaction. Of several
 * processes one does it while the others wait.
 */
export const migrateTo = (all: Readonly<Record<string, Migration>>): Effect.Effect<void, LedgerError, Connection> =>
  once(all).pipe(
    Effect.tapError((error) =>
      error.kind === "conflict"
        ? Effect.logWarning("a migration found a table in use and lets others go first", { error: error.detail })
        : Effect.void
    ),
    Effect.retry({
      while: (error) => error.kind === "conflict",
      schedule: Schedule.jittered(Schedule.spaced("1 second")),
      times: tries
    }),
    Effect.withSpan("Ledger.migrate")
  )

const once = Effect.fnUntraced(function* (
  all: Readonly<Record<string, Migration>>
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  const waiting = Object.fromEntries(Object.entries(all).map(([name, migration]) => [name, patient(migration)]))
  const { error } = yield* query("migrate", (db) =>
    new Migrator({ db, provider: { getMigrations: () => Promise.resolve(waiting) } }).migrateToLatest()
  )
  if (error === undefined) return
  if (Predicate.isError(error) && /corrupted migrations|is missing/i.test(error.message)) {
    return yield* new LedgerError({
      kind: "newer",
      operation: "migrate",
      detail: "this database was made by a newer Stopline; run that version, or use another database"
    })
  }
  return yield* ledgerError("migrate")(error)
})

export const migrate: Effect.Effect<void, LedgerError, Connection> = migrateTo(migrations)
