import { assert, layer } from "@effect/vitest"
import { plan, type Plan, writabilityOf } from "@stopline/engine"
import { Clock, Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { rowCounts } from "../../../test/world.ts"
import {
  asker,
  askerOne,
  askerTwo,
  lister,
  listerOne,
  listerTwo,
  makeWorld,
  people,
  person,
  timed,
  type World
} from "./world.ts"

const planOf = Effect.fnUntraced(function* (
  world: World,
  given: { readonly confirmMs?: number; readonly examples?: number } = {}
) {
  const now = yield* Clock.currentTimeMillis
  const accounts = world.fleet.stations.map((one) => ({
    account: one.account,
    writability: writabilityOf(one.adapter),
    seeks: false
  }))
  return yield* plan(accounts, world.fleet.settings, { examples: 20, confirmMs: 0, ...given }, now)
})

const of = (plan: Plan, account: string) => plan.accounts.find((one) => one.account === account)!

layer(ledgerForTest, { excludeTestServices: true })("a plan", (it) => {
  it.effect("says what has to change where, and why (L13)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, person(1))
      yield* world.says("STOP", askerOne, person(2))
      const planned = yield* planOf(world)
      assert.strictEqual(planned.changes, 8)
      assert.deepStrictEqual(of(planned, lister).byReason, {
        [`${listerOne} opted-out opt-out`]: 2,
        [`${listerTwo} opted-out opt-out`]: 2
      })
      assert.deepStrictEqual(of(planned, asker).byReason, {
        [`${askerOne} opted-out opt-out`]: 2,
        [`${askerTwo} opted-out opt-out`]: 2
      })
      for (const example of planned.examples) assert.isNumber(example.because)
    }).pipe(timed)
  )

  it.effect("writes nothing (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { guard: { ...guards, optOuts: { count: 0, share: 0 } } } })
      yield* world.says("STOP", listerOne, person(1))
      world.lister.block(listerOne, ...people(5, 10))
      yield* world.round({ write: false })
      const before = yield* rowCounts
      const calls = world.lister.calls.length + world.asker.calls.length
      const planned = yield* planOf(world)
      assert.isAbove(planned.changes, 0)
      assert.isAbove(planned.accounts.flatMap((one) => one.halts).length, 0)
      assert.deepStrictEqual(yield* rowCounts, before)
      assert.strictEqual(world.lister.calls.length + world.asker.calls.length, calls)
    }).pipe(timed)
  )

  it.effect("has a digest that names exactly its changes (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { except: askerTwo } })
      yield* world.says("STOP", listerOne, person(1))
      const first = yield* planOf(world)
      assert.match(first.digest, /^[0-9a-f]{12}$/)
      assert.strictEqual((yield* planOf(world)).digest, first.digest)
      assert.strictEqual((yield* planOf(world, { examples: 0 })).digest, first.digest)
      yield* world.says("STOP", listerOne, person(2))
      const second = yield* planOf(world)
      assert.notStrictEqual(second.digest, first.digest)
      yield* world.round({ read: false })
      assert.notInclude([first.digest, second.digest], (yield* planOf(world)).digest)
    }).pipe(timed)
  )

  it.effect("counts what it withholds, with the reason, and shows no more than it was asked to", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { except: askerTwo } })
      for (const who of people(3)) yield* world.says("STOP", listerOne, who)
      const planned = yield* planOf(world, { examples: 4 })
      assert.strictEqual(planned.withheld, 3)
      assert.deepStrictEqual(of(planned, asker).withheld, {
        [`${askerTwo} opted-out cannot: the carrier holds it`]: 3
      })
      assert.strictEqual(planned.examples.length, 4)
    }).pipe(timed)
  )

  it.effect("guards each account by itself, and only what reading found (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { guard: { ...guards, optOuts: { count: 3, share: 0 } } } })
      for (const who of people(10)) yield* world.says("STOP", askerOne, who)
      assert.deepStrictEqual(
        (yield* planOf(world)).accounts.flatMap((one) => one.halts),
        []
      )
      yield* world.round()
      world.lister.block(listerOne, ...people(4, 20))
      yield* world.round({ write: false })
      const planned = yield* planOf(world)
      assert.deepStrictEqual(of(planned, lister).guarded, { "opted-out": 4, "opted-in": 0 })
      assert.deepStrictEqual(of(planned, lister).halts, [
        { kind: "too-many-opt-outs", count: 4, limit: 3, population: 24 }
      ])
      assert.strictEqual(of(planned, asker).halts[0]?.count, 8)
    }).pipe(timed)
  )

  it.effect("is the same however many pages its differences fill", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ lister: { pageSize: 500 } })
      world.lister.block(listerOne, ...people(1_100))
      yield* world.round({ write: false })
      const planned = yield* planOf(world)
      assert.strictEqual(planned.changes, 3_300)
      assert.strictEqual(of(planned, asker).byReason[`${askerOne} opted-out opt-out`], 1_100)
    }).pipe(timed)
  )
})

const guards = {
  optOuts: { count: 1000, share: 0.2 },
  optIns: { count: 100, share: 0.01 },
  absences: { count: 1000, share: 0.2 }
}
