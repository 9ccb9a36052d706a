/**
 * A database for each universe, with an empty ledger that nobody has used. In one
 * that was used and emptied Postgres still knows what it held, reads it by other
 * ways, and finds equals in another order: the same seed would be another run.
 */
import { Connection, embeddedPostgres, type LedgerError, migrate, openPool, temporaryFolder } from "@stopline/ledger"
import { Effect, Redacted, type Scope } from "effect"

/** A migrated database, for as long as the scope lives. */
export type FreshDatabase = Effect.Effect<Redacted.Redacted, never, Scope.Scope>

const at = (server: Redacted.Redacted, database: string): Redacted.Redacted => {
  const url = new URL(Redacted.value(server))
  url.pathname = database
  return Redacted.make(url.href)
}

/** A Postgres of our own that gives fresh databases, one at a time. */
export const ownDatabases = Effect.gen(function* (): Effect.gen.Return<FreshDatabase, LedgerError, Scope.Scope> {
  const folder = yield* temporaryFolder("simulation")
  const server = yield* embeddedPostgres({ folder, disposable: true })
  const pool = yield* openPool(server, 1)
  const tell = (statement: string) => Effect.promise(() => pool.query(statement))
  // It looks at tables by the clock on the wall, and plans change with what it saw.
  yield* tell("alter system set autovacuum = off")
  yield* tell("select pg_reload_conf()")
  yield* tell("create database pristine")
  yield* Effect.provide(migrate, Connection.layer(at(server, "pristine"), { connections: 1 }))
  return Effect.as(
    Effect.acquireRelease(tell("create database universe template pristine"), () =>
      tell("drop database universe with (force)")
    ),
    at(server, "universe")
  )
})
