import { assert, layer } from "@effect/vitest"
import { applyTo } from "@stopline/engine"
import { Connection } from "@stopline/ledger"
import { Deferred, Effect, Fiber } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { viewOf } from "../../../test/world.ts"
import {
  askerOne,
  askerTwo,
  everything,
  listerOne,
  listerTwo,
  makeWorld,
  pass,
  people,
  person,
  senderOf,
  standings,
  timed
} from "./world.ts"

layer(ledgerForTest, { excludeTestServices: true })("applying", (it) => {
  it.effect("commits the intent before the request leaves (L7)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const connection = yield* Connection
      yield* world.says("STOP", listerOne, person(1))
      const seen: Array<string | undefined> = []
      world.asker.onRequest = (call) =>
        Effect.gen(function* () {
          // Seen from outside: what is not committed would not show.
          const view = yield* viewOf(senderOf(world.asking, call.sender!)!, person(1))
          seen.push(view?.view.intent)
        }).pipe(Effect.provideService(Connection, connection), Effect.orDie)
      yield* world.run(applyTo(world.asking, everything))
      assert.deepStrictEqual(seen, ["opted-out", "opted-out"])
      assert.isUndefined((yield* viewOf(senderOf(world.asking, askerOne)!, person(1)))?.view.intent)
    }).pipe(timed)
  )

  it.effect("commits the outcomes before it tells of an error (L9)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2, concurrency: 1 } })
      for (const who of people(6)) yield* world.says("STOP", listerOne, who)
      world.asker.fail("optOut", [{ kind: "none" }, { kind: "unavailable" }], askerTwo)
      const report = yield* world.run(applyTo(world.asking, everything))
      assert.deepInclude(report, { optedOut: 8, retryable: 4, rejected: 0 })
      assert.deepStrictEqual(
        report.errors.map((error) => error.message),
        ["asker: optOut: Unavailable: unavailable"]
      )
      // Of the second sender's burst one request was done, one met the error, and the one behind it was never sent.
      const held = yield* Effect.forEach([1, 3, 5], (n) =>
        Effect.map(standings(person(n)), (one) => one[askerTwo] ?? "")
      )
      assert.deepStrictEqual(held, ["opted-out held opted-out", "opted-out held unknown", "opted-out held unknown"])
      assert.strictEqual(world.asker.calls.length, 3 + 2)
    }).pipe(timed)
  )

  it.effect("lets no recipient block a batch of a hundred (L9)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      for (const who of people(100)) yield* world.says("STOP", listerOne, who)
      world.asker.treat(person(17), "rejected")
      world.asker.treat(person(18), "retryable")
      world.asker.treat(person(19), "missing")
      const report = yield* world.run(applyTo(world.asking, everything))
      assert.deepInclude(report, { optedOut: 2 * 97, rejected: 2, retryable: 4, errors: [] })
      const writes = world.asker.calls.filter((call) => call.operation === "optOut")
      assert.deepStrictEqual(
        writes.map((call) => call.recipients.length),
        [100, 100]
      )
      assert.strictEqual((yield* standings(person(17)))[askerOne], "opted-out held unknown")
      // A recipient that was left out of the answer is not said to be held (L5).
      assert.strictEqual((yield* standings(person(19)))[askerOne], "opted-out held unknown")
      // The next time only who may be tried again is.
      world.asker.calls.length = 0
      yield* world.run(applyTo(world.asking, everything))
      assert.deepStrictEqual(
        world.asker.calls.map((call) => call.recipients),
        [
          [person(18), person(19)],
          [person(18), person(19)]
        ]
      )
      yield* pass("25 hours")
      world.asker.treat(person(17), undefined)
      world.asker.treat(person(18), undefined)
      world.asker.treat(person(19), undefined)
      assert.deepInclude(yield* world.run(applyTo(world.asking, everything)), {
        optedOut: 6,
        rejected: 0,
        retryable: 0
      })
    }).pipe(timed)
  )

  it.effect("leaves nothing to be applied again (L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, person(1))
      yield* world.says("STOP", askerOne, person(2))
      yield* world.round()
      const again = yield* world.round()
      assert.deepStrictEqual([again.plan.changes, again.plan.withheld, again.outcome], [0, 0, "completed"])
      assert.deepStrictEqual(world.lister.calls.filter((call) => call.operation === "optOut").length, 2)
    }).pipe(timed)
  )

  it.effect("writes nothing that a START has made pointless since it was planned", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 1, concurrency: 1 }, policy: "group" })
      const connection = yield* Connection
      for (const who of people(3)) yield* world.says("STOP", listerOne, who)
      yield* pass("1 minute")
      // While the first one is written, the second one changes their mind.
      let said = false
      world.asker.onRequest = () =>
        Effect.gen(function* () {
          if (said) return
          said = true
          yield* world.says("START", listerOne, person(2))
        }).pipe(Effect.provideService(Connection, connection), Effect.orDie)
      const report = yield* world.run(applyTo(world.asking, everything))
      assert.deepInclude(report, { optedOut: 4, errors: [] })
      assert.isFalse(world.asker.holds(askerOne, person(2)))
      assert.isTrue(world.asker.holds(askerOne, person(3)))
    }).pipe(timed)
  )

  it.effect("blocks nobody who has said START since, where nobody but they could lift it again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        asker: { batch: 1, concurrency: 1, optIn: "the carrier holds it" },
        policy: "group"
      })
      const connection = yield* Connection
      for (const who of people(3)) yield* world.says("STOP", listerOne, who)
      yield* pass("1 minute")
      let said = false
      world.asker.onRequest = ({ sender }) =>
        Effect.gen(function* () {
          if (said || sender !== askerTwo) return
          said = true
          // Their intent stands already, in the same burst.
          const view = yield* viewOf(senderOf(world.asking, askerTwo)!, person(2))
          assert.strictEqual(view?.view.intent, "opted-out")
          yield* world.says("START", listerOne, person(2))
        }).pipe(Effect.provideService(Connection, connection), Effect.orDie)
      assert.deepInclude(yield* world.run(applyTo(world.asking, everything)), { optedOut: 5, errors: [] })
      assert.isFalse(world.asker.holds(askerTwo, person(2)))
      assert.isTrue(world.asker.holds(askerTwo, person(3)))
    }).pipe(timed)
  )

  it.effect("stops the sender that is denied, and the account when a second one is", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", askerOne, person(1))
      world.lister.fail("optOut", [{ kind: "denied" }], listerOne)
      const one = yield* world.run(applyTo(world.listing, everything))
      assert.deepStrictEqual([one.errors.length, one.optedOut], [1, 1])
      assert.isTrue(world.lister.holds(listerTwo, person(1)))
      world.asker.failAlways(["optOut"], { kind: "denied" })
      world.asker.calls.length = 0
      const report = yield* world.run(applyTo(world.asking, everything))
      assert.strictEqual(report.errors.length, 2)
      assert.strictEqual(world.asker.calls.length, 2)
    }).pipe(timed)
  )

  it.effect("carries out no more than was planned, whatever is found meanwhile (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      world.lister.block(listerOne, ...people(5))
      yield* world.round({ write: false })
      yield* world.says("STOP", listerOne, person(9))
      const options = { ...everything, atMost: { "opted-out": 3, "opted-in": 0 } }
      const report = yield* world.run(applyTo(world.asking, options))
      // The person's own words go in any case, to both senders; of the rest, three.
      assert.deepInclude(report, { optedOut: 2 + 3, heldBack: 7 })
      assert.isTrue(world.asker.holds(askerTwo, person(9)))
    }).pipe(timed)
  )

  it.effect("brings an opt-in only where the person opted in (L3)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, person(1))
      yield* world.round()
      yield* pass("1 minute")
      yield* world.says("START", askerOne, person(1))
      yield* world.run(applyTo(world.listing, everything))
      yield* world.run(applyTo(world.asking, everything))
      assert.deepStrictEqual(
        [listerOne, listerTwo].map((sender) => world.lister.holds(sender, person(1))),
        [true, true]
      )
      assert.deepStrictEqual(
        [askerOne, askerTwo].map((sender) => world.asker.holds(sender, person(1))),
        [false, true]
      )
    }).pipe(timed)
  )

  it.effect("interrupted in the middle of a request waits for its answer, and sends no other (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 1, concurrency: 1 } })
      yield* world.says("STOP", listerOne, person(1))
      const arrived = yield* Deferred.make<void>()
      const answered = yield* Deferred.make<void>()
      world.asker.onRequest = () => Effect.andThen(Deferred.succeed(arrived, undefined), Deferred.await(answered))
      const fiber = yield* Effect.forkChild(world.run(applyTo(world.asking, everything)))
      yield* Deferred.await(arrived)
      const end = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* Deferred.succeed(answered, undefined)
      yield* Fiber.join(end)
      const view = (yield* viewOf(senderOf(world.asking, askerOne)!, person(1)))?.view
      assert.deepInclude(view, { intent: undefined, held: "opted-out" })
      assert.strictEqual(world.asker.calls.length, 1)
    }).pipe(timed)
  )

  it.effect("interrupted in the middle of a request accounts for what it had begun (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { graceMs: 1 } })
      yield* world.says("STOP", listerOne, person(1))
      const arrived = yield* Deferred.make<void>()
      world.asker.onRequest = () => Effect.andThen(Deferred.succeed(arrived, undefined), Effect.never)
      const fiber = yield* Effect.forkChild(world.run(applyTo(world.asking, everything)))
      yield* Deferred.await(arrived)
      const end = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* pass("1 second")
      yield* Fiber.join(end)
      const view = (yield* viewOf(senderOf(world.asking, askerOne)!, person(1)))?.view
      // It may have been done: nothing is known to be held, and an echo may come.
      assert.deepInclude(view, { intent: undefined, held: undefined, echoDue: true })
      assert.strictEqual(view?.written?.state, "opted-out")
      world.asker.onRequest = () => Effect.void
      assert.deepInclude(yield* world.run(applyTo(world.asking, everything)), { optedOut: 2, errors: [] })
    }).pipe(timed)
  )

  it.effect("has those behind whom a provider refuses written all the same (L2, L9)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 2, concurrency: 1 } })
      // Requests of nobody but refused people: the first burst, and one in the middle of the next.
      for (const n of [1, 2, 5, 6]) world.asker.treat(person(n), "refused")
      for (const who of people(8)) yield* world.says("STOP", listerOne, who)
      const report = yield* world.run(applyTo(world.asking, everything))
      assert.deepInclude(report, { optedOut: 8, retryable: 8, rejected: 0 })
      for (const n of [3, 4, 7, 8]) {
        assert.deepInclude(yield* standings(person(n)), { [askerOne]: "opted-out held opted-out" })
      }
      assert.isAbove(report.errors.length, 0)
    }).pipe(timed)
  )

  it.effect("has those let in who said START, though all opt-outs are refused (L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 1, concurrency: 1 } })
      yield* world.says("STOP", listerOne, person(9))
      yield* world.run(applyTo(world.asking, everything))
      yield* pass("1 minute")
      yield* world.says("START", askerOne, person(9))
      world.asker.block(askerOne, person(9))
      for (const who of people(8)) {
        world.asker.treat(who, "refused")
        yield* world.says("STOP", listerOne, who)
      }
      world.asker.calls.length = 0
      const report = yield* world.run(applyTo(world.asking, everything))
      assert.deepInclude(report, { optedOut: 0, optedIn: 1 })
      // It is the request, not who is in it: the rest is not tried.
      assert.isAtMost(world.asker.calls.filter(({ sender }) => sender === askerTwo).length, 4)
    }).pipe(timed)
  )

  it.effect(
    "begins behind those whom a provider refuses, and then with them again, be they ever so many (L2, L9)",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ asker: { batch: 1, concurrency: 1 }, settings: { pageRows: 3 } })
        yield* world.says("STOP", listerOne, person(9))
        yield* world.run(applyTo(world.asking, everything))
        yield* pass("1 minute")
        yield* world.says("START", askerOne, person(9))
        world.asker.block(askerOne, person(9))
        for (const n of [1, 2, 3, 4, 5]) world.asker.treat(person(n), "refused")
        for (const who of people(8)) yield* world.says("STOP", listerOne, who)
        // Those behind them in the same direction wait for the next one, those in the other do not.
        const first = yield* world.run(applyTo(world.asking, everything))
        assert.deepInclude(first, { optedOut: 0, optedIn: 1 })
        assert.isFalse(world.asker.holds(askerOne, person(8)))
        for (let n = 0; n < 2; n++) yield* world.run(applyTo(world.asking, everything))
        for (const n of [6, 7, 8]) {
          assert.deepInclude(yield* standings(person(n)), { [askerOne]: "opted-out held opted-out" })
        }
        // Nobody behind them is left, and they are: that is no apply in which all went well.
        const last = yield* world.run(applyTo(world.asking, everything))
        assert.isAbove(last.errors.length, 0)
        world.asker.treat(person(1), undefined)
        for (let n = 0; n < 2; n++) yield* world.run(applyTo(world.asking, everything))
        assert.isTrue(world.asker.holds(askerOne, person(1)))
      }).pipe(timed)
  )

  it.effect("does not ask again on each page whether the request is refused", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ asker: { batch: 1, concurrency: 1 }, settings: { pageRows: 1 } })
      for (const who of people(8)) {
        world.asker.treat(who, "refused")
        yield* world.says("STOP", listerOne, who)
      }
      world.asker.calls.length = 0
      yield* world.run(applyTo(world.asking, everything))
      assert.isAtMost(world.asker.calls.filter(({ sender }) => sender === askerOne).length, 3)
    }).pipe(timed)
  )
})
