import { assert, layer } from "@effect/vitest"
import { importOptOuts, seeking } from "@stopline/engine"
import { unheld } from "@stopline/ledger"
import { Clock, Effect, Stream } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { saidOf } from "../../../test/world.ts"
import {
  askerOne,
  listerOne,
  makeWorld,
  pass,
  people,
  person,
  standings,
  timed,
  type World,
  type WorldOptions
} from "./world.ts"

const window = { confirmMs: 600_000 }

/** A person who said STOP, which is held everywhere; what they text next is lost on its way to us. */
const silenced = Effect.fnUntraced(function* (keepsMessages: boolean) {
  const world = yield* makeWorld({ lister: { keepsMessages } })
  yield* world.says("STOP", listerOne, person(1))
  yield* world.round(window)
  yield* pass("1 minute")
  return world
})

const crowdSilenced = Effect.fnUntraced(function* (count: number, settings: WorldOptions["settings"] = {}) {
  const world = yield* makeWorld({ lister: { keepsMessages: true }, settings })
  for (const who of people(count)) yield* world.says("STOP", listerOne, who)
  yield* world.round(window)
  yield* pass("1 minute")
  return world
})

const minutes = Effect.fnUntraced(function* (world: World, count: number, options = window) {
  for (let minute = 0; minute < count; minute++) {
    yield* pass("1 minute")
    yield* world.round(options)
  }
})

/** Why what differs is left alone, as it is watched. */
const waitingFor = Effect.fnUntraced(function* (world: World) {
  const { account } = world.listing
  const senders = account.senders.map((sender) => ({ account, sender, optOut: true, optIn: true, seeking }))
  const now = yield* Clock.currentTimeMillis
  return (yield* unheld(senders, { ...window, policy: "strict", now })).map(({ withheld }) => withheld)
})

const textsUnheard = (world: World, words: string) =>
  Effect.map(Clock.currentTimeMillis, (now) => world.lister.text(listerOne, person(1), words, now))

const evidenceCalls = (world: World) => world.lister.calls.filter((call) => call.operation === "evidence")

layer(ledgerForTest, { excludeTestServices: true })("evidence", (it) => {
  it.effect("of a START that never reached us lifts the block where it was said (L3)", () =>
    Effect.gen(function* () {
      const world = yield* silenced(true)
      yield* textsUnheard(world, "START")
      yield* pass("1 minute")
      const report = yield* world.round(window)
      assert.strictEqual(evidenceCalls(world).length, 1)
      assert.deepStrictEqual([report.plan.changes, report.plan.withheld], [0, 0])
      assert.strictEqual((yield* standings(person(1)))[listerOne], "opted-in held opted-in")
      assert.strictEqual((yield* standings(person(1)))[askerOne], "opted-out held opted-out")
      // Found once, it is not looked for again.
      yield* pass("1 hour")
      yield* world.round(window)
      assert.strictEqual(evidenceCalls(world).length, 1)
      assert.isFalse(world.lister.holds(listerOne, person(1)))
    }).pipe(timed)
  )

  it.effect("is asked for from the opt-out on, and its absence puts the block back (L3)", () =>
    Effect.gen(function* () {
      const world = yield* silenced(true)
      world.lister.lift(listerOne, person(1))
      yield* pass("1 minute")
      yield* world.round(window)
      assert.strictEqual(evidenceCalls(world).length, 1)
      // The STOP itself was found again, and is the same fact (L11).
      assert.strictEqual((yield* saidOf(person(1))).filter((said) => said.includes("message")).length, 1)
      yield* pass("10 minutes")
      yield* world.round(window)
      assert.isTrue(world.lister.holds(listerOne, person(1)))
    }).pipe(timed)
  )

  it.effect("that cannot be asked for leaves the block waiting, and says so", () =>
    Effect.gen(function* () {
      const world = yield* silenced(true)
      yield* textsUnheard(world, "START")
      world.lister.failAlways(["evidence"], { kind: "unavailable" })
      yield* pass("1 minute")
      const report = yield* world.round(window)
      assert.strictEqual(report.outcome, "incomplete")
      assert.strictEqual(report.plan.withheld, 1)
      world.lister.failAlways(["evidence"], undefined)
      yield* pass("1 minute")
      assert.strictEqual((yield* world.round(window)).outcome, "completed")
      assert.strictEqual((yield* standings(person(1)))[listerOne], "opted-in held opted-in")
    }).pipe(timed)
  )

  it.effect("of one person that cannot be read is none, and keeps nobody else waiting (L3, L9)", () =>
    Effect.gen(function* () {
      const world = yield* silenced(true)
      yield* textsUnheard(world, "START")
      world.lister.failAlways(["evidence"], { kind: "unreadable" })
      yield* pass("1 minute")
      assert.strictEqual((yield* world.round(window)).outcome, "completed")
      yield* pass("10 minutes")
      yield* world.round(window)
      assert.isTrue(world.lister.holds(listerOne, person(1)))
    }).pipe(timed)
  )

  it.effect("is nowhere to be had where no messages are kept", () =>
    Effect.gen(function* () {
      const world = yield* silenced(false)
      yield* textsUnheard(world, "START")
      yield* pass("1 minute")
      yield* world.round(window)
      yield* pass("10 minutes")
      yield* world.round(window)
      assert.isTrue(world.lister.holds(listerOne, person(1)))
    }).pipe(timed)
  )

  it.effect("of one START among many lifted blocks is found before they are put back (L3)", () =>
    Effect.gen(function* () {
      const world = yield* crowdSilenced(25)
      for (const who of people(24)) world.lister.lift(listerOne, who)
      world.lister.text(listerOne, person(25), "START", yield* Clock.currentTimeMillis)
      yield* minutes(world, 15)
      assert.strictEqual((yield* standings(person(25)))[listerOne], "opted-in held opted-in")
      assert.strictEqual((yield* standings(person(1)))[listerOne], "opted-out held opted-out")
    }).pipe(timed)
  )

  it.effect("of more than can be looked for in the window is waited for until each had a turn (L3)", () =>
    Effect.gen(function* () {
      const world = yield* crowdSilenced(140)
      for (const who of people(139)) world.lister.lift(listerOne, who)
      yield* minutes(world, 4)
      world.lister.text(listerOne, person(140), "START", yield* Clock.currentTimeMillis)
      yield* minutes(world, 7)
      assert.isFalse(world.lister.holds(listerOne, person(1)))
      assert.deepStrictEqual(yield* waitingFor(world), ["awaiting-evidence"])
      yield* minutes(world, 4)
      assert.isTrue(world.lister.holds(listerOne, person(1)))
      assert.strictEqual((yield* standings(person(140)))[listerOne], "opted-in held opted-in")
    }).pipe(timed)
  )

  it.effect("of one whose turn comes late, behind a page of others, is waited for as well (L3)", () =>
    Effect.gen(function* () {
      const world = yield* crowdSilenced(255)
      for (const who of people(254)) world.lister.lift(listerOne, who)
      world.lister.text(listerOne, person(255), "START", yield* Clock.currentTimeMillis)
      yield* minutes(world, 14)
      assert.strictEqual((yield* standings(person(255)))[listerOne], "opted-in held opted-in")
    }).pipe(timed)
  )

  it.effect("of the first, whose turn has just passed, is waited for until it comes again (L3)", () =>
    Effect.gen(function* () {
      const world = yield* crowdSilenced(101, { pageRows: 3 })
      const brief = { confirmMs: 120_000 }
      for (const who of people(100, 2)) world.lister.lift(listerOne, who)
      yield* minutes(world, 1, brief)
      yield* textsUnheard(world, "START")
      yield* minutes(world, 6, brief)
      assert.strictEqual((yield* standings(person(1)))[listerOne], "opted-in held opted-in")
    }).pipe(timed)
  )

  it.effect("is looked for at once, behind however many others who are not as they must be (L3)", () =>
    Effect.gen(function* () {
      const world = yield* silenced(true)
      const behind = [person(3_000), person(4_000)] as const
      for (const who of behind) yield* world.says("STOP", listerOne, who)
      yield* world.round(window)
      // Of a thousand found in bulk nobody is written, for a person has to look.
      const rows = Stream.fromIterable(people(1_010, 10)).pipe(
        Stream.map((recipient) => ({ recipient, places: [{ account: world.asking.account, sender: askerOne }] }))
      )
      yield* world.run(importOptOuts({ name: "list", source: "list", startedBy: "ann", rows }))
      yield* pass("1 minute")
      world.lister.lift(listerOne, behind[1])
      yield* minutes(world, 1)
      assert.strictEqual(evidenceCalls(world).length, 1)
      world.lister.text(listerOne, behind[0], "START", yield* Clock.currentTimeMillis)
      yield* minutes(world, 1)
      assert.strictEqual((yield* standings(behind[0]))[listerOne], "opted-in held opted-in")
    }).pipe(timed)
  )
})
