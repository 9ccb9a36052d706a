import { assert, layer } from "@effect/vitest"
import { everySender } from "@stopline/consent"
import { append, digits } from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import {
  accountOf,
  at,
  checkPairs,
  differing,
  east,
  eastOne,
  eastTwo,
  fresh,
  observation,
  person,
  reading,
  saidOf,
  senderOf,
  standings,
  viewOf,
  westOne
} from "../../../test/world.ts"
import { write } from "./writing.ts"

const one = person(1)
const stopped = reading(one)
const clear = reading(one, { state: "opted-in" })
const span = (beganAt: number) => ({ beganAt, endedAt: beganAt + 500 })

layer(ledgerForTest, { excludeTestServices: true })("a reading", (it) => {
  it.effect("that first shows an opt-out silences every sender of the group (L2), since nobody knows when", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const compared = yield* checkPairs(registry, [stopped], span(10_000))
      assert.strictEqual(compared.recorded.length, 1)
      assert.deepStrictEqual(yield* saidOf(one), ["opted-out checked -Infinity..10500"])
      assert.deepStrictEqual(yield* standings(one), {
        [eastOne]: "opted-out held opted-out",
        [eastTwo]: "opted-out held unknown",
        [westOne]: "opted-out held unknown"
      })
    })
  )

  it.effect("that shows the same again is no news (L11)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [stopped], span(10_000))
      const again = yield* checkPairs(registry, [stopped], span(20_000))
      assert.deepStrictEqual(again.recorded, [])
      assert.strictEqual((yield* saidOf(one)).length, 1)
      assert.strictEqual((yield* viewOf(senderOf(registry, eastOne), one))?.view.readAt, 20_000)
    })
  )

  it.effect("of a change says that it happened after the last reading that said otherwise", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [clear], span(10_000))
      assert.deepStrictEqual(yield* saidOf(one), [])
      yield* checkPairs(registry, [stopped], span(20_000))
      assert.deepStrictEqual(yield* saidOf(one), ["opted-out checked 10000..20500"])
    })
  )

  it.effect("keeps the provider's own time where it gives one", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [{ ...stopped, at: at(7_000) }], span(10_000))
      assert.deepStrictEqual(yield* saidOf(one), ["opted-out checked 7000..7000"])
    })
  )

  it.effect("by check alone opts nobody in, under no policy (L3)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      for (const beganAt of [10_000, 15_000]) yield* checkPairs(registry, [stopped], span(beganAt))
      yield* checkPairs(registry, [clear], span(20_000))
      // It is later than the opt-out, beyond doubt, and counts for nothing.
      assert.deepStrictEqual(yield* saidOf(one), [
        "opted-out checked -Infinity..10500",
        "opted-in checked 15000..20500"
      ])
      for (const policy of ["strict", "group", "trusting"] as const) {
        assert.strictEqual((yield* standings(one, policy))[eastOne], "opted-out held opted-in", policy)
      }
      const [lifted] = yield* differing(registry, eastOne)
      assert.deepInclude(lifted, { must: "opted-out", held: "opted-in", liftedAt: 20_500 })
    })
  )

  it.effect("of what we wrote ourselves is no news (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [stopped], span(10_000))
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_400 })
      const compared = yield* checkPairs(registry, [reading(one, { sender: eastTwo })], span(30_000))
      assert.deepStrictEqual([compared.recorded, compared.undecided], [[], 0])
      assert.strictEqual((yield* saidOf(one)).length, 1)
    })
  )

  it.effect("that began before a write of ours ended cannot contradict it (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [stopped], span(10_000))
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_400 })
      const compared = yield* checkPairs(registry, [{ ...clear, sender: eastTwo }], {
        beganAt: 20_399,
        endedAt: 21_000
      })
      assert.strictEqual(compared.undecided, 1)
      assert.strictEqual((yield* standings(one))[eastTwo], "opted-out held opted-out")
    })
  )

  it.effect("while a write of ours is on its way is not judged (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [stopped], span(10_000))
      yield* write(registry, eastTwo, one, { begun: 20_000 })
      for (const state of ["opted-out", "opted-in"] as const) {
        const compared = yield* checkPairs(registry, [reading(one, { sender: eastTwo, state })], span(30_000))
        assert.strictEqual(compared.undecided, 1)
      }
      assert.strictEqual((yield* standings(one))[eastTwo], "opted-out held unknown")
    })
  )

  it.effect("may come from an older copy within the settle window, and is believed after it (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [stopped], span(10_000))
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_400 })
      const other = { ...clear, sender: eastTwo }
      const within = yield* checkPairs(registry, [other], span(25_399), 5_000)
      assert.strictEqual(within.undecided, 1)
      const after = yield* checkPairs(registry, [other], span(25_400), 5_000)
      assert.deepStrictEqual([after.undecided, after.recorded.length], [0, 1])
      assert.strictEqual((yield* standings(one))[eastTwo], "opted-out held opted-in")
    })
  )

  it.effect("of an opt-out of ours that may have been done counts: it cannot be told from the person's own (L4)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [stopped], span(10_000))
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_400, outcome: "maybe" })
      yield* checkPairs(registry, [reading(one, { sender: eastTwo })], span(30_000))
      assert.deepStrictEqual((yield* saidOf(one)).length, 2)
      assert.strictEqual((yield* standings(one))[eastTwo], "opted-out held opted-out")
    })
  )

  it.effect("older than one already judged changes nothing", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [stopped], span(20_000))
      const late = yield* checkPairs(registry, [clear], span(19_999))
      assert.deepStrictEqual([late.undecided, late.recorded.length], [1, 0])
    })
  )

  it.effect("that shows a pair twice, both ways, counts as the opt-out (L4)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [clear, stopped, clear], span(10_000))
      assert.strictEqual((yield* standings(one))[eastOne], "opted-out held opted-out")
      assert.strictEqual((yield* saidOf(one)).length, 1)
    })
  )

  it.effect("of every sender silences every sender, and is what blocks an opt-in there", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* checkPairs(registry, [reading(one, { sender: everySender })], span(10_000))
      assert.deepStrictEqual(Object.values(yield* standings(one)), Array(3).fill("opted-out held unknown"))
      const account = accountOf(registry, east)
      const start = observation({ recipient: one, state: "opted-in", time: at(20_000) })
      yield* append(account.id, null, 20_000, [{ senderId: senderOf(registry, eastOne).id, observation: start }])
      yield* checkPairs(registry, [stopped], span(30_000))
      const back = observation({ recipient: one, state: "opted-in", time: at(40_000) })
      yield* append(account.id, null, 40_000, [{ senderId: senderOf(registry, eastOne).id, observation: back }])
      const [difference] = yield* differing(registry, eastOne)
      assert.deepInclude(difference, { recipient: digits(one), must: "opted-in", held: "opted-out", heldForAll: true })
    })
  )
})
