import { assert, layer } from "@effect/vitest"
import { backfill, push, sweep } from "@stopline/engine"
import { type Connection, know, lastRuns } from "@stopline/ledger"
import { Clock, Effect, Stream } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { saidOf } from "../../../test/world.ts"
import {
  askerOne,
  askerTwo,
  listerOne,
  makeWorld,
  pass,
  people,
  person,
  standings,
  timed,
  type World
} from "./world.ts"

const sweepOf = (world: World, perSender = 100, perHour = Infinity) => {
  const { check } = world.asker.adapter
  if (check._tag !== "Can") throw new Error("it can be asked")
  return world.run(sweep(world.asking, check.port, { perSender, perHour }, "test"))
}

/** People one sender's provider was asked about a while ago, one minute after the other. */
const known = Effect.fnUntraced(function* (count: number, options: Parameters<typeof makeWorld>[0] = {}) {
  const world = yield* makeWorld(options)
  for (const who of people(count)) {
    yield* world.run(
      backfill(world.asking, { startedBy: "test", sender: askerOne, recipients: () => Stream.succeed(who) })
    )
    yield* pass("1 minute")
  }
  world.asker.calls.length = 0
  return world
})

const asked = (world: World) => world.asker.calls.map((call) => call.recipients.map((who) => Number(who.slice(-3))))

layer(ledgerForTest, { excludeTestServices: true })("a sweep", (it) => {
  it.effect("asks about the stalest first, within its budget, and about all in turn", () =>
    Effect.gen(function* () {
      const world = yield* known(5, { asker: { batch: 2 } })
      assert.deepInclude(yield* sweepOf(world, 3), { asked: 3, unanswered: 0, news: 0 })
      assert.deepStrictEqual(asked(world), [[1, 2], [3]])
      yield* pass("1 minute")
      world.asker.calls.length = 0
      yield* sweepOf(world, 3)
      assert.deepStrictEqual(asked(world), [[4, 5], [1]])
    }).pipe(timed)
  )

  it.effect("asks about somebody of whom only a START was ever heard (L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("START", askerOne, person(1))
      world.asker.block(askerOne, person(1))
      assert.deepInclude(yield* sweepOf(world), { asked: 1, news: 1 })
      assert.strictEqual((yield* standings(person(1)))[askerTwo], "opted-out held unknown")
    }).pipe(timed)
  )

  it.effect("asks about nobody twice, however large its budget", () =>
    Effect.gen(function* () {
      const world = yield* known(3, { asker: { batch: 2 } })
      assert.deepInclude(yield* sweepOf(world, 1_000), { asked: 3 })
      assert.deepStrictEqual(asked(world), [[1, 2], [3]])
    }).pipe(timed)
  )

  it.effect("has a budget for any hour, which its senders share and every process keeps", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { account } = world.asking
      const somebody = people(10).map((recipient) => ({ recipient }))
      yield* know(account, account.senders, somebody)
      assert.deepInclude(yield* sweepOf(world, 100, 6), { asked: 6 })
      assert.deepStrictEqual(
        world.asker.calls.map(({ recipients, sender }) => [sender, recipients.length]),
        [
          [askerOne, 3],
          [askerTwo, 3]
        ]
      )
      yield* pass("59 minutes")
      assert.deepInclude(yield* sweepOf(world, 100, 6), { asked: 0 })
      assert.deepInclude(yield* sweepOf(world, 100, 7), { asked: 1 })
      // One that died half-way has used up what it asked.
      world.asker.fail("check", [{ kind: "none" }, { kind: "unavailable" }])
      yield* pass("2 minutes")
      yield* Effect.flip(sweepOf(world, 2, 5))
      assert.deepInclude(yield* sweepOf(world, 100, 5), { asked: 2 })
    }).pipe(timed)
  )

  it.effect("asks early about who was texted since, the latest first, and keeps nobody else waiting for it", () =>
    Effect.gen(function* () {
      const world = yield* known(9)
      const { account } = world.asking
      const now = yield* Clock.currentTimeMillis
      yield* know(account, account.senders, [
        { recipient: person(7), textedAt: now },
        { recipient: person(8), textedAt: now + 1_000 },
        { recipient: person(9), textedAt: now + 2_000 }
      ])
      yield* pass("1 minute")
      yield* sweepOf(world, 6)
      assert.deepStrictEqual(asked(world)[0], [9, 8, 1, 2, 3, 4])
      yield* pass("1 minute")
      world.asker.calls.length = 0
      // They were asked about since they were texted.
      yield* sweepOf(world, 3)
      assert.deepStrictEqual(asked(world)[0], [7, 5, 6])
    }).pipe(timed)
  )

  it.effect("of a sender that is denied leaves the others to be asked; a second denial is the account's", () =>
    Effect.gen(function* () {
      const world = yield* known(2)
      const { account } = world.asking
      yield* know(
        account,
        account.senders,
        people(2).map((recipient) => ({ recipient }))
      )
      yield* pass("1 minute")
      world.asker.block(askerTwo, person(1))
      world.asker.fail("check", [{ kind: "denied" }])
      const error = yield* Effect.flip(sweepOf(world))
      assert.strictEqual(error._tag === "ProviderError" && error.reason._tag, "Denied")
      assert.strictEqual((yield* standings(person(1)))[askerTwo], "opted-out held opted-out")
      assert.isUndefined((yield* lastRuns("sweep", account.id)).completedAt)
      yield* pass("1 minute")
      world.asker.calls.length = 0
      world.asker.fail("check", [{ kind: "denied" }, { kind: "denied" }])
      yield* Effect.flip(sweepOf(world))
      assert.strictEqual(world.asker.calls.length, 2)
    }).pipe(timed)
  )

  for (const how of ["unanswered", "missing"] as const) {
    it.effect(`takes who is ${how} for unknown, and asks about the others before it asks again (L5)`, () =>
      Effect.gen(function* () {
        const world = yield* known(3)
        world.asker.block(askerOne, person(1))
        yield* sweepOf(world)
        assert.strictEqual((yield* standings(person(1)))[askerOne], "opted-out held opted-out")
        // It is not blocked any more, and nobody says so.
        world.asker.lift(askerOne, person(1))
        world.asker.treat(person(1), how)
        yield* pass("1 minute")
        assert.deepInclude(yield* sweepOf(world), { asked: 3, unanswered: 1, news: 0 })
        assert.strictEqual((yield* standings(person(1)))[askerOne], "opted-out held opted-out")
        assert.strictEqual((yield* saidOf(person(1))).length, 1)
        yield* pass("1 minute")
        world.asker.calls.length = 0
        yield* sweepOf(world, 1)
        yield* sweepOf(world, 1)
        assert.isAtMost(
          asked(world)
            .flat()
            .filter((n) => n === 1).length,
          1
        )
      }).pipe(timed)
    )
  }

  it.effect("learns of a block that was lifted, opts nobody in, and raises the question (L3)", () =>
    Effect.gen(function* () {
      const world = yield* known(2)
      yield* world.says("STOP", listerOne, person(1))
      yield* world.round()
      world.asker.lift(askerOne, person(1))
      yield* pass("1 minute")
      assert.deepInclude(yield* sweepOf(world), { news: 1 })
      assert.strictEqual((yield* standings(person(1)))[askerOne], "opted-out held opted-in")
      const { plan } = yield* world.round({ read: false, write: false })
      assert.deepStrictEqual(plan.accounts[1]?.byReason, { [`${askerOne} opted-out reassert`]: 1 })
    }).pipe(timed)
  )

  it.effect("learns of an opt-out that nobody told of, for every sender of the group (L2)", () =>
    Effect.gen(function* () {
      const world = yield* known(2)
      world.asker.block(askerOne, person(2))
      assert.deepInclude(yield* sweepOf(world), { news: 1 })
      assert.strictEqual((yield* standings(person(2)))[listerOne], "opted-out held unknown")
      assert.strictEqual((yield* standings(person(2)))[askerTwo], "opted-out held unknown")
    }).pipe(timed)
  )

  it.effect("says nothing of what we wrote while its answer was on its way (L7)", () =>
    Effect.gen(function* () {
      const world = yield* known(1)
      const said = yield* world.says("STOP", listerOne, person(1))
      const context = yield* Effect.context<Connection>()
      world.asker.onRequest = Effect.fnUntraced(function* ({ operation }) {
        if (operation !== "check") return
        yield* pass("1 second")
        yield* Effect.orDie(Effect.provideContext(world.run(push(said)), context))
        // What is answered now is how it was before.
        world.asker.lift(askerOne, person(1))
        yield* pass("1 second")
      })
      assert.deepInclude(yield* sweepOf(world), { asked: 1, news: 0 })
      assert.strictEqual((yield* standings(person(1)))[askerOne], "opted-out held opted-out")
    }).pipe(timed)
  )

  it.effect("that fails keeps what it was told before, and is no sweep that ended well (L9)", () =>
    Effect.gen(function* () {
      const world = yield* known(4, { asker: { batch: 2 } })
      world.asker.block(askerOne, ...people(4))
      world.asker.fail("check", [{ kind: "none" }, { kind: "unavailable" }])
      assert.strictEqual((yield* Effect.flip(sweepOf(world)))._tag, "ProviderError")
      const stands = yield* Effect.forEach(people(4), (who) => Effect.map(standings(who), (one) => one[askerOne]))
      assert.deepStrictEqual(stands, [
        "opted-out held opted-out",
        "opted-out held opted-out",
        "opted-in held opted-in",
        "opted-in held opted-in"
      ])
      assert.isUndefined((yield* lastRuns("sweep", world.asking.account.id)).completedAt)
    }).pipe(timed)
  )

  it.effect("does not stop for ever at people whom the provider refuses to speak of (L9)", () =>
    Effect.gen(function* () {
      const world = yield* known(8, { asker: { batch: 2 } })
      for (const who of people(2)) world.asker.treat(who, "refused")
      assert.deepInclude(yield* sweepOf(world), { asked: 8, unanswered: 2 })
      // Four, in requests of two: it may be the request, which is told; and yet the next have their turn.
      for (const who of people(4)) world.asker.treat(who, "refused")
      yield* pass("1 minute")
      world.asker.calls.length = 0
      assert.strictEqual((yield* Effect.flip(sweepOf(world)))._tag, "ProviderError")
      yield* pass("1 minute")
      assert.deepInclude(yield* sweepOf(world, 2), { asked: 2, unanswered: 0 })
      assert.deepStrictEqual(asked(world), [
        [1, 2],
        [3, 4],
        [5, 6]
      ])
    }).pipe(timed)
  )

  it.effect("that learns of nobody, as all are refused, has failed", () =>
    Effect.gen(function* () {
      const world = yield* known(2)
      for (const who of people(2)) world.asker.treat(who, "refused")
      assert.strictEqual((yield* Effect.flip(sweepOf(world)))._tag, "ProviderError")
    }).pipe(timed)
  )
})
