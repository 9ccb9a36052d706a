/** A ledger at the end of a way that swallows what is said on it. */
import { assert, describe, it } from "@effect/vitest"
import { Connection, sessionLocks } from "@stopline/ledger"
import { Context, Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { sql } from "kysely"
import { freshDatabase } from "../../../test/database.ts"
import { until } from "../../../test/process.ts"
import { makeDoor } from "../src/door.ts"

/** A ledger of its own, one way to it with a door, and one without. */
const setUp = Effect.gen(function* () {
  const direct = yield* freshDatabase
  const url = new URL(Redacted.value(direct))
  const target = Number(url.port)
  const door = yield* makeDoor(() => target)
  url.port = String(door.port)
  const connect = (to: Redacted.Redacted) =>
    Effect.map(Layer.build(Connection.layer(to, { connections: 2 })), (context) => Context.get(context, Connection))
  return { door, far: yield* connect(Redacted.make(url.href)), near: yield* connect(direct) }
})

type Ledger = Connection["Service"]

const ask = ({ query }: Ledger, statement = "select 1") => query("test", (db) => sql.raw(statement).execute(db))

/** Who holds the lock by which the process of this ledger is seen to live. */
const signOfLife = (near: Ledger, { session }: Ledger) =>
  Effect.map(
    near.query("test", (db) =>
      sql<{ pid: number }>`select pid from pg_locks where classid = ${sessionLocks} and objid = ${session}`.execute(db)
    ),
    ({ rows }) => rows[0]?.pid
  )

describe.concurrent("a connection that died without a word", () => {
  it.live("is given up, and what was asked on it fails as unreachable", () =>
    Effect.gen(function* () {
      const { door, far } = yield* setUp
      yield* ask(far)
      yield* door.swallow
      const asked = yield* Effect.forkChild(Effect.flip(ask(far)))
      yield* door.open
      assert.strictEqual((yield* Fiber.join(asked)).kind, "unreachable")
      yield* ask(far)
    })
  )

  it.live("is not the one on which the server is at work, however long", () =>
    Effect.gen(function* () {
      const { far } = yield* setUp
      const { rows } = yield* far.query("test", (db) =>
        sql<{ done: string }>`select pg_sleep(8)::text, 'done' as done`.execute(db)
      )
      assert.strictEqual(rows[0]?.done, "done")
    })
  )

  it.live("is missed when it was the sign of life, which is given anew (L12)", () =>
    Effect.gen(function* () {
      const { door, far, near } = yield* setUp
      const before = yield* signOfLife(near, far)
      yield* door.swallow
      yield* door.open
      // For the server the old connection lives on, until somebody ends it.
      yield* until(
        Effect.gen(function* () {
          const now = yield* signOfLife(near, far)
          if (now === before) yield* ask(near, `select pg_terminate_backend(${before})`)
          return now !== undefined && now !== before
        })
      )
    })
  )

  it.live("does not keep what it had locked: others go on (L12)", () =>
    Effect.gen(function* () {
      const { door, far, near } = yield* setUp
      const locked = yield* Deferred.make<void>()
      const cut = yield* Effect.forkChild(
        Effect.exit(
          far.transaction(
            "test",
            ask(far, "select pg_advisory_xact_lock(4711)").pipe(
              Effect.andThen(Deferred.succeed(locked, undefined)),
              Effect.andThen(Effect.never)
            )
          )
        )
      )
      yield* Deferred.await(locked)
      yield* door.swallow
      yield* ask(near, "select pg_advisory_lock(4711)")
      yield* Fiber.interrupt(cut)
    })
  )
})
