import { assert, layer } from "@effect/vitest"
import type { ConsentState } from "@stopline/consent"
import { applyTo, push, writeBurst } from "@stopline/engine"
import { Connection, ingest, type Ingested } from "@stopline/ledger"
import { type ProviderAdapter, type WritePort, writePort } from "@stopline/provider"
import { Clock, Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { observation, viewOf } from "../../../test/world.ts"
import type { Failure } from "./fake.ts"
import {
  asker,
  askerOne,
  everything,
  inTime,
  listerOne,
  makeWorld,
  pass,
  people,
  person,
  senderOf,
  timed,
  type World
} from "./world.ts"

const portOf = (adapter: ProviderAdapter, state: ConsentState = "opted-out") => {
  const capability = writePort(adapter, state)
  if (capability._tag !== "Can") throw new Error("it can be written")
  return capability.port
}

const burst = Effect.fnUntraced(function* (world: World, state: ConsentState = "opted-out") {
  const sender = senderOf(world.asking, askerOne)!
  const port = portOf(world.asker.adapter, state)
  return yield* inTime(world.run(writeBurst(world.asking, port, sender, state, [person(1)])))
})

const stops = Effect.fnUntraced(function* (world: World) {
  yield* world.run(push(yield* world.says("STOP", listerOne, person(1))))
})

/** They said STOP, which is held, and then START: their block is to be lifted. */
const changesTheirMind = Effect.fnUntraced(function* (world: World) {
  yield* stops(world)
  yield* pass("1 minute")
  yield* world.says("START", listerOne, person(1))
})

layer(ledgerForTest, { excludeTestServices: true })("a burst of writes", (it) => {
  const ends: ReadonlyArray<readonly [string, ReadonlyArray<Failure>, boolean]> = [
    ["was done and not answered", [{ kind: "unavailable", done: true }], true],
    ["was answered and not understood", [{ kind: "unreadable", done: true }], true],
    ["was never sent", [{ kind: "unavailable" }], false],
    ["was turned away", [{ kind: "denied" }], false],
    [
      "was perhaps done at its first try, and then turned away",
      [{ kind: "unavailable", done: true }, { kind: "denied" }],
      true
    ],
    [
      "was perhaps done at its first try, and then throttled",
      [{ kind: "unavailable", done: true }, { kind: "throttled" }, { kind: "throttled" }],
      true
    ]
  ]
  for (const [what, failures, perhaps] of ends) {
    it.effect(
      `that ${what} may ${perhaps ? "" : "not "}have been done, and its echo is ${perhaps ? "no news" : "news"} (L7)`,
      () =>
        Effect.gen(function* () {
          const world = yield* makeWorld({ settings: { retries: failures.length - 1 } })
          yield* world.says("STOP", listerOne, person(1))
          world.asker.fail("optOut", failures)
          const written = yield* burst(world)
          assert.deepInclude(written, { held: [], retryable: 1, obsolete: 0 })
          assert.strictEqual(written.error?.reason._tag !== undefined, true)
          const view = (yield* viewOf(senderOf(world.asking, askerOne)!, person(1)))!.view
          assert.deepInclude(view, { held: undefined, intent: undefined, echoDue: perhaps })
          assert.strictEqual(view.written !== undefined, perhaps)
          // While the burst waits for the database time goes by: the echo is dated when it was done.
          const now = view.written?.endedAt ?? Date.UTC(2026, 0, 5)
          const event = observation({
            account: asker,
            sender: askerOne,
            recipient: person(1),
            basis: "event",
            origin: "unknown",
            key: "event:1",
            time: { notBefore: now, notAfter: now }
          })
          const heard = yield* ingest(world.asking.account, [event], now, 60_000)
          assert.strictEqual(heard.echoes, perhaps ? 1 : 0)
        }).pipe(timed)
    )
  }

  it.effect("lets nobody through who said STOP while it waited for its turn (L3)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ policy: "group", settings: { retries: 1 } })
      const connection = yield* Connection
      for (const who of people(2)) yield* world.says("STOP", listerOne, who)
      yield* inTime(world.run(applyTo(world.asking, everything)))
      yield* pass("1 minute")
      for (const who of people(2)) yield* world.says("START", listerOne, who)
      world.asker.fail("optIn", [{ kind: "throttled", retryAfterMs: 5_000 }])
      world.asker.calls.length = 0
      let said = false
      world.asker.onRequest = () =>
        Effect.gen(function* () {
          if (said) return
          said = true
          yield* pass("1 second")
          yield* world.says("STOP", listerOne, person(1))
        }).pipe(Effect.provideService(Connection, connection), Effect.orDie)
      const sender = senderOf(world.asking, askerOne)!
      const port = portOf(world.asker.adapter, "opted-in")
      const written = yield* inTime(world.run(writeBurst(world.asking, port, sender, "opted-in", people(2))))
      assert.deepInclude(written, { held: [person(2)], retryable: 0, obsolete: 1, error: undefined })
      assert.deepStrictEqual(
        world.asker.calls.map((call) => call.recipients),
        [people(2), [person(2)]]
      )
      assert.isTrue(world.asker.holds(askerOne, person(1)))
      const view = (yield* viewOf(sender, person(1)))!.view
      assert.deepInclude(view, { held: "opted-out", intent: undefined })
    }).pipe(timed)
  )

  it.effect("whose opt-in may have been done is followed by an opt-out as soon as somebody says STOP (L2, L5)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ policy: "group", settings: { retries: 0 } })
      yield* changesTheirMind(world)
      world.asker.fail("optIn", [{ kind: "unavailable", done: true }])
      yield* burst(world, "opted-in")
      assert.isFalse(world.asker.holds(askerOne, person(1)))
      yield* pass("1 minute")
      yield* stops(world)
      assert.isTrue(world.asker.holds(askerOne, person(1)))
    }).pipe(timed)
  )

  it.effect("that fails and then succeeds is held (L9)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { retries: 1 } })
      yield* world.says("STOP", listerOne, person(1))
      world.asker.fail("optOut", [{ kind: "unavailable" }])
      assert.deepInclude(yield* burst(world), { held: [person(1)], retryable: 0, error: undefined })
    }).pipe(timed)
  )

  it.effect("of what is held already sends nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, person(1))
      yield* burst(world)
      assert.deepInclude(yield* burst(world), { held: [], obsolete: 1 })
      assert.strictEqual(world.asker.calls.length, 1)
    }).pipe(timed)
  )

  it.effect("that was done and not answered is tried again, and each of both tries may have its echo (L7)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { retries: 1 } })
      yield* world.says("STOP", listerOne, person(1))
      world.asker.fail("optOut", [{ kind: "unavailable", done: true }])
      const sender = senderOf(world.asking, askerOne)!
      const hearEcho = (key: string) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const echo = observation({
            account: asker,
            recipient: person(1),
            sender: askerOne,
            basis: "event",
            origin: "unknown",
            key,
            time: { notBefore: now, notAfter: now }
          })
          return yield* ingest(world.asking.account, [echo], now, 60_000)
        })
      const port = portOf(world.asker.adapter)
      let first: Ingested | undefined
      const listening: WritePort = {
        ...port,
        // The first echo is there before the second try leaves.
        write: (at, recipients) =>
          Effect.tapError(port.write(at, recipients), () =>
            Effect.map(Effect.orDie(Effect.provideContext(hearEcho("event:1"), context)), (heard) => {
              first = heard
            })
          )
      }
      const context = yield* Effect.context<Connection>()
      yield* inTime(world.run(writeBurst(world.asking, listening, sender, "opted-out", [person(1)])))
      assert.strictEqual(first?.echoes, 1)
      assert.strictEqual((yield* hearEcho("event:2")).echoes, 1)
      // A third is somebody speaking.
      assert.strictEqual((yield* hearEcho("event:3")).echoes, 0)
    }).pipe(timed)
  )

  it.effect("an opt-in that was perhaps done at its first try and then refused is in doubt (L2, L5)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ policy: "group", settings: { retries: 1 } })
      yield* changesTheirMind(world)
      world.asker.fail("optIn", [{ kind: "unavailable", mayHaveApplied: true }])
      world.asker.onRequest = () =>
        Effect.sync(() => {
          world.asker.lift(askerOne, person(1))
          world.asker.treat(person(1), "rejected")
        })
      yield* burst(world, "opted-in")
      world.asker.onRequest = () => Effect.void
      world.asker.treat(person(1), undefined)
      yield* pass("1 minute")
      yield* stops(world)
      yield* inTime(world.run(applyTo(world.asking, everything)))
      assert.isTrue(world.asker.holds(askerOne, person(1)))
    }).pipe(timed)
  )

  it.effect("an opt-in that was perhaps done at its first try and is not wanted at the next is in doubt (L2, L5)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ policy: "group", settings: { retries: 1 } })
      yield* changesTheirMind(world)
      const connection = yield* Connection
      world.asker.fail("optIn", [{ kind: "unavailable", done: true }])
      world.asker.onRequest = () =>
        Effect.gen(function* () {
          yield* pass("1 second")
          yield* world.says("STOP", listerOne, person(1))
        }).pipe(Effect.provideService(Connection, connection), Effect.orDie)
      assert.deepInclude(yield* burst(world, "opted-in"), { held: [], obsolete: 1 })
      world.asker.onRequest = () => Effect.void
      assert.isFalse(world.asker.holds(askerOne, person(1)))
      yield* inTime(world.run(applyTo(world.asking, everything)))
      assert.isTrue(world.asker.holds(askerOne, person(1)))
    }).pipe(timed)
  )

  it.effect("an opt-in of which the answer says nothing is in doubt (L2, L5)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ policy: "group" })
      yield* changesTheirMind(world)
      world.asker.treat(person(1), "missing")
      world.asker.onRequest = () => Effect.sync(() => world.asker.lift(askerOne, person(1)))
      assert.deepInclude(yield* burst(world, "opted-in"), { held: [], retryable: 1 })
      world.asker.onRequest = () => Effect.void
      world.asker.treat(person(1), undefined)
      yield* pass("1 minute")
      yield* stops(world)
      assert.isTrue(world.asker.holds(askerOne, person(1)))
    }).pipe(timed)
  )

  it.effect("an opt-out that was perhaps done at its first try and then refused may be heard of (L7)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { retries: 1 } })
      yield* world.says("STOP", listerOne, person(1))
      world.asker.fail("optOut", [{ kind: "unavailable", mayHaveApplied: true }])
      world.asker.onRequest = () =>
        Effect.sync(() => {
          world.asker.block(askerOne, person(1))
          world.asker.treat(person(1), "rejected")
        })
      yield* burst(world)
      const view = (yield* viewOf(senderOf(world.asking, askerOne)!, person(1)))?.view
      assert.deepInclude(view, { echoDue: true })
      assert.strictEqual(view?.written?.state, "opted-out")
    }).pipe(timed)
  )

  it.effect("an opt-in that is refused does not keep the next STOP from being written (L1, L2)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ policy: "group", settings: { retries: 0 } })
      yield* changesTheirMind(world)
      // Done, and its answer lost; then tried again, and refused, for there is nothing to lift.
      world.asker.fail("optIn", [{ kind: "unavailable", done: true }])
      yield* burst(world, "opted-in")
      yield* pass("1 minute")
      world.asker.treat(person(1), "rejected")
      yield* burst(world, "opted-in")
      world.asker.treat(person(1), undefined)
      yield* pass("1 minute")
      yield* stops(world)
      yield* inTime(world.run(applyTo(world.asking, everything)))
      assert.isTrue(world.asker.holds(askerOne, person(1)))
    }).pipe(timed)
  )
})
