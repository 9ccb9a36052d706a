import { assert, layer } from "@effect/vitest"
import type { Operation, ProviderFailure } from "@stopline/provider"
import { decide } from "@stopline/engine"
import { beginWrites, claimLane, clearHalts, Connection, digits, openHalts } from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { viewOf } from "../../../test/world.ts"
import type { Failure } from "./fake.ts"
import {
  asker,
  askerOne,
  askerTwo,
  lister,
  listerOne,
  listerTwo,
  makeWorld,
  pass,
  people,
  person,
  senderOf,
  standings,
  testSettings,
  timed,
  type World
} from "./world.ts"

const guards = (optOuts: number, optIns = 100) => ({
  settings: {
    guard: { ...testSettings.guard, optOuts: { count: optOuts, share: 0 }, optIns: { count: optIns, share: 0 } }
  }
})

const everywhere = (world: World, n: number) => [
  ...[listerOne, listerTwo].map((sender) => world.lister.holds(sender, person(n))),
  ...[askerOne, askerTwo].map((sender) => world.asker.holds(sender, person(n)))
]

const silenced = Array(4).fill(true)

/** A worker plans in the middle of a write to `askerOne`. The accounts that it halts. */
const haltMeanwhile = Effect.fnUntraced(function* (world: World) {
  const context = yield* Effect.context<Connection>()
  const raised: Array<string> = []
  world.asker.onRequest = ({ sender }) =>
    raised.length > 0 || sender !== askerOne
      ? Effect.void
      : world.run(decide({ confirmMs: 0, write: true, startedBy: "a worker" })).pipe(
          Effect.tap(({ open }) => Effect.sync(() => raised.push(...open.map(({ account }) => account)))),
          Effect.provideContext(context),
          Effect.orDie
        )
  return raised
})

layer(ledgerForTest, { excludeTestServices: true })("a round", (it) => {
  it.effect("carries what one provider knows to all others (L2), and then finds nothing to do (L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      world.lister.block(listerOne, ...people(7))
      yield* world.says("STOP", askerTwo, person(8))
      const first = yield* world.round()
      assert.strictEqual(first.outcome, "completed")
      for (const n of [1, 7, 8]) assert.deepStrictEqual(everywhere(world, n), silenced)
      yield* pass("1 minute")
      const second = yield* world.round()
      assert.deepStrictEqual([second.plan.changes, second.applied.map((one) => one.optedOut)], [0, [0, 0]])
    }).pipe(timed)
  )

  const failures: ReadonlyArray<readonly [Failure, ProviderFailure["_tag"]]> = [
    [{ kind: "throttled" }, "Throttled"],
    [{ kind: "throttled", retryAfterMs: 1_000 }, "Throttled"],
    [{ kind: "unavailable" }, "Unavailable"],
    [{ kind: "unavailable", mayHaveApplied: true }, "Unavailable"],
    [{ kind: "unavailable", done: true }, "Unavailable"],
    [{ kind: "unreadable" }, "Unreadable"],
    [{ kind: "unreadable", done: true }, "Unreadable"],
    [{ kind: "denied" }, "Denied"],
    [{ kind: "refused" }, "Refused"]
  ]
  for (const operation of ["list", "check", "optOut"] as ReadonlyArray<Operation>) {
    for (const [failure, reason] of failures) {
      const what = `${failure.kind}${"done" in failure ? " and yet done" : "mayHaveApplied" in failure ? " and perhaps done" : ""}${"retryAfterMs" in failure ? " with a time" : ""}`
      it.effect(
        `whose ${operation} is ${what} says so, keeps what stands, and the next one mends it (L5, L9, L12)`,
        () =>
          Effect.gen(function* () {
            const world = yield* makeWorld()
            world.lister.block(listerOne, person(1))
            yield* world.round()
            yield* pass("1 minute")
            yield* world.says("STOP", askerOne, person(2))
            const before = yield* standings(person(1))
            for (const fake of [world.lister, world.asker]) fake.failAlways([operation], failure)
            const failed = yield* world.round()
            assert.strictEqual(failed.outcome, "incomplete")
            const errors = [
              ...failed.reads.flatMap((read) => read.error ?? []),
              ...failed.applied.flatMap((one) => one.errors)
            ]
            assert.isAbove(errors.length, 0)
            for (const error of errors) {
              assert.strictEqual(error._tag === "ProviderError" && error.reason._tag, reason)
              assert.notInclude(error.message, "1555")
            }
            assert.deepStrictEqual(yield* standings(person(1)), before)
            assert.include((yield* standings(person(2)))[listerOne], "opted-out held")
            for (const fake of [world.lister, world.asker]) fake.failAlways([operation], undefined)
            yield* pass("1 minute")
            assert.strictEqual((yield* world.round()).outcome, "completed")
            for (const n of [1, 2]) assert.deepStrictEqual(everywhere(world, n), silenced)
            yield* pass("1 minute")
            assert.strictEqual((yield* world.round()).plan.changes, 0)
          }).pipe(timed)
      )
    }
  }

  it.effect("goes on with the others when one provider is down", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      world.asker.failAlways(["check", "optOut", "optIn"], { kind: "unavailable" })
      yield* world.says("STOP", askerOne, person(1))
      world.lister.block(listerOne, person(2))
      const report = yield* world.round()
      assert.strictEqual(report.outcome, "incomplete")
      assert.deepStrictEqual(
        report.applied.map((one) => [one.account, one.optedOut, one.errors.length]),
        [
          [lister, 3, 0],
          ["asker", 0, 2]
        ]
      )
    }).pipe(timed)
  )

  it.effect("is not complete while somebody has still to be tried again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, person(1))
      world.asker.treat(person(1), "retryable")
      assert.strictEqual((yield* world.round()).outcome, "incomplete")
      world.asker.treat(person(1), undefined)
      assert.strictEqual((yield* world.round()).outcome, "completed")
    }).pipe(timed)
  )

  it.effect("halts above its limits, stays halted, and goes on with the approved plan alone (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(guards(3))
      world.lister.block(listerOne, ...people(4))
      const halted = yield* world.round()
      assert.strictEqual(halted.outcome, "halted")
      assert.include(halted.halts[0], `stopline apply --approve ${halted.plan.digest}`)
      assert.isFalse(world.asker.holds(askerOne, person(1)))
      // Three of them say so themselves. What is left is below the limit now, and yet nobody has looked.
      for (const who of people(3)) yield* world.says("STOP", askerTwo, who)
      yield* pass("1 minute")
      const still = yield* world.round()
      assert.deepStrictEqual(
        still.plan.accounts.flatMap((one) => one.halts),
        []
      )
      assert.strictEqual(still.outcome, "halted")
      assert.isTrue(world.asker.holds(askerOne, person(1)))
      assert.isFalse(world.asker.holds(askerOne, person(4)))
      assert.strictEqual((yield* openHalts()).length, 2)
      // Another plan than the one that stands is no approval.
      const wrong = yield* world.round({ read: false, approve: "000000000000" })
      assert.deepStrictEqual([wrong.applied, world.asker.holds(askerOne, person(4))], [[], false])
      const approved = yield* world.round({ read: false, approve: wrong.plan.digest })
      assert.deepStrictEqual([approved.outcome, approved.halts], ["completed", []])
      for (const n of [1, 4]) assert.deepStrictEqual(everywhere(world, n), silenced)
    }).pipe(timed)
  )

  it.effect("of an approved plan leaves no halt behind that a worker raised over the rest of it meanwhile (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ ...guards(2), asker: { batch: 1 } })
      world.lister.block(listerOne, ...people(12))
      const { digest } = (yield* world.round()).plan
      const raised = yield* haltMeanwhile(world)
      yield* world.round({ read: false, approve: digest })
      assert.include(raised, asker)
      assert.deepStrictEqual(yield* openHalts(), [])
      yield* pass("1 minute")
      const next = yield* world.round()
      assert.deepStrictEqual([next.outcome, next.plan.changes], ["completed", 0])
    }).pipe(timed)
  )

  it.effect("of an approved plan that was not all carried out leaves the halt that was raised meanwhile (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ ...guards(2), asker: { batch: 1 } })
      world.lister.block(listerOne, ...people(12))
      const { digest } = (yield* world.round()).plan
      const raised = yield* haltMeanwhile(world)
      world.asker.fail("optOut", [{ kind: "unavailable" }], askerTwo)
      yield* world.round({ read: false, approve: digest })
      assert.include(raised, asker)
      assert.deepStrictEqual(
        (yield* openHalts()).map(({ account, kind }) => [account, kind]),
        [[asker, "too-many-opt-outs"]]
      )
    }).pipe(timed)
  )

  it.effect("halts above its limit of opt-ins, and lets the opt-outs go (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(guards(100, 1))
      for (const who of people(3)) yield* world.says("STOP", askerOne, who)
      yield* world.round()
      yield* pass("1 minute")
      // They said so to the lister, which does not act on words it does not know.
      for (const who of people(3)) {
        yield* world.says("START", listerOne, who)
        world.lister.block(listerOne, who)
      }
      world.lister.block(listerTwo, person(9))
      const report = yield* world.round()
      assert.strictEqual(report.outcome, "halted")
      assert.isTrue(world.lister.holds(listerOne, person(1)))
      assert.isTrue(world.asker.holds(askerOne, person(9)))
      yield* clearHalts({}, "ann", yield* Clock.currentTimeMillis)
      const approved = yield* world.round({ read: false, approve: (yield* world.round({ write: false })).plan.digest })
      assert.strictEqual(approved.outcome, "completed")
      assert.deepStrictEqual(everywhere(world, 1), [false, true, true, true])
    }).pipe(timed)
  )

  it.effect("puts back a block that was lifted without a word, after its window (L3)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      world.lister.block(listerOne, person(1))
      yield* world.round()
      yield* pass("1 minute")
      world.lister.lift(listerOne, person(1))
      const waiting = yield* world.round({ confirmMs: 600_000 })
      assert.deepStrictEqual([waiting.plan.changes, waiting.plan.withheld], [0, 1])
      assert.isFalse(world.lister.holds(listerOne, person(1)))
      yield* pass("9 minutes")
      yield* world.round({ confirmMs: 600_000 })
      assert.isFalse(world.lister.holds(listerOne, person(1)))
      yield* pass("1 minute")
      const back = yield* world.round({ confirmMs: 600_000 })
      assert.deepStrictEqual(back.plan.accounts[0]?.byReason, { [`${listerOne} opted-out reassert`]: 1 })
      assert.isTrue(world.lister.holds(listerOne, person(1)))
    }).pipe(timed)
  )

  it.effect("judges again what a dead process was about to write, also where nothing is left to write (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ policy: "group" })
      yield* world.says("STOP", listerOne, person(1))
      yield* orphan(world)
      yield* pass("1 minute")
      yield* world.says("START", listerOne, person(1))
      const sender = senderOf(world.asking, askerOne)!
      assert.strictEqual((yield* viewOf(sender, person(1)))?.view.intent, "opted-out")
      yield* pass("2 minutes")
      yield* world.round()
      assert.isUndefined((yield* viewOf(sender, person(1)))?.view.intent)
    }).pipe(timed)
  )

  it.effect("neither reads nor writes what it is told not to", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, person(1))
      yield* world.round({ read: false, write: false })
      assert.deepStrictEqual([...world.lister.calls, ...world.asker.calls], [])
      yield* world.round({ read: false })
      assert.isTrue([...world.lister.calls, ...world.asker.calls].every((call) => call.operation === "optOut"))
    }).pipe(timed)
  )

  it.effect("is not approved by clearing its halt as it is raised (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(guards(2))
      for (const who of people(10)) world.lister.block(listerOne, who)
      assert.strictEqual((yield* world.round()).outcome, "halted")
      const connection = yield* Connection
      let cleared = false
      const clear = Effect.provideService(clearHalts({}, "ann", 0), Connection, connection)
      const meanwhile = Connection.of({
        ...connection,
        query: (operation, run) => {
          if (operation !== "open halts" || cleared) return connection.query(operation, run)
          cleared = true
          return Effect.andThen(clear, connection.query(operation, run))
        }
      })
      yield* pass("1 minute")
      const { outcome } = yield* Effect.provideService(world.round({ read: false }), Connection, meanwhile)
      assert.deepStrictEqual([outcome, world.asker.blocked.size], ["halted", 0])
    }).pipe(timed)
  )
})

/** An intent that is committed and has no writer any more. */
const orphan = Effect.fnUntraced(function* (world: World) {
  const now = yield* Clock.currentTimeMillis
  const sender = senderOf(world.asking, askerOne)!
  const lane = (yield* claimLane(`write:asker/${askerOne}`, "dead", now, 60_000))!
  const context = { lane, leaseMs: 60_000, sender, state: "opted-out", policy: "group" } as const
  yield* beginWrites(context, [digits(person(1))], now)
})
