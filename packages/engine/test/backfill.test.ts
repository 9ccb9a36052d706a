import { assert, layer } from "@effect/vitest"
import type { Recipient } from "@stopline/consent"
import { backfill, type BackfillRequest, Fleet, type Station } from "@stopline/engine"
import { cannot } from "@stopline/provider"
import { hasBackfilled, lastEnded, unfinishedBackfill } from "@stopline/ledger"
import { Effect, Stream } from "effect"
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
  standings,
  testSettings,
  timed,
  type World
} from "./world.ts"

const from = (recipients: ReadonlyArray<Recipient>) => () => Stream.fromIterable(recipients)
const of = (world: World, recipients: ReadonlyArray<Recipient>) =>
  world.run(backfill(world.asking, { startedBy: "ann", recipients: from(recipients) }))

const asked = (world: World) =>
  world.asker.calls.map(
    (call) =>
      `${call.sender === askerOne ? "one" : "two"} ${call.recipients.map((who) => Number(who.slice(-3))).join(" ")}`
  )

const tight = { settings: { guard: { ...testSettings.guard, optOuts: { count: 2, share: 0 } } } }

layer(ledgerForTest, { excludeTestServices: true })("a backfill", (it) => {
  it.effect("asks about everybody named, at every sender, each once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2 } })
      world.asker.block(askerTwo, person(3))
      const report = yield* of(world, [...people(3), person(1)])
      assert.deepStrictEqual(asked(world), ["one 1 2", "one 3", "two 1 2", "two 3"])
      assert.deepStrictEqual(report, {
        _tag: "Checked",
        account: "asker",
        checks: [
          { account: "asker", asked: 3, unanswered: 0, news: 0 },
          { account: "asker", asked: 3, unanswered: 0, news: 1 }
        ]
      })
      assert.strictEqual((yield* standings(person(3)))[listerOne], "opted-out held unknown")
      assert.isTrue(yield* hasBackfilled(world.asking.account.id))
    }).pipe(timed)
  )

  it.effect("of a sender that is denied leaves the others to be asked, and is not over", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      world.asker.fail("check", [{ kind: "denied" }])
      assert.strictEqual((yield* Effect.flip(of(world, people(2))))._tag, "ProviderError")
      assert.deepStrictEqual(asked(world), ["one 1 2", "two 1 2"])
      assert.isFalse(yield* hasBackfilled(world.asking.account.id))
      world.asker.calls.length = 0
      yield* of(world, people(2))
      assert.deepStrictEqual(asked(world), ["one 1 2"])
    }).pipe(timed)
  )

  it.effect("that was cut off goes on without asking twice (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2 } })
      world.asker.fail("check", [{ kind: "none" }, { kind: "none" }, { kind: "none" }, { kind: "unavailable" }])
      assert.strictEqual((yield* Effect.flip(of(world, people(4))))._tag, "ProviderError")
      assert.isDefined(yield* unfinishedBackfill(world.asking.account.id, undefined, 0))
      yield* pass("10 minutes")
      world.asker.calls.length = 0
      yield* of(world, people(4))
      assert.deepStrictEqual(asked(world), ["two 3 4"])
      assert.isUndefined(yield* unfinishedBackfill(world.asking.account.id, undefined, 0))
    }).pipe(timed)
  )

  it.effect("that was cut off long ago asks about everybody again (L2)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2 } })
      world.asker.fail("check", [{ kind: "none" }, { kind: "unavailable" }])
      yield* Effect.flip(of(world, people(4)))
      yield* pass("2 days")
      world.asker.block(askerOne, person(1))
      yield* of(world, people(4))
      assert.strictEqual((yield* standings(person(1)))[askerOne], "opted-out held opted-out")
    }).pipe(timed)
  )

  it.effect("that takes days, and is cut off again and again, still comes to its end (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2 } })
      for (let day = 0; day < 3; day++) {
        world.asker.fail("check", [{ kind: "none" }, { kind: "unavailable" }])
        yield* Effect.flip(of(world, people(10)))
        yield* pass("23 hours")
      }
      world.asker.calls.length = 0
      yield* of(world, people(10))
      assert.deepStrictEqual(asked(world).slice(0, 2), ["one 7 8", "one 9 10"])
    }).pipe(timed)
  )

  it.effect("of one sender meanwhile is another one: that of the whole account is not over with it (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2 } })
      const request = { startedBy: "ann", recipients: from(people(2)), sender: askerOne }
      const meanwhile = Stream.fromEffect(world.run(backfill(world.asking, request)))
      const cutOff = Stream.concat(from(people(2, 3))(), Stream.fail("killed" as const))
      const recipients = () => Stream.concat(Stream.drain(meanwhile), cutOff)
      const all = backfill(world.asking, { startedBy: "ann", recipients })
      assert.strictEqual(yield* Effect.flip(world.run(all)), "killed")
      const { id } = world.asking.account
      assert.deepInclude((yield* lastEnded("backfill", id))?.counts, { sender: askerOne })
      world.asker.calls.length = 0
      yield* of(world, people(4))
      assert.deepStrictEqual(asked(world), ["two 1 2", "two 3 4"])
    }).pipe(timed)
  )

  it.effect("of an account for the first time needs no guard, and for the second time does (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(tight)
      world.asker.block(askerOne, ...people(10))
      yield* of(world, people(10))
      const first = yield* world.round({ read: false })
      assert.strictEqual(first.outcome, "completed")
      assert.isTrue(world.lister.holds(listerTwo, person(10)))
      yield* pass("1 minute")
      world.asker.block(askerOne, ...people(10, 20))
      yield* of(world, people(10, 20))
      const second = yield* world.round({ read: false })
      assert.strictEqual(second.outcome, "halted")
      assert.isFalse(world.lister.holds(listerTwo, person(20)))
    }).pipe(timed)
  )

  it.effect("that was cut off and goes on is still the first one (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ ...tight, asker: { batch: 5 } })
      world.asker.block(askerOne, ...people(10))
      world.asker.fail("check", [{ kind: "none" }, { kind: "unavailable" }])
      yield* Effect.flip(of(world, people(10)))
      yield* pass("1 minute")
      yield* of(world, people(10))
      assert.strictEqual((yield* world.round({ read: false })).outcome, "completed")
      assert.isTrue(world.lister.holds(listerOne, person(10)))
    }).pipe(timed)
  )

  it.effect("walks where there is a list, unguarded the first time (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld(tight)
      world.lister.block(listerOne, ...people(7))
      const request: BackfillRequest<never, never> = { startedBy: "ann" }
      const report = yield* world.run(backfill(world.listing, request))
      assert.deepInclude(report._tag === "Walked" && report.walks[0], { rows: 7, news: 7 })
      assert.strictEqual((yield* world.round({ read: false })).outcome, "completed")
      assert.isTrue(world.asker.holds(askerTwo, person(7)))
      yield* pass("1 minute")
      world.lister.block(listerTwo, ...people(7, 20))
      yield* world.run(backfill(world.listing, request))
      assert.strictEqual((yield* world.round({ read: false })).outcome, "halted")
    }).pipe(timed)
  )

  it.effect("of a provider that can be neither listed nor asked says so", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const adapter = { ...world.asker.adapter, check: cannot("it answers nobody") }
      const mute: Station = { ...world.asking, adapter }
      const request = { startedBy: "ann", recipients: from(people(3)) }
      const report = yield* Effect.provideService(backfill(mute, request), Fleet, world.fleet)
      assert.deepStrictEqual(report, { _tag: "Blind", account: "asker", why: "it answers nobody", canBeAsked: false })
      const nobody: BackfillRequest<never, never> = { startedBy: "ann" }
      const unnamed = yield* world.run(backfill(world.asking, nobody))
      assert.deepStrictEqual(unnamed, { _tag: "Blind", account: "asker", why: "it has no list", canBeAsked: true })
    }).pipe(timed)
  )

  it.effect("takes a list that breaks off for what it is", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2 } })
      const broken = () => Stream.concat(Stream.fromIterable(people(4)), Stream.fail("row 5" as const))
      const request = { startedBy: "ann", recipients: broken }
      assert.strictEqual(yield* Effect.flip(world.run(backfill(world.asking, request))), "row 5")
      assert.isFalse(yield* hasBackfilled(world.asking.account.id))
      assert.strictEqual((yield* standings(person(2)))[askerOne], "opted-in held opted-in")
    }).pipe(timed)
  )

  it.effect("goes on behind people whom the provider refuses to speak of (L9)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2 } })
      for (const n of [1, 2, 5, 6]) world.asker.treat(person(n), "refused")
      const report = yield* of(world, people(6))
      assert.deepInclude(report, {
        checks: [
          { account: "asker", asked: 6, unanswered: 4, news: 0 },
          { account: "asker", asked: 6, unanswered: 4, news: 0 }
        ]
      })
    }).pipe(timed)
  )

  it.effect("goes on behind many of them who stand together (L9)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2 } })
      for (const n of [1, 2, 3, 4, 5, 6]) world.asker.treat(person(n), "refused")
      world.asker.block(askerOne, person(8))
      yield* of(world, people(8))
      assert.strictEqual((yield* standings(person(8)))[askerOne], "opted-out held opted-out")
    }).pipe(timed)
  )

  it.effect("of a list of which nobody is taken is given up", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2 } })
      for (const who of people(40)) world.asker.treat(who, "refused")
      assert.strictEqual((yield* Effect.flip(of(world, people(40))))._tag, "ProviderError")
      assert.isAtMost(world.asker.calls.length, 24)
    }).pipe(timed)
  )

  it.effect("that is refused altogether has failed, and asks about the same again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2 } })
      for (const who of people(6)) world.asker.treat(who, "refused")
      assert.strictEqual((yield* Effect.flip(of(world, people(6))))._tag, "ProviderError")
      for (const who of people(6)) world.asker.treat(who, undefined)
      const report = yield* of(world, people(6))
      assert.deepInclude(report, {
        checks: [
          { account: "asker", asked: 6, unanswered: 0, news: 0 },
          { account: "asker", asked: 6, unanswered: 0, news: 0 }
        ]
      })
    }).pipe(timed)
  )
})
