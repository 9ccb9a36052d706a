/** Another configuration on the same ledger: processes of before and after it at work at once, groups that go by another name. */
import { assert, layer } from "@effect/vitest"
import { type AccountName, everySender, type SenderAddress } from "@stopline/consent"
import { ask, digits, register, type Registry, settleAll } from "@stopline/ledger"
import { Effect, Fiber } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess, heldOpen, somebodyWaits, until } from "../../../test/process.ts"
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
  person,
  senderOf,
  standings,
  viewOf,
  west,
  westernBrand,
  westOne
} from "../../../test/world.ts"
import { hear } from "./hearing.ts"
import { write } from "./writing.ts"

const one = person(1)

const north = "north" as AccountName

const onlyEast = accounts.filter(({ name }) => name === east)

const apart = Effect.andThen(empty, register(accounts, [easternBrand, westernBrand], "strict", 1_000))

const letIn = { account: west, sender: westOne, state: "opted-in", basis: "attested", origin: "operator" } as const

layer(ledgerForTest, { excludeTestServices: true })("another configuration", (it) => {
  for (const sender of [westOne, everySender] as const) {
    it.effect(`hears the STOP to ${sender} that is being stored as its sender joins a group (L1, L2)`, () =>
      Effect.gen(function* () {
        const before = yield* apart
        const other = yield* anotherProcess()
        const stop = yield* other.run(heldOpen(hear(before, { account: west, sender })))
        const joining = yield* Effect.forkChild(register(accounts, [brand], "strict", 20_000))
        yield* until(somebodyWaits)
        yield* stop.commit
        yield* Fiber.join(joining)
        assert.strictEqual((yield* standings(one))[eastOne], "opted-out held unknown")
      })
    )
  }

  it.effect("hears the STOP that a process of before stores while it is registered (L1, L2)", () =>
    Effect.gen(function* () {
      const before = yield* apart
      const other = yield* anotherProcess()
      const joining = yield* other.run(heldOpen(register(accounts, [brand], "strict", 20_000)))
      const stop = yield* Effect.forkChild(hear(before, { account: west, sender: westOne }))
      yield* until(somebodyWaits)
      yield* joining.commit
      yield* Fiber.join(stop)
      assert.strictEqual((yield* standings(one))[eastOne], "opted-out held unknown")
    })
  )

  it.effect("hears the STOP to an account that was being added when it was registered (L1, L2)", () =>
    Effect.gen(function* () {
      yield* apart
      const northOne = "+12065550101" as SenderAddress
      const wider = [...accounts, { name: north, vendor: "gamma", senders: [northOne] }]
      const northern = { name: "northern", members: [{ account: north, sender: northOne }] }
      const joined = { ...easternBrand, members: [...easternBrand.members, ...northern.members] }
      const [first, second] = [yield* anotherProcess(), yield* anotherProcess()]
      let before: Registry | undefined
      const adding = yield* first.run(
        heldOpen(
          Effect.map(
            register(wider, [easternBrand, westernBrand, northern], "strict", 20_000),
            (registry) => (before = registry)
          )
        )
      )
      // The next one looks which accounts there are, and waits, before this one is known to all.
      const added = yield* Effect.forkChild(Effect.andThen(until(somebodyWaits), adding.commit))
      const joining = yield* second.run(heldOpen(register(wider, [joined, westernBrand], "strict", 21_000)))
      yield* Fiber.join(added)
      const stop = yield* Effect.forkChild(hear(before!, { account: north, sender: northOne }))
      yield* until(Effect.map(somebodyWaits, (waits) => waits || stop.pollUnsafe() !== undefined))
      yield* joining.commit
      yield* Fiber.join(stop)
      assert.strictEqual((yield* standings(one))[eastOne], "opted-out held unknown")
    })
  )

  it.effect("is not undone by a process of before, which lets nobody through at a sender that has moved (L3)", () =>
    Effect.gen(function* () {
      const before = yield* apart
      yield* hear(before, { account: west, sender: westOne, time: at(2_000) })
      yield* hear(before, { time: at(10_000) })
      for (const sender of [eastOne, eastTwo, westOne])
        yield* write(before, sender, one, { begun: 20_000, ended: 20_100 })
      // Later than the STOP to the western brand, and earlier than the one to the eastern brand.
      yield* hear(before, { ...letIn, time: at(5_000) })
      const now = yield* register(accounts, [{ ...brand, name: "eastern" }], "strict", 30_000)
      yield* settleAll("strict")
      assert.isFalse(yield* write(before, westOne, one, { begun: 40_000, ended: 40_100, state: "opted-in" }))
      assert.strictEqual((yield* standings(one))[westOne], "opted-out held opted-out")
      assert.deepStrictEqual(yield* differing(now, westOne), [])
    })
  )

  it.effect("is not undone by a process of before, which lets nobody through at a sender that is gone (L2)", () =>
    Effect.gen(function* () {
      const before = yield* fresh()
      yield* hear(before, { time: at(10_000) })
      yield* write(before, westOne, one, { begun: 20_000, ended: 20_100 })
      yield* hear(before, { ...letIn, time: at(25_000) })
      yield* register(onlyEast, [{ ...easternBrand, name: brand.name }], "strict", 30_000)
      // Nobody would carry the next STOP there.
      assert.isFalse(yield* write(before, westOne, one, { begun: 40_000, ended: 40_100, state: "opted-in" }))
    })
  )

  it.effect("is asked for what was said to a former group also when an intent is committed (L3)", () =>
    Effect.gen(function* () {
      const together = yield* fresh()
      yield* hear(together, { time: at(10_000) })
      yield* write(together, westOne, one, { begun: 20_000, ended: 20_100 })
      const now = yield* register(accounts, [easternBrand, westernBrand], "strict", 30_000)
      yield* hear(now, { ...letIn, time: at(40_000) })
      assert.deepInclude((yield* differing(now, westOne))[0], { must: "opted-in", silencedBefore: false })
      // Planned; and before its turn comes they say STOP to a sender of the group that this one once spoke for.
      yield* hear(now, { time: at(50_000) })
      assert.isFalse(yield* write(now, westOne, one, { begun: 60_000, ended: 60_100, state: "opted-in" }))
    })
  )

  it.effect("of another policy is not undone by a process of the one before (L2, L3)", () =>
    Effect.gen(function* () {
      const before = yield* fresh("group")
      yield* hear(before)
      yield* write(before, westOne, one, { begun: 15_000, ended: 15_100, policy: "group" })
      yield* hear(before, { state: "opted-in", time: at(20_000) })
      const now = yield* register(accounts, [brand], "strict", 40_000)
      assert.deepInclude((yield* differing(now, eastTwo))[0], { must: "opted-out" })
      yield* settleAll("group")
      assert.deepInclude((yield* differing(now, eastTwo))[0], { must: "opted-out" })
      const lets = { begun: 50_000, ended: 50_100, state: "opted-in", policy: "group" } as const
      assert.isFalse(yield* write(before, westOne, one, lets))
    })
  )

  it.effect("of another policy finds whom a process of the one before still blocks (L10)", () =>
    Effect.gen(function* () {
      const before = yield* fresh("strict")
      yield* hear(before)
      yield* hear(before, { state: "opted-in", time: at(20_000) })
      assert.deepInclude((yield* differing(before, westOne))[0], { must: "opted-out" })
      // Planned so; and before its turn comes the START counts for the whole group, and all is as it must be.
      const now = yield* register(accounts, [brand], "group", 30_000)
      yield* settleAll("group")
      yield* write(before, westOne, one, { begun: 40_000, ended: 40_100 })
      assert.deepInclude((yield* differing(now, westOne, "group"))[0], { must: "opted-in", held: "opted-out" })
    })
  )

  it.effect("of other groups finds whom a process of the one before still blocks (L10)", () =>
    Effect.gen(function* () {
      const before = yield* fresh("group")
      yield* hear(before)
      const now = yield* register(
        accounts,
        [
          { ...brand, name: "eastern" },
          { name: "brand", members: [] }
        ],
        "group",
        20_000
      )
      yield* hear(now, { state: "opted-in", time: at(30_000) })
      yield* settleAll("group")
      // To the group that it speaks for here nobody has said START.
      assert.isTrue(yield* write(before, westOne, one, { begun: 40_000, ended: 40_100, policy: "group" }))
      assert.deepInclude((yield* differing(now, westOne, "group"))[0], { must: "opted-in", held: "opted-out" })
    })
  )

  it.effect("that brings a sender back to its group has those known there who said START meanwhile (L10)", () =>
    Effect.gen(function* () {
      const together = yield* fresh("group")
      yield* hear(together, { account: west, sender: westOne })
      yield* register(accounts, [{ ...easternBrand, name: "brand" }, westernBrand], "group", 20_000)
      yield* hear(together, { state: "opted-in", time: at(30_000) })
      const now = yield* register(accounts, [brand], "group", 40_000)
      assert.strictEqual((yield* standings(one, "group"))[westOne], "opted-in held unknown")
      // Where there is no list only those who are known are asked about.
      assert.isDefined(yield* viewOf(senderOf(now, westOne), one))
    })
  )

  it.effect("of another policy is not settled by a process of the one before (L2)", () =>
    Effect.gen(function* () {
      const before = yield* fresh("group")
      yield* hear(before)
      yield* hear(before, { state: "opted-in", time: at(20_000) })
      const now = yield* register(accounts, [brand], "strict", 40_000)
      // By the policy of before, nobody holds what must not be held.
      yield* settleAll("group")
      assert.deepInclude((yield* differing(now, eastTwo))[0], { must: "opted-out", held: undefined })
    })
  )

  it.effect("that gives an account to another provider is refused: nobody knows what that one holds (L5)", () =>
    Effect.gen(function* () {
      yield* fresh()
      const moved = accounts.map((account) => (account.name === west ? { ...account, vendor: "gamma" } : account))
      const { message } = yield* Effect.flip(register(moved, [brand], "strict", 30_000))
      assert.strictEqual(
        message,
        `ledger: register: the account ${west} was at another provider than gamma; give the one at gamma a name of its own`
      )
    })
  )

  it.effect("that has a number at another account keeps what was said to it (L1, L3)", () =>
    Effect.gen(function* () {
      const before = yield* apart
      yield* hear(before, { account: west, sender: westOne })
      const moved = [...onlyEast, { name: north, vendor: "gamma", senders: [westOne] }]
      const northern = { name: "northern", members: [{ account: north, sender: westOne }] }
      yield* register(moved, [easternBrand, northern], "strict", 30_000)
      assert.deepStrictEqual(yield* standings(one), {
        [eastOne]: "opted-in held unknown",
        [eastTwo]: "opted-in held unknown",
        [westOne]: "opted-out held unknown"
      })
    })
  )

  it.effect(
    "that has a number at another account, for another group, lets nobody through it who was silent to it (L3)",
    () =>
      Effect.gen(function* () {
        const before = yield* fresh()
        yield* hear(before)
        const moved = [...onlyEast, { name: north, vendor: "gamma", senders: [westOne] }]
        const northern = { name: "northern", members: [{ account: north, sender: westOne }] }
        const now = yield* register(moved, [{ ...easternBrand, name: brand.name }, northern], "strict", 30_000)
        const { id } = senderOf(now, westOne)
        const everyId = now.accounts.find(({ name }) => name === north)?.every.id ?? assert.fail()
        const known = yield* ask([{ id, everyId }], [digits(one)], "strict")
        assert.deepInclude(known[0], { out: false, silencedBefore: true })
        // What is said to it from now on is said to whom it spoke for, too, as it would have been where it was.
        const two = person(2)
        yield* hear(now, { account: north, sender: westOne, recipient: two, time: at(50_000) })
        assert.strictEqual((yield* standings(two))[eastOne], "opted-out held unknown")
      })
  )

  it.effect("that gives a group another name keeps what was said to a sender that is gone (L1, L3)", () =>
    Effect.gen(function* () {
      const before = yield* fresh()
      yield* hear(before, { account: west, sender: westOne })
      yield* write(before, eastOne, one, { begun: 20_000, ended: 20_100 })
      yield* register(onlyEast, [{ ...easternBrand, name: brand.name }], "strict", 30_000)
      const third = "+14255550103" as SenderAddress
      const wider = onlyEast.map((account) => ({ ...account, senders: [...account.senders, third] }))
      const bloom = { name: "bloom", members: [...easternBrand.members, { account: east, sender: third }] }
      yield* register(wider, [bloom], "strict", 40_000)
      assert.deepStrictEqual(yield* standings(one), {
        [eastOne]: "opted-out held opted-out",
        [eastTwo]: "opted-out held unknown",
        [third]: "opted-out held unknown"
      })
    })
  )

  it.effect("that gives a group another name keeps who was let through for all of it", () =>
    Effect.gen(function* () {
      const before = yield* fresh("group")
      yield* hear(before)
      yield* hear(before, { state: "opted-in", time: at(20_000) })
      yield* register(accounts, [{ ...brand, name: "bloom" }], "group", 40_000)
      assert.deepStrictEqual(new Set(Object.values(yield* standings(one, "group"))), new Set(["opted-in held unknown"]))
    })
  )

  it.effect(
    "that gives a group to another sender, and its own to another group, has both keep what was said (L2, L3)",
    () =>
      Effect.gen(function* () {
        const former = yield* Effect.andThen(empty, register(onlyEast, [easternBrand], "strict", 1_000))
        yield* hear(former)
        const groups = [
          { name: "bloom", members: easternBrand.members },
          { ...westernBrand, name: easternBrand.name }
        ]
        yield* register(accounts, groups, "strict", 20_000)
        assert.deepStrictEqual(yield* standings(one), {
          [eastOne]: "opted-out held unknown",
          [eastTwo]: "opted-out held unknown",
          [westOne]: "opted-out held unknown"
        })
      })
  )

  it.effect(
    "that splits a group has neither part hear what is said to all senders of an account of the other (L2)",
    () =>
      Effect.gen(function* () {
        yield* fresh()
        const now = yield* register(accounts, [easternBrand, westernBrand], "strict", 30_000)
        yield* hear(now, { account: west, sender: everySender, time: at(40_000) })
        assert.deepStrictEqual(yield* standings(one), {
          [eastOne]: "opted-in held unknown",
          [eastTwo]: "opted-in held unknown",
          [westOne]: "opted-out held unknown"
        })
      })
  )

  it.effect("that moves a sender lets nobody in there by a START to its new group from before (L3)", () =>
    Effect.gen(function* () {
      yield* empty
      const apart = yield* register(accounts, [easternBrand, westernBrand], "group", 1_000)
      const [stayer, returner] = [person(2), person(3)]
      for (const recipient of [one, stayer, returner]) yield* hear(apart, { account: west, sender: westOne, recipient })
      const start = { state: "opted-in", reach: "group" } as const
      yield* hear(apart, { ...start, recipient: one, time: at(20_000) })
      const joined = [{ ...easternBrand, members: [...easternBrand.members, ...westernBrand.members] }]
      const now = yield* register(accounts, joined, "group", 30_000)
      yield* hear(now, { ...start, recipient: returner, time: at(40_000) })
      const { id } = senderOf(now, westOne)
      const everyId = now.accounts.find(({ name }) => name === west)!.every.id
      const known = yield* ask([{ id, everyId }], [one, stayer, returner].map(digits), "group")
      assert.deepStrictEqual(
        known.map(({ out, silencedBefore }) => out || silencedBefore),
        [true, true, false]
      )
      const letIn = { state: "opted-in", policy: "group" } as const
      assert.isFalse(yield* write(now, westOne, one, { ...letIn, begun: 50_000, ended: 50_100 }))
      // Nor is anybody silenced anew where it was left out for once.
      yield* register(onlyEast, [easternBrand], "group", 60_000)
      const again = yield* register(accounts, joined, "group", 70_000)
      for (const recipient of [one, stayer, returner])
        yield* write(again, westOne, recipient, { begun: 75_000, ended: 75_100 })
      assert.isFalse(yield* write(again, westOne, one, { ...letIn, begun: 80_000, ended: 80_100 }))
      assert.isTrue(yield* write(again, westOne, returner, { ...letIn, begun: 80_000, ended: 80_100 }))
    })
  )

  it.effect("that drops an account keeps what was said to all of its senders (L1, L3)", () =>
    Effect.gen(function* () {
      const before = yield* fresh()
      yield* hear(before, { account: west, sender: everySender })
      const parts = [eastOne, eastTwo].map((sender, i) => ({ name: `part-${i}`, members: [{ account: east, sender }] }))
      yield* register(onlyEast, parts, "strict", 30_000)
      assert.deepStrictEqual(yield* standings(one), {
        [eastOne]: "opted-out held unknown",
        [eastTwo]: "opted-out held unknown"
      })
    })
  )

  it.effect("that splits a group has both parts keep what was said to a sender that is gone (L1, L3)", () =>
    Effect.gen(function* () {
      const before = yield* fresh()
      yield* hear(before, { account: west, sender: westOne })
      yield* register(onlyEast, [{ ...easternBrand, name: brand.name }], "strict", 30_000)
      const parts = [eastOne, eastTwo].map((sender, i) => ({ name: `part-${i}`, members: [{ account: east, sender }] }))
      yield* register(onlyEast, parts, "strict", 40_000)
      assert.deepStrictEqual(yield* standings(one), {
        [eastOne]: "opted-out held unknown",
        [eastTwo]: "opted-out held unknown"
      })
    })
  )
})
