import { assert, layer } from "@effect/vitest"
import { bucketOf, paced, sharedGates } from "@stopline/engine"
import { blockedFor } from "@stopline/ledger"
import { type LimitGroup, NextTurn } from "@stopline/provider"
import { Clock, Duration, Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess } from "../../../test/process.ts"
import type { Failure } from "./fake.ts"
import { askerOne, inTime, makeWorld, timed, type World, type WorldOptions } from "./world.ts"

/** Four at once would be over the limit; one may go at once, and then one a second. */
const limit: LimitGroup = {
  name: "light",
  credential: "shared",
  requests: 4,
  window: Duration.seconds(4),
  penalty: Duration.seconds(60),
  operations: ["probe"]
}
const limited = (given: WorldOptions = {}): WorldOptions => ({ ...given, asker: { limits: [limit], ...given.asker } })

const probe = (world: World) => world.run(paced(world.asker.adapter, "probe", world.asker.adapter.probe(askerOne)))

/** A request may be under way for longer than the one behind it. */
const travelMs = 300

/** When each request arrived, from the first one on (ms). */
const times = (world: World) => world.asker.calls.map((call) => call.at - world.asker.calls[0]!.at)

layer(ledgerForTest, { excludeTestServices: true })("a paced request", (it) => {
  it.effect("waits its turn, with those of other processes (L15)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(limited())
      const other = yield* anotherProcess()
      const all = [probe(world), other.run(probe(world)), probe(world), other.run(probe(world)), probe(world)]
      yield* inTime(Effect.all(all, { concurrency: "unbounded" }))
      const arrived = times(world)
      assert.strictEqual(arrived.length, 5)
      for (const [index, at] of arrived.entries()) assert.isAtLeast(at, index * 1_000 - travelMs)
    }).pipe(timed)
  )

  it.effect("that takes several requests waits a turn for each (L15)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(limited())
      const other = yield* anotherProcess()
      const ask = world.asker.adapter.probe(askerOne)
      const inParts = Effect.andThen(ask, Effect.andThen(Effect.flatten(NextTurn), ask))
      const twice = world.run(paced(world.asker.adapter, "probe", inParts))
      yield* inTime(Effect.all([twice, other.run(probe(world)), twice], { concurrency: "unbounded" }))
      const arrived = times(world)
      assert.strictEqual(arrived.length, 5)
      for (const [index, at] of arrived.entries()) assert.isAtLeast(at, index * 1_000 - travelMs)
    }).pipe(timed)
  )

  it.effect("after a 429 that names no time is sent by nobody during the penalty (L15)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(limited({ settings: { retries: 2 } }))
      const other = yield* anotherProcess()
      world.asker.fail("probe", [{ kind: "throttled" }])
      yield* inTime(Effect.all([probe(world), other.run(probe(world)), probe(world)], { concurrency: "unbounded" }))
      const [first, ...later] = times(world)
      assert.strictEqual(first, 0)
      assert.strictEqual(later.length, 3)
      for (const [index, at] of later.entries()) assert.isAtLeast(at, 60_000 + index * 1_000)
    }).pipe(timed)
  )

  it.effect("after a 429 waits as long as it was asked to, and no longer than that (L15)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(limited({ settings: { retries: 2 } }))
      const other = yield* anotherProcess()
      world.asker.fail("probe", [{ kind: "throttled", retryAfterMs: 7_000 }])
      yield* inTime(Effect.all([probe(world), other.run(probe(world))], { concurrency: "unbounded" }))
      const [, ...later] = times(world)
      assert.strictEqual(later.length, 2)
      for (const at of later) {
        assert.isAtLeast(at, 7_000)
        assert.isBelow(at, 60_000)
      }
    }).pipe(timed)
  )

  it.effect("is kept waiting for a day at most, whatever an answer names: nobody may notice for years (L15)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(limited())
      const days = yield* world.run(
        Effect.gen(function* () {
          const gate = (yield* sharedGates)("larkpost")
          yield* gate.shut(limit, Duration.days(3_000))
          const ms = yield* blockedFor(bucketOf("larkpost", limit).key, yield* Clock.currentTimeMillis)
          return Duration.toDays(Duration.millis(ms))
        })
      )
      assert.strictEqual(days, 1)
    }).pipe(timed)
  )

  it.effect("without a limit of its own obeys a 429 all the same (L15)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { retries: 1 } })
      world.asker.fail("probe", [{ kind: "throttled", retryAfterMs: 30_000 }])
      yield* inTime(probe(world))
      assert.isAtLeast(times(world)[1]!, 30_000)
    }).pipe(timed)
  )

  it.effect("to a provider that says when it is back waits for that, but not for longer than a minute", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { retries: 4 } })
      world.asker.fail("probe", [{ kind: "unavailable", retryAfterMs: 60_000 }])
      yield* inTime(probe(world))
      assert.isAtLeast(times(world)[1]!, 60_000)
      world.asker.fail("probe", [{ kind: "unavailable", retryAfterMs: 60_001 }])
      // Time stands still: the failure is the answer at once.
      assert.strictEqual((yield* Effect.flip(probe(world)))._tag, "ProviderError")
    }).pipe(timed)
  )

  it.effect("shares a gate with other accounts of one credential, and with no other", () =>
    Effect.gen(function* () {
      const shared = { ...limit, operations: ["probe" as const] }
      const world = yield* makeWorld({
        asker: { limits: [shared] },
        lister: { limits: [{ ...shared, credential: "own" }] }
      })
      // Time stands still, and neither has to wait for the other.
      yield* probe(world)
      yield* world.run(paced(world.lister.adapter, "probe", world.lister.adapter.probe(askerOne)))
      assert.strictEqual(world.lister.calls[0]!.at, world.asker.calls[0]!.at)
      yield* inTime(probe(world))
      assert.isAtLeast(times(world)[1]!, 1_000)
    }).pipe(timed)
  )

  it.effect("shares what an adapter waits for by itself, a login, with other processes (L15)", () =>
    Effect.gen(function* () {
      const other = yield* anotherProcess()
      const logins: LimitGroup = { ...limit, name: "auth", requests: 5, atOnce: 4, window: Duration.minutes(1) }
      const began = yield* Clock.currentTimeMillis
      const turns: Array<number> = []
      const login = Effect.gen(function* () {
        yield* (yield* sharedGates)("fake").turn(logins)
        turns.push((yield* Clock.currentTimeMillis) - began)
      })
      for (const process of [login, other.run(login), login, other.run(login)]) yield* process
      assert.deepStrictEqual(turns, [0, 0, 0, 0])
      yield* inTime(Effect.all([login, other.run(login)], { concurrency: "unbounded" }))
      const [fifth = 0, sixth = 0] = turns.slice(4)
      assert.isAtLeast(fifth, 30_000)
      assert.isAtLeast(sixth, 60_000)
      const now = yield* Clock.currentTimeMillis
      yield* (yield* sharedGates)("fake").shut(logins, Duration.minutes(10))
      yield* inTime(other.run(login))
      assert.isAtLeast(began + turns[6]! - now, 600_000)
    }).pipe(timed)
  )

  const tries: ReadonlyArray<readonly [Failure["kind"], number]> = [
    ["unavailable", 3],
    ["throttled", 3],
    ["denied", 1],
    ["refused", 1],
    ["unreadable", 1]
  ]
  for (const [kind, expected] of tries) {
    it.effect(`that is ${kind} is tried ${expected === 1 ? "once" : "again, so often as the settings allow"}`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ settings: { retries: 2 } })
        world.asker.failAlways(["probe"], { kind })
        const error = yield* inTime(Effect.flip(probe(world)))
        assert.strictEqual(error._tag, "ProviderError")
        const arrived = times(world)
        assert.strictEqual(arrived.length, expected)
        // It waits longer before each try.
        for (const [index, at] of arrived.slice(1).entries()) {
          assert.isAtLeast(at - arrived[index]!, 500 * 2 ** index)
        }
      }).pipe(timed)
    )
  }
})
