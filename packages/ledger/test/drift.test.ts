import { assert, layer } from "@effect/vitest"
import {
  adoptOrphans,
  append,
  beginRun,
  differences,
  digits,
  ingest,
  population,
  type Registry
} from "@stopline/ledger"
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
  easternBrand,
  fresh,
  observation,
  person,
  reading,
  senderOf,
  west,
  westernBrand,
  westOne
} from "../../../test/world.ts"
import { walkThrough } from "./walking.ts"
import { write } from "./writing.ts"

const one = person(1)

const hear = (registry: Registry, given: Partial<Parameters<typeof observation>[0]> = {}) =>
  ingest(accountOf(registry, east), [observation({ recipient: one, ...given })], given.time?.notAfter ?? 10_000, 0)

layer(ledgerForTest, { excludeTestServices: true })("what differs", (it) => {
  it.effect("is an opt-out that is not known to be held, with the observation behind it (L5, L13)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const { recorded } = yield* hear(registry)
      assert.deepStrictEqual(yield* differing(registry, westOne), [
        {
          recipient: digits(one),
          must: "opted-out",
          held: undefined,
          liftedAt: undefined,
          outAt: 10_000,
          intent: undefined,
          refused: undefined,
          refusedUntil: undefined,
          because: recorded[0]!.id,
          basis: "message",
          inOwnWords: true,
          unguarded: false,
          heldForAll: false,
          silencedBefore: false
        }
      ])
    })
  )

  it.effect("is a block that must be lifted, and never one that nobody knows of", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_100 })
      const { recorded } = yield* hear(registry, {
        state: "opted-in",
        basis: "attested",
        origin: "operator",
        time: at(30_000)
      })
      assert.deepInclude((yield* differing(registry, eastOne))[0], { must: "opted-in", because: recorded[0]!.id })
      const group = yield* fresh("group")
      yield* hear(group)
      yield* hear(group, { state: "opted-in", time: at(30_000) })
      assert.deepStrictEqual(yield* differing(group, eastTwo, "group"), [])
    })
  )

  for (const [what, end] of [
    ["was not answered", 31_100],
    ["was left behind by a process that died", undefined]
  ] as const) {
    it.effect(`is a block that an opt-in of ours may have lifted which ${what}, until it is read again (L2, L5)`, () =>
      Effect.gen(function* () {
        const registry = yield* fresh()
        yield* hear(registry)
        yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100 })
        yield* hear(registry, {
          state: "opted-in",
          basis: "attested",
          origin: "operator",
          sender: eastTwo,
          time: at(30_000)
        })
        const lifting = { state: "opted-in", begun: 31_000, outcome: "maybe" } as const
        yield* write(registry, eastTwo, one, end === undefined ? lifting : { ...lifting, ended: end })
        yield* hear(registry, { key: "STOP again", time: at(40_000) })
        yield* adoptOrphans(senderOf(registry, eastTwo), 40_100)
        assert.deepInclude((yield* differing(registry, eastTwo))[0], { must: "opted-out", held: undefined })
        // A page that began before the write ended may be a copy from before it.
        const listed = [[reading(one, { sender: eastTwo })]]
        yield* walkThrough(registry, listed, { at: 31_050 })
        assert.lengthOf(yield* differing(registry, eastTwo), 1)
        yield* walkThrough(registry, listed, { at: 90_000 })
        assert.deepStrictEqual(yield* differing(registry, eastTwo), [])
      })
    )
  }

  it.effect("is no block where the person said START: the provider has lifted its own by itself (L4)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_100 })
      yield* hear(registry, { state: "opted-in", evidence: { keyword: "START", acted: true }, time: at(30_000) })
      assert.deepStrictEqual(yield* differing(registry, eastOne), [])
      // So a block that is found there later is somebody's, and not what is left of ours.
      yield* checkPairs(registry, [reading(one)], { beganAt: 90_000, endedAt: 90_100 })
      assert.deepStrictEqual(yield* differing(registry, eastOne), [])
      assert.deepInclude((yield* differing(registry, eastTwo))[0], { must: "opted-out" })
    })
  )

  it.effect(
    "is in doubt where nobody knows whether the provider acts on START: we lift it, or set it again (L2, L5)",
    () =>
      Effect.gen(function* () {
        const registry = yield* fresh()
        yield* hear(registry)
        yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_100 })
        const evidence = { keyword: "START", mayHaveActed: true }
        yield* hear(registry, { state: "opted-in", evidence, time: at(30_000) })
        assert.deepInclude((yield* differing(registry, eastOne))[0], { must: "opted-in" })
        // Before that is written they say STOP elsewhere: if their START has lifted it, nothing blocks them any more.
        yield* hear(registry, { sender: eastTwo, time: at(31_000) })
        assert.deepInclude((yield* differing(registry, eastOne))[0], { must: "opted-out" })
        // It had not, and what is read is what we had written.
        const { recorded } = yield* checkPairs(registry, [reading(one)], { beganAt: 90_000, endedAt: 90_100 })
        assert.deepStrictEqual([recorded, yield* differing(registry, eastOne)], [[], []])
      })
  )

  it.effect("stays where the word was one that the provider may not have understood: we lift what is ours", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_100 })
      yield* hear(registry, { state: "opted-in", evidence: { keyword: "START" }, time: at(30_000) })
      assert.deepInclude((yield* differing(registry, eastOne))[0], { must: "opted-in", held: "opted-out" })
    })
  )

  it.effect("stays in a person's own words, whatever is read after them (L8)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* checkPairs(registry, [reading(one, { sender: eastTwo })], { beganAt: 20_000, endedAt: 20_100 })
      assert.deepInclude((yield* differing(registry, westOne))[0], { basis: "checked", inOwnWords: true })
    })
  )

  it.effect("is not in their own words any more once they took them back", () =>
    Effect.gen(function* () {
      const registry = yield* fresh("group")
      yield* hear(registry)
      yield* hear(registry, { state: "opted-in", time: at(15_000) })
      yield* checkPairs(registry, [reading(one, { sender: eastTwo })], { beganAt: 20_000, endedAt: 20_100 })
      assert.deepInclude((yield* differing(registry, westOne, "group"))[0], { basis: "checked", inOwnWords: false })
    })
  )

  it.effect("is not in their own words where they said them to another brand (L8)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh("strict", [easternBrand, westernBrand])
      yield* ingest(
        accountOf(registry, west),
        [observation({ recipient: one, account: west, sender: westOne })],
        10_000,
        0
      )
      yield* checkPairs(registry, [reading(one, { sender: eastTwo })], { beganAt: 20_000, endedAt: 20_100 })
      assert.deepInclude((yield* differing(registry, eastOne))[0], { basis: "checked", inOwnWords: false })
      assert.deepInclude((yield* differing(registry, westOne))[0], { basis: "message", inOwnWords: true })
    })
  )

  it.effect("says whether a run found it whose findings need no guard", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const account = accountOf(registry, east)
      for (const [n, unguarded] of [true, false].entries()) {
        const run = { kind: "backfill", accountId: account.id, startedBy: "test", at: 1_000, unguarded } as const
        const found = observation({ recipient: person(n), basis: "listed", origin: "unknown" })
        yield* append(account.id, yield* beginRun(run), 1_000, [
          { senderId: senderOf(registry, eastOne).id, observation: found }
        ])
      }
      const found = yield* differing(registry, westOne)
      assert.deepStrictEqual(
        found.map((one) => [one.unguarded, one.inOwnWords]),
        [
          [true, false],
          [false, false]
        ]
      )
    })
  )

  it.effect("comes by the page, in order of recipient, or for some recipients only", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const sender = senderOf(registry, westOne)
      const account = registry.accounts[1]!
      for (const n of [5, 3, 1, 4, 2]) yield* hear(registry, { recipient: person(n) })
      const numbers = (rows: ReadonlyArray<{ readonly recipient: number }>) =>
        rows.map((row) => row.recipient - 15_550_000_000)
      const next = (after: number, limit: number, only?: ReadonlyArray<number>) =>
        Effect.map(differences([{ account, sender, after }], "strict", limit, only), (rows) => rows.get(sender.id)!)
      const page = yield* next(0, 2)
      assert.deepStrictEqual(numbers(page), [1, 2])
      assert.deepStrictEqual(numbers(yield* next(page[1]!.recipient, 2)), [3, 4])
      const only = [digits(person(4)), digits(person(2)), digits(person(7))]
      assert.deepStrictEqual(numbers(yield* next(0, 10, only)), [2, 4])
    })
  )

  it.effect("is a share of the pairs of which anything is known", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      assert.strictEqual(yield* population(accountOf(registry, east)), 0)
      yield* checkPairs(registry, [reading(one), reading(person(2), { state: "opted-in" })], { beganAt: 1, endedAt: 2 })
      yield* write(registry, eastTwo, one, { begun: 3_000 })
      assert.strictEqual(yield* population(accountOf(registry, east)), 2)
      assert.strictEqual(yield* population(registry.accounts[1]!), 0)
    })
  )
})
