import { assert, describe, it, layer } from "@effect/vitest"
import {
  claimLane,
  Connection,
  embeddedPostgres,
  holdLane,
  laneOwner,
  type LedgerError,
  migrate,
  releaseLane,
  temporaryFolder,
  wantLane
} from "@stopline/ledger"
import { Effect, Fiber, Layer } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess, isAlive, until, untilCertain } from "../../../test/process.ts"

const lease = 60_000

layer(ledgerForTest, { excludeTestServices: true })("a lane", (it) => {
  it.effect("has one holder, whoever asks (L12)", () =>
    Effect.gen(function* () {
      const other = yield* anotherProcess()
      const lane = yield* claimLane("one", "first", 1_000, lease)
      assert.deepStrictEqual(lane, { key: "one", epoch: 1 })
      assert.isUndefined(yield* claimLane("one", "first again", 1_000, lease))
      assert.isUndefined(yield* other.run(claimLane("one", "second", 1_000 + lease, lease)))
      assert.strictEqual(yield* laneOwner("one"), "first")
    })
  )

  it.effect("is free once it was let go", () =>
    Effect.gen(function* () {
      const other = yield* anotherProcess()
      const lane = yield* claimLane("released", "first", 1_000, lease)
      yield* releaseLane(lane!)
      assert.deepStrictEqual(yield* other.run(claimLane("released", "second", 1_001, lease)), {
        key: "released",
        epoch: 2
      })
    })
  )

  it.effect("is free when its lease has run out", () =>
    Effect.gen(function* () {
      const other = yield* anotherProcess()
      yield* claimLane("expired", "first", 1_000, lease)
      const taken = yield* other.run(claimLane("expired", "second", 1_001 + lease, lease))
      assert.strictEqual(taken?.epoch, 2)
      assert.strictEqual(yield* laneOwner("expired"), "second")
    })
  )

  it.effect("is kept by a holder that shows itself", () =>
    Effect.gen(function* () {
      const other = yield* anotherProcess()
      const lane = yield* claimLane("kept", "first", 1_000, lease)
      yield* holdLane(lane!, 50_000, lease)
      assert.isUndefined(yield* other.run(claimLane("kept", "second", 1_001 + lease, lease)))
    })
  )

  it.effect("is taken over at once from a process that is gone, its lease untouched", () =>
    Effect.gen(function* () {
      const gone = yield* anotherProcess()
      yield* gone.run(claimLane("orphaned", "gone", 1_000, lease))
      assert.isUndefined(yield* claimLane("orphaned", "heir", 1_001, lease))
      yield* gone.end
      yield* until(Effect.map(isAlive(gone.session), (pid) => pid === undefined))
      yield* untilCertain
      assert.strictEqual((yield* claimLane("orphaned", "heir", 1_001, lease))?.epoch, 2)
    })
  )

  it.effect("is taken from nobody who may live by a process that has itself just lost its sign of life (L12)", () =>
    Effect.gen(function* () {
      const heir = yield* anotherProcess()
      const { certain } = yield* heir.run(Connection)
      yield* heir.run(untilCertain)
      const { query } = yield* Connection
      const gone = yield* anotherProcess()
      yield* gone.run(claimLane("doubtful", "gone", 1_000, lease))
      const pid = yield* isAlive(heir.session)
      yield* query("test", (db) => sql`select pg_terminate_backend(${pid})`.execute(db))
      yield* until(Effect.sync(() => !certain()))
      yield* gone.end
      yield* until(Effect.map(isAlive(gone.session), (now) => now === undefined))
      assert.isUndefined(yield* heir.run(claimLane("doubtful", "heir", 1_001, lease)))
      yield* until(Effect.map(isAlive(heir.session), (now) => now !== undefined && now !== pid))
      yield* until(Effect.sync(certain))
      assert.strictEqual((yield* heir.run(claimLane("doubtful", "heir", 1_001, lease)))?.epoch, 2)
    })
  )

  it.effect("lost to another, fences its old holder out: its transaction changes nothing (L12)", () =>
    Effect.gen(function* () {
      const { query } = yield* Connection
      const frozen = yield* anotherProcess()
      const lane = (yield* frozen.run(claimLane("fenced", "frozen", 1_000, lease)))!
      yield* claimLane("fenced", "heir", 2_000 + lease, lease)
      const write = Effect.gen(function* () {
        const { query, transaction } = yield* Connection
        yield* transaction(
          "test",
          Effect.gen(function* () {
            yield* query("test", (db) => db.insertInto("setting").values({ name: "fenced", value: "1" }).execute())
            yield* holdLane(lane, 2_001 + lease, lease)
          })
        )
      })
      const error: LedgerError = yield* Effect.flip(frozen.run(write))
      assert.strictEqual(error.kind, "fenced")
      const written = yield* query("test", (db) =>
        db.selectFrom("setting").select("name").where("name", "=", "fenced").execute()
      )
      assert.deepStrictEqual(written, [])
      // Nor can it give away what is no longer its own.
      yield* frozen.run(releaseLane(lane))
      assert.isUndefined(yield* claimLane("fenced", "third", 2_002 + lease, lease))
    })
  )

  it.effect("let go is not held any more, even by who held it last", () =>
    Effect.gen(function* () {
      const lane = (yield* claimLane("let go", "first", 1_000, lease))!
      yield* releaseLane(lane)
      assert.strictEqual((yield* Effect.flip(holdLane(lane, 1_001, lease))).kind, "fenced")
    })
  )

  it.effect("that another process waits for is left to it by who let it go, as long as that one waits", () =>
    Effect.gen(function* () {
      const [waiting, third] = [yield* anotherProcess(), yield* anotherProcess()]
      const lane = (yield* claimLane("wanted", "first", 1_000, lease))!
      yield* waiting.run(wantLane("wanted", 3_000))
      yield* releaseLane(lane)
      assert.isUndefined(yield* claimLane("wanted", "first again", 2_999, lease))
      const second = yield* waiting.run(claimLane("wanted", "second", 2_999, lease))
      assert.strictEqual(second?.epoch, 2)
      // What was waited for has come; and a wish lasts no longer than it said.
      yield* waiting.run(releaseLane(second!))
      assert.strictEqual((yield* waiting.run(claimLane("wanted", "second again", 2_999, lease)))?.epoch, 3)
      yield* third.run(wantLane("wanted", 4_000))
      yield* waiting.run(releaseLane({ key: "wanted", epoch: 3 }))
      assert.strictEqual((yield* waiting.run(claimLane("wanted", "once more", 4_000, lease)))?.epoch, 4)
    })
  )

  it.effect("is heard to be let go by every process, also by one whose connection was cut", () =>
    Effect.gen(function* () {
      const other = yield* anotherProcess()
      const { freed } = yield* other.run(Connection)
      const heard = yield* freed.hear("told")
      const unheard = yield* Effect.forkChild(Effect.flatten(freed.hear("another")))
      const letGo = Effect.flatMap(claimLane("told", "first", 1_000, lease), (lane) => releaseLane(lane!))
      yield* letGo
      yield* heard
      const pid = yield* isAlive(other.session)
      const { query } = yield* Connection
      yield* query("test", (db) => sql`select pg_terminate_backend(${pid})`.execute(db))
      // It may have missed something, so it looks.
      yield* heard
      yield* until(Effect.map(isAlive(other.session), (now) => now !== undefined && now !== pid))
      yield* letGo
      yield* heard
      yield* Fiber.interrupt(unheard)
    }).pipe(Effect.scoped)
  )

  it.effect("asked for by many at once goes to exactly one", () =>
    Effect.gen(function* () {
      const others = yield* Effect.forEach([1, 2, 3, 4], () => anotherProcess({ connections: 2 }))
      const claims = yield* Effect.forEach(
        [...others, ...others],
        (other, n) => other.run(claimLane("contended", `process ${n}`, 1_000, lease)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(claims.filter((lane) => lane !== undefined).length, 1)
    })
  )
})

describe("a lane in a Postgres that has only just begun", () => {
  it.live("is for a while taken from nobody by a process that has just begun as well (L12)", () =>
    Effect.gen(function* () {
      const url = yield* embeddedPostgres({ folder: yield* temporaryFolder("begun"), disposable: true })
      const process = Layer.build(Connection.layer(url, { connections: 1 }))
      // The restart took its sign of life from it, and it may be about to be back.
      const before = Effect.andThen(migrate, claimLane("restarted", "before", 1_000, lease))
      yield* Effect.scoped(Effect.flatMap(process, (context) => Effect.provideContext(before, context)))
      const heir = yield* process
      const claim = Effect.provideContext(claimLane("restarted", "heir", 1_001, lease), heir)
      assert.isUndefined(yield* claim)
      yield* until(Effect.map(claim, (lane) => lane !== undefined))
    }).pipe(Effect.scoped)
  )
})
