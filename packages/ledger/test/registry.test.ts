import { assert, layer } from "@effect/vitest"
import type { Group, Observation, OptInPolicy, SenderAddress } from "@stopline/consent"
import { everySender } from "@stopline/consent"
import { register, settleAll } from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import {
  accounts,
  at,
  brand,
  differing,
  east,
  eastOne,
  eastTwo,
  easternBrand,
  empty,
  fresh,
  isSettled,
  person,
  senderOf,
  standings,
  west,
  westernBrand,
  westOne
} from "../../../test/world.ts"
import { hear } from "./hearing.ts"
import { write } from "./writing.ts"

const one = person(1)

const onlyEastOne = [
  { name: east, vendor: "alpha", senders: [eastOne] },
  { name: west, vendor: "beta", senders: [westOne] }
]
const groupOf = (...senders: ReadonlyArray<SenderAddress>): Group => ({
  name: "brand",
  members: brand.members.filter((member) => senders.includes(member.sender))
})

layer(ledgerForTest, { excludeTestServices: true })("who there is", (it) => {
  it.effect("keeps its ids, however often it is said", () =>
    Effect.gen(function* () {
      const first = yield* fresh()
      const second = yield* register(accounts, [brand], "strict", 2_000)
      assert.deepStrictEqual(second, first)
    })
  )

  it.effect("a sender that joins a group inherits every opt-out of it before its first text (L2)", () =>
    Effect.gen(function* () {
      yield* empty
      const before = yield* register(onlyEastOne, [groupOf(eastOne, westOne)], "strict", 1_000)
      yield* hear(before)
      for (const sender of [eastOne, westOne]) yield* write(before, sender, one, { begun: 20_000, ended: 20_100 })
      assert.isTrue(yield* isSettled(senderOf(before, eastOne), one))
      const after = yield* register(accounts, [brand], "strict", 30_000)
      assert.isFalse(yield* isSettled(senderOf(after, eastTwo), one))
      assert.strictEqual((yield* differing(after, eastTwo))[0]?.must, "opted-out")
      assert.strictEqual((yield* standings(one))[eastTwo], "opted-out held unknown")
    })
  )

  it.effect("a group hears what was said to a sender before it joined (L2)", () =>
    Effect.gen(function* () {
      yield* empty
      const apart = yield* register(accounts, [easternBrand, westernBrand], "strict", 1_000)
      yield* hear(apart, { account: west, sender: westOne })
      assert.strictEqual((yield* standings(one))[eastOne], "opted-in held unknown")
      yield* register(accounts, [brand], "strict", 2_000)
      assert.strictEqual((yield* standings(one))[eastOne], "opted-out held unknown")
    })
  )

  it.effect(
    "a sender moved to another group leaves the old one silenced, and takes what was said to it along (L3)",
    () =>
      Effect.gen(function* () {
        const together = yield* fresh()
        yield* hear(together, { account: west, sender: westOne })
        yield* register(accounts, [groupOf(eastOne, eastTwo), westernBrand], "strict", 20_000)
        assert.deepStrictEqual(Object.values(yield* standings(one)), Array(3).fill("opted-out held unknown"))
      })
  )

  it.effect("a sender that was silenced by its group is not opted back in by being moved (L3)", () =>
    Effect.gen(function* () {
      const together = yield* fresh()
      yield* hear(together, { time: at(10_000) })
      yield* write(together, westOne, one, { begun: 20_000, ended: 20_100 })
      const apart = yield* register(accounts, [groupOf(eastOne, eastTwo), westernBrand], "strict", 30_000)
      const start = {
        account: west,
        sender: westOne,
        state: "opted-in",
        basis: "attested",
        origin: "operator"
      } as const
      // Said before the STOP and heard only now: in the new group nothing speaks against it.
      yield* hear(apart, { ...start, time: at(5_000) })
      const before = (yield* differing(apart, westOne))[0]
      assert.deepInclude(before, { must: "opted-in", held: "opted-out", silencedBefore: true })
      yield* hear(apart, { ...start, time: at(40_000) })
      assert.deepInclude((yield* differing(apart, westOne))[0], { must: "opted-in", silencedBefore: false })
    })
  )

  it.effect("a sender that was away and is back is looked at again, for what was said meanwhile (L2)", () =>
    Effect.gen(function* () {
      const before = yield* fresh()
      const without = yield* register(onlyEastOne, [groupOf(eastOne, westOne)], "strict", 2_000)
      yield* hear(without)
      for (const sender of [eastOne, westOne]) yield* write(without, sender, one, { begun: 20_000, ended: 20_100 })
      assert.isTrue(yield* isSettled(senderOf(without, eastOne), one))
      const back = yield* register(accounts, [brand], "strict", 30_000)
      assert.strictEqual(senderOf(back, eastTwo).id, senderOf(before, eastTwo).id)
      assert.isFalse(yield* isSettled(senderOf(back, eastTwo), one))
      assert.strictEqual((yield* differing(back, eastTwo)).length, 1)
    })
  )

  it.effect("a STOP to a sender that is away counts for the group it spoke for (L1)", () =>
    Effect.gen(function* () {
      yield* fresh()
      const without = yield* register(onlyEastOne, [groupOf(eastOne, westOne)], "strict", 2_000)
      yield* hear(without, { sender: eastTwo })
      assert.strictEqual((yield* standings(one))[westOne], "opted-out held unknown")
    })
  )

  it.effect("a START to a sender that is away lets in nobody at the group it spoke for (L3)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh("group")
      yield* hear(registry)
      const without = yield* register(onlyEastOne, [groupOf(eastOne, westOne)], "group", 20_000)
      yield* hear(without, { sender: eastTwo, state: "opted-in", time: at(30_000) })
      const silent = { [eastOne]: "opted-out held unknown", [westOne]: "opted-out held unknown" }
      assert.deepStrictEqual(yield* standings(one, "group"), silent)
      const back = yield* register(accounts, [brand], "group", 40_000)
      assert.deepStrictEqual(yield* standings(one, "group"), { ...silent, [eastTwo]: "opted-in held unknown" })
      yield* hear(back, { sender: eastTwo, state: "opted-in", time: at(50_000) })
      assert.strictEqual((yield* standings(one, "group"))[westOne], "opted-in held unknown")
    })
  )

  it.effect("an account that is no longer configured silences those that are", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* register([accounts[1]!], [groupOf(westOne)], "strict", 20_000)
      assert.deepStrictEqual(yield* standings(one), { [westOne]: "opted-out held unknown" })
    })
  )

  it.effect("another policy has everybody who ever opted in looked at again", () =>
    Effect.gen(function* () {
      const registry = yield* fresh("strict")
      yield* hear(registry)
      yield* hear(registry, { state: "opted-in", time: at(20_000) })
      yield* write(registry, eastTwo, one, { begun: 30_000, ended: 30_100 })
      yield* write(registry, westOne, one, { begun: 30_000, ended: 30_100 })
      yield* settleAll("strict")
      assert.isTrue(yield* isSettled(senderOf(registry, eastOne), one))
      const wider = yield* register(accounts, [brand], "group", 40_000)
      assert.deepInclude((yield* differing(wider, westOne, "group"))[0], { must: "opted-in", held: "opted-out" })
    })
  )

  const reach: ReadonlyArray<readonly [OptInPolicy, Observation["reach"], string]> = [
    ["strict", "group", "opted-out held unknown"],
    ["group", "group", "opted-in held unknown"],
    ["group", "pair", "opted-out held unknown"]
  ]
  for (const [policy, words, elsewhere] of reach) {
    it.effect(`under ${policy}, words that reach the ${words} leave the others ${elsewhere.split(" ")[0]} (L3)`, () =>
      Effect.gen(function* () {
        const registry = yield* fresh(policy)
        yield* hear(registry)
        yield* hear(registry, { state: "opted-in", reach: words, time: at(20_000) })
        assert.deepStrictEqual(yield* standings(one, policy), {
          [eastOne]: "opted-in held unknown",
          [eastTwo]: elsewhere,
          [westOne]: elsewhere
        })
      })
    )
  }

  it.effect("an opt-out from every sender counts for every group of the account's senders, and for those to come", () =>
    Effect.gen(function* () {
      yield* empty
      const apart = yield* register(accounts, [easternBrand, westernBrand], "strict", 1_000)
      yield* hear(apart, { sender: everySender, basis: "event", origin: "unknown" })
      assert.deepStrictEqual(yield* standings(one), {
        [eastOne]: "opted-out held unknown",
        [eastTwo]: "opted-out held unknown",
        [westOne]: "opted-in held unknown"
      })
      yield* register(accounts, [brand], "strict", 20_000)
      assert.strictEqual((yield* standings(one))[westOne], "opted-out held unknown")
    })
  )
})
