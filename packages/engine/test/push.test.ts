import { assert, layer } from "@effect/vitest"
import { push } from "@stopline/engine"
import { openHalts } from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import {
  askerOne,
  askerTwo,
  listerOne,
  listerTwo,
  makeWorld,
  pass,
  people,
  person,
  testSettings,
  timed
} from "./world.ts"

const tight = { settings: { guard: { ...testSettings.guard, optOuts: { count: 1, share: 0 } } } }

layer(ledgerForTest, { excludeTestServices: true })("a person's own opt-out", (it) => {
  it.effect("goes to every sender at once, without a round (L2)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const reports = yield* world.run(push(yield* world.says("STOP", askerOne, person(1))))
      assert.deepStrictEqual(
        reports.map((report) => [report.account, report.optedOut]),
        [
          ["lister", 2],
          ["asker", 2]
        ]
      )
      for (const sender of [listerOne, listerTwo]) assert.isTrue(world.lister.holds(sender, person(1)))
      assert.isTrue(world.asker.holds(askerTwo, person(1)))
      assert.deepStrictEqual((yield* world.round({ read: false })).plan.changes, 0)
    }).pipe(timed)
  )

  it.effect("goes while the account is halted, and takes nothing along that a guard holds back (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(tight)
      world.lister.block(listerOne, ...people(5))
      const halted = yield* world.round()
      assert.strictEqual(halted.outcome, "halted")
      assert.strictEqual((yield* openHalts()).length, 2)
      assert.isFalse(world.asker.holds(askerOne, person(1)))
      const said = yield* world.says("STOP", askerOne, person(9))
      yield* world.run(push([...said, 15_550_000_001]))
      assert.isTrue(world.lister.holds(listerTwo, person(9)))
      assert.isTrue(world.asker.holds(askerTwo, person(9)))
      assert.isFalse(world.asker.holds(askerOne, person(1)))
      assert.strictEqual((yield* openHalts()).length, 2)
    }).pipe(timed)
  )

  it.effect("goes although a list shows it as well, later, and the list is held back (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(tight)
      yield* world.says("STOP", askerOne, person(1))
      yield* pass("1 minute")
      world.lister.block(listerOne, ...people(5))
      yield* world.round({ write: false })
      yield* world.run(push([15_550_000_001]))
      assert.isTrue(world.asker.holds(askerTwo, person(1)))
      assert.isFalse(world.asker.holds(askerTwo, person(2)))
    }).pipe(timed)
  )

  it.effect("is not held up at one provider by the failure of another", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      world.lister.failAlways(["optOut"], { kind: "unavailable" })
      const reports = yield* world.run(push(yield* world.says("STOP", listerOne, person(1))))
      assert.deepStrictEqual(
        reports.map((report) => [report.optedOut, report.errors.length]),
        [
          [0, 2],
          [2, 0]
        ]
      )
    }).pipe(timed)
  )

  it.effect("that is withdrawn before it is carried is not carried", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ policy: "group" })
      const said = yield* world.says("STOP", askerOne, person(1))
      yield* world.says("START", askerOne, person(1))
      // Both in the same moment: the opt-out wins (L4).
      const [first] = yield* world.run(push(said))
      assert.strictEqual(first?.optedOut, 2)
    }).pipe(timed)
  )

  it.effect("goes although the provider said that it would be away for half an hour, once it is back (L2)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { retries: 4 } })
      world.asker.fail("optOut", [{ kind: "unavailable", retryAfterMs: 1_800_000 }], askerOne)
      yield* world.run(push(yield* world.says("STOP", listerOne, person(1))))
      assert.isFalse(world.asker.holds(askerOne, person(1)))
      yield* world.run(push(yield* world.says("STOP", listerOne, person(2))))
      assert.isTrue(world.asker.holds(askerOne, person(2)))
      yield* world.round({ read: false })
      assert.isTrue(world.asker.holds(askerOne, person(1)))
    }).pipe(timed)
  )
})
