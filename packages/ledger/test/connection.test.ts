import { assert, layer } from "@effect/vitest"
import { Connection, type LedgerError } from "@stopline/ledger"
import { Deferred, Effect, Fiber } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess, isAlive, somebodyWaits, until } from "../../../test/process.ts"

const put = (name: string) =>
  Effect.gen(function* () {
    const { query } = yield* Connection
    yield* query("test", (db) => db.insertInto("setting").values({ name, value: "1" }).execute())
  })

const has = (name: string) =>
  Effect.gen(function* () {
    const { query } = yield* Connection
    const rows = yield* query("test", (db) =>
      db.selectFrom("setting").select("name").where("name", "=", name).execute()
    )
    return rows.length > 0
  })

const inTransaction = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Connection, ({ transaction }) => transaction("test", self))

const backend = Effect.gen(function* () {
  const { query } = yield* Connection
  const { rows } = yield* query("test", (db) => sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(db))
  return rows[0]!.pid
})

const terminate = (pid: number) =>
  Effect.gen(function* () {
    const { query } = yield* Connection
    yield* query("test", (db) => sql`select pg_terminate_backend(${pid})`.execute(db))
  })

layer(ledgerForTest, { excludeTestServices: true })("a transaction", (it) => {
  it.effect("is all or nothing", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(inTransaction(Effect.andThen(put("failed"), Effect.fail("no"))))
      assert.strictEqual(exit._tag, "Failure")
      assert.isFalse(yield* has("failed"))
    })
  )

  it.effect("inside another is part of it", () =>
    Effect.gen(function* () {
      yield* Effect.exit(inTransaction(Effect.andThen(inTransaction(put("inner")), Effect.fail("no"))))
      assert.isFalse(yield* has("inner"))
    })
  )

  it.effect("that is interrupted is rolled back (L12)", () =>
    Effect.gen(function* () {
      const written = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        inTransaction(
          put("cut off").pipe(Effect.andThen(Deferred.succeed(written, undefined)), Effect.andThen(Effect.never))
        )
      )
      yield* Deferred.await(written)
      yield* Fiber.interrupt(fiber)
      assert.isFalse(yield* has("cut off"))
    })
  )

  it.effect("that met another in a conflict is tried again, whole", () =>
    Effect.gen(function* () {
      yield* put("a")
      yield* put("b")
      const touch = (name: string) =>
        Effect.gen(function* () {
          const { query } = yield* Connection
          yield* query("test", (db) => db.updateTable("setting").set({ value: "2" }).where("name", "=", name).execute())
        })
      let tries = 0
      let waiting = 2
      const bothStarted = yield* Deferred.make<void>()
      // Each takes what the other wants next: one of them has to be a deadlock's victim.
      const crossed = (first: string, second: string) =>
        inTransaction(
          Effect.gen(function* () {
            tries += 1
            yield* touch(first)
            waiting -= 1
            if (waiting === 0) yield* Deferred.succeed(bothStarted, undefined)
            yield* Deferred.await(bothStarted)
            yield* touch(second)
          })
        )
      yield* Effect.all([crossed("a", "b"), crossed("b", "a")], { concurrency: 2, discard: true })
      // Both got through in the end, and at least one of them had to begin again.
      assert.isAtLeast(tries, 3)
    })
  )

  it.effect("whose commit fails gives its connection back", () =>
    Effect.gen(function* () {
      const narrow = yield* anotherProcess({ connections: 1 })
      const pid = yield* Deferred.make<number>()
      const gone = yield* Deferred.make<void>()
      const lost = put("lost").pipe(
        Effect.andThen(backend),
        Effect.flatMap((mine) => Deferred.succeed(pid, mine)),
        Effect.andThen(Deferred.await(gone))
      )
      const fiber = yield* Effect.forkChild(narrow.run(Effect.flip(inTransaction(lost))))
      yield* terminate(yield* Deferred.await(pid))
      yield* Deferred.succeed(gone, undefined)
      const error: LedgerError = yield* Fiber.join(fiber)
      assert.strictEqual(error.kind, "unreachable")
      // It has only one connection, and would wait for it in vain.
      assert.isFalse(yield* narrow.run(has("lost")))
    })
  )
})

layer(ledgerForTest, { excludeTestServices: true })("a statement by itself", (it) => {
  it.effect("that met another in a conflict is tried again", () =>
    Effect.gen(function* () {
      const run = (text: string) =>
        Effect.flatMap(Connection, ({ query }) => query("test", (db) => sql.raw(text).execute(db)))
      const other = yield* anotherProcess()
      const looked = yield* Deferred.make<void>()
      // As a migration does, it takes one table after the other. It looks for a deadlock too late to be its victim.
      const migration = yield* Effect.forkChild(
        other.run(
          inTransaction(
            run("set local deadlock_timeout = '60s'").pipe(
              Effect.andThen(run("lock table lane in access exclusive mode")),
              Effect.andThen(Deferred.succeed(looked, undefined)),
              Effect.andThen(until(somebodyWaits)),
              Effect.andThen(run("lock table pace in access exclusive mode"))
            )
          )
        )
      )
      yield* Deferred.await(looked)
      const { rows } = yield* run("select from pace, lane")
      assert.deepStrictEqual(rows, [])
      yield* Fiber.join(migration)
    }).pipe(Effect.scoped)
  )
})

layer(ledgerForTest, { excludeTestServices: true })("a process", (it) => {
  it.effect("is seen to live again after its sign of life was cut (L12)", () =>
    Effect.gen(function* () {
      const process = yield* anotherProcess()
      const pid = yield* isAlive(process.session)
      yield* terminate(pid!)
      yield* until(Effect.map(isAlive(process.session), (now) => now !== undefined && now !== pid))
    })
  )
})
