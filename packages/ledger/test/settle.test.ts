import { assert, layer } from "@effect/vitest"
import type { SenderAddress } from "@stopline/consent"
import {
  beginWrites,
  claimLane,
  Connection,
  digits,
  endWrites,
  ingest,
  register,
  type Registry,
  settle,
  settleAll
} from "@stopline/ledger"
import { Effect, Fiber } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess, heldOpen, somebodyWaits, until } from "../../../test/process.ts"
import {
  accountOf,
  accounts,
  at,
  brand,
  checkPairs,
  differing,
  east,
  eastOne,
  eastTwo,
  fresh,
  isSettled,
  observation,
  person,
  reading,
  senderOf,
  westOne
} from "../../../test/world.ts"
import { hear } from "./hearing.ts"
import { write } from "./writing.ts"

const one = person(1)
const leaseMs = 60_000
const third = "+14255550103" as SenderAddress

/** A word that no provider has heard: what is blocked stays so until we lift it. */
const lifting = { state: "opted-in", basis: "attested", origin: "operator" } as const

const writeAll = (registry: Registry) =>
  Effect.forEach([eastOne, eastTwo, westOne], (sender) =>
    write(registry, sender, one, { begun: 20_000, ended: 20_100 })
  )

layer(ledgerForTest, { excludeTestServices: true })("a standing", (it) => {
  it.effect("is settled by the write that was the last it lacked, and not before (L10)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_100 })
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100, outcome: "maybe" })
      yield* write(registry, westOne, one, { begun: 20_000, ended: 20_100 })
      assert.isFalse(yield* isSettled(senderOf(registry, eastOne), one))
      yield* write(registry, eastTwo, one, { begun: 30_000, ended: 30_100 })
      assert.isTrue(yield* isSettled(senderOf(registry, eastOne), one))
      for (const sender of [eastOne, eastTwo, westOne]) assert.deepStrictEqual(yield* differing(registry, sender), [])
    })
  )

  it.effect("is not settled while a write is on its way", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* writeAll(registry)
      yield* hear(registry, { ...lifting, time: at(30_000) })
      yield* write(registry, eastOne, one, { begun: 40_000, state: "opted-in" })
      yield* settleAll("strict")
      assert.isFalse(yield* isSettled(senderOf(registry, eastOne), one))
    })
  )

  it.effect(
    "is not settled while a block is on its way that has become pointless: it has to be lifted then (L10)",
    () =>
      Effect.gen(function* () {
        const registry = yield* fresh("group")
        yield* hear(registry)
        const meanwhile = Effect.andThen(
          hear(registry, { ...lifting, reach: "group", time: at(20_050) }),
          settleAll("group")
        )
        yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100, policy: "group", meanwhile })
        assert.deepInclude((yield* differing(registry, eastTwo, "group"))[0], { must: "opted-in", held: "opted-out" })
      })
  )

  it.effect("is unsettled by whatever is said of it, and by a provider that lifts a block", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* writeAll(registry)
      assert.isTrue(yield* isSettled(senderOf(registry, eastOne), one))
      yield* checkPairs(registry, [reading(one, { state: "opted-in" })], { beganAt: 30_000, endedAt: 30_100 })
      assert.isFalse(yield* isSettled(senderOf(registry, eastOne), one))
      assert.deepInclude((yield* differing(registry, eastOne))[0], { must: "opted-out", held: "opted-in" })
    })
  )

  it.effect("settles by the page, however many there are", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const starts = Array.from({ length: 2_500 }, (_, n) =>
        observation({ recipient: person(n), state: "opted-in", origin: "operator", basis: "attested" })
      )
      yield* ingest(accountOf(registry, east), starts, 10_000, 0)
      yield* settleAll("strict")
      for (const n of [0, 999, 1_000, 1_999, 2_499]) {
        assert.isTrue(yield* isSettled(senderOf(registry, eastOne), person(n)), String(n))
      }
    })
  )

  it.effect("unsettled by another transaction while it is being settled stays unsettled (L2, L12)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const other = yield* anotherProcess()
      yield* hear(registry)
      for (const sender of [eastOne, eastTwo]) yield* write(registry, sender, one, { begun: 20_000, ended: 20_100 })
      // Somebody attests that the person wants to hear from us: it is stored and not yet committed: whoever judges now would still see the opt-out alone.
      const start = yield* other.run(heldOpen(hear(registry, { ...lifting, time: at(30_000) })))
      const settling = yield* Effect.forkChild(write(registry, westOne, one, { begun: 25_000, ended: 25_100 }))
      yield* until(somebodyWaits)
      yield* start.commit
      yield* Fiber.join(settling)
      yield* settleAll("strict")
      assert.isFalse(yield* isSettled(senderOf(registry, eastOne), one))
      assert.deepInclude((yield* differing(registry, eastOne))[0], { must: "opted-in", held: "opted-out" })
    })
  )

  it.effect("already settled, and unsettled between looking and judging, stays unsettled (L2, L12)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const other = yield* anotherProcess()
      yield* hear(registry)
      yield* writeAll(registry)
      assert.isTrue(yield* isSettled(senderOf(registry, eastOne), one))
      const start = yield* other.run(heldOpen(hear(registry, { ...lifting, time: at(30_000) })))
      // Nothing is left to write, and yet the outcome of such a burst settles what it was about.
      const settling = yield* Effect.forkChild(settleOne(registry))
      yield* until(somebodyWaits)
      yield* start.commit
      yield* Fiber.join(settling)
      assert.isFalse(yield* isSettled(senderOf(registry, eastOne), one))
    })
  )

  it.effect("settled while the intent to write against it was being committed is unsettled by the outcome (L10)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh("group")
      const other = yield* anotherProcess()
      yield* hear(registry)
      const sender = senderOf(registry, westOne)
      const lane = (yield* claimLane(`write:${westOne}`, "other", 20_000, leaseMs))!
      const context = { lane, leaseMs, sender, state: "opted-out", policy: "group" } as const
      const beginning = yield* other.run(heldOpen(beginWrites(context, [digits(one)], 20_000)))
      // Meanwhile they say START, and nothing is known that differs from it.
      yield* hear(registry, { state: "opted-in", time: at(20_050) })
      yield* settleAll("group")
      yield* beginning.commit
      yield* endWrites(context, [{ _tag: "Held", recipient: digits(one) }], 20_100)
      assert.isFalse(yield* isSettled(sender, one))
      assert.deepInclude((yield* differing(registry, westOne, "group"))[0], { must: "opted-in", held: "opted-out" })
    })
  )

  it.effect("is not settled past a sender that is joining its group at that moment (L2)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const other = yield* anotherProcess()
      yield* hear(registry)
      for (const sender of [eastOne, eastTwo]) yield* write(registry, sender, one, { begun: 20_000, ended: 20_100 })
      const wider = accounts.map((one) => (one.name === east ? { ...one, senders: [...one.senders, third] } : one))
      const group = { ...brand, members: [...brand.members, { account: east, sender: third }] }
      const joining = yield* other.run(heldOpen(register(wider, [group], "strict", 30_000)))
      const settling = yield* Effect.forkChild(write(registry, westOne, one, { begun: 25_000, ended: 25_100 }))
      yield* until(somebodyWaits)
      yield* joining.commit
      yield* Fiber.join(settling)
      const now = yield* register(wider, [group], "strict", 31_000)
      assert.isFalse(yield* isSettled(senderOf(now, third), one))
      assert.strictEqual((yield* differing(now, third))[0]?.must, "opted-out")
    })
  )
})

const settleOne = (registry: Registry) =>
  Effect.gen(function* () {
    const { transaction } = yield* Connection
    yield* transaction("test", settle(senderOf(registry, eastOne).id, [digits(one)], "strict"))
  })
