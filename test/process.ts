/** Another process at work on the same ledger: its own connections, its own sign of life. */
import { Connection, type LedgerError, sessionLocks } from "@stopline/ledger"
import { Context, Deferred, Effect, Exit, Fiber, Layer, Redacted, Scope } from "effect"
import { sql } from "kysely"
import { inject } from "vitest"
import { atDatabase } from "./postgres.ts"

export interface Process {
  readonly session: number
  /** Runs something in that process. */
  readonly run: <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, Connection>>
  /** Its connections are gone, whatever it was doing. */
  readonly end: Effect.Effect<void>
}

export const here = Effect.gen(function* () {
  const { query } = yield* Connection
  const { rows } = yield* query("test", (db) => sql<{ name: string }>`select current_database() as name`.execute(db))
  return Redacted.make(atDatabase(inject("postgres").url, rows[0]!.name))
})

export const anotherProcess = Effect.fnUntraced(function* (options?: {
  readonly connections?: number
}): Effect.fn.Return<Process, LedgerError, Connection | Scope.Scope> {
  const url = yield* here
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* Layer.buildWithScope(Connection.layer(url, options), scope)
  return {
    session: Context.get(context, Connection).session,
    run: (self) => Effect.provideContext(self, context),
    end: Scope.close(scope, Exit.void)
  }
})

/** Waits until something is so, looking again and again. A test that waits for ever times out. */
export const until = <E, R>(condition: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.gen(function* () {
    while (!(yield* condition)) yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 2)))
  })

/** Waits until whoever is gone passes for dead at once, as nobody does where Postgres began a moment ago. */
export const untilCertain = Effect.flatMap(Connection, ({ certain }) => until(Effect.sync(certain)))

/** Whether the process of a session is seen to be alive. */
export const isAlive = Effect.fnUntraced(function* (session: number) {
  const { query } = yield* Connection
  const { rows } = yield* query("test", (db) =>
    sql<{ pid: number }>`
      select pid from pg_locks where locktype = 'advisory' and classid = ${sessionLocks} and objid = ${session} and granted`.execute(
      db
    )
  )
  return rows[0]?.pid
})

/** Whether somebody waits for a lock in this database. */
export const somebodyWaits = Effect.gen(function* () {
  const { query } = yield* Connection
  const { rows } = yield* query("test", (db) =>
    sql`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
  )
  return rows.length > 0
})

/** Does something in a transaction that stays open until it is told to commit. */
export const heldOpen = Effect.fnUntraced(function* <A, E, R>(self: Effect.Effect<A, E, R>) {
  const done = yield* Deferred.make<void>()
  const commit = yield* Deferred.make<void>()
  const fiber = yield* Effect.forkChild(
    Effect.flatMap(Connection, ({ transaction }) =>
      transaction(
        "test",
        self.pipe(Effect.andThen(Deferred.succeed(done, undefined)), Effect.andThen(Deferred.await(commit)))
      )
    )
  )
  yield* Deferred.await(done)
  return { commit: Effect.andThen(Deferred.succeed(commit, undefined), Fiber.join(fiber)) }
})
