import { assert, layer } from "@effect/vitest"
import {
  beginRun,
  commitCheck,
  coverage,
  ingest,
  know,
  notAskedSince,
  type Registry,
  settleAll,
  stalest
} from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import {
  accountOf,
  at,
  checkPairs,
  east,
  eastOne,
  eastTwo,
  fresh,
  observation,
  person,
  reading,
  senderOf,
  standings,
  stranger,
  strangerJoins,
  westOne
} from "../../../test/world.ts"
import { write } from "./writing.ts"

const people = (...numbers: ReadonlyArray<number>) => numbers.map(person)
const clear = (n: number) => reading(person(n), { state: "opted-in" })

/** Everybody is known and clear, asked about one second after the other. */
const known = Effect.fnUntraced(function* (registry: Registry, numbers: ReadonlyArray<number>) {
  for (const [index, n] of numbers.entries()) {
    const beganAt = 10_000 + index * 1_000
    yield* checkPairs(registry, [clear(n)], { beganAt, endedAt: beganAt + 100 })
  }
  yield* settleAll("strict")
})

const unanswered = Effect.fnUntraced(function* (registry: Registry, numbers: ReadonlyArray<number>, at: number) {
  const account = accountOf(registry, east)
  const runId = yield* beginRun({ kind: "sweep", accountId: account.id, startedBy: "test", at })
  const context = { account, runId, basis: "checked", span: { beganAt: at, endedAt: at }, settle: 0 } as const
  return yield* commitCheck(context, senderOf(registry, eastOne), [], numbers.map(person))
})

layer(ledgerForTest, { excludeTestServices: true })("whom to ask about", (it) => {
  it.effect("is the stalest first, and nobody twice in one sweep", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const sender = senderOf(registry, eastOne)
      yield* known(registry, [3, 1, 2])
      assert.deepStrictEqual(yield* stalest(sender, 60_000, 2), people(3, 1))
      assert.deepStrictEqual(yield* stalest(sender, 60_000, 9), people(3, 1, 2))
      assert.deepStrictEqual(yield* stalest(sender, 11_000, 9), people(3))
    })
  )

  it.effect("without an answer goes to the end, and stays what it was (L5)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* known(registry, [1, 2, 3])
      yield* checkPairs(registry, [reading(person(1))], { beganAt: 20_000, endedAt: 20_100 })
      yield* unanswered(registry, [1, 2, 8], 30_000)
      yield* settleAll("strict")
      const order = yield* stalest(senderOf(registry, eastOne), 60_000, 9)
      assert.strictEqual(order.indexOf(person(3)) < order.indexOf(person(2)), true)
      assert.strictEqual((yield* standings(person(1)))[eastOne], "opted-out held opted-out")
      assert.strictEqual((yield* standings(person(2)))[eastOne], "opted-in held opted-in")
      assert.strictEqual((yield* standings(person(8)))[eastOne], "opted-in held unknown")
    })
  )

  it.effect("begins with those in doubt, who never keep the others out", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* known(registry, [1, 2, 3, 4, 5, 6])
      for (const n of [4, 5, 6]) {
        yield* ingest(accountOf(registry, east), [observation({ recipient: person(n) })], 20_000, 0)
      }
      assert.deepStrictEqual(yield* stalest(senderOf(registry, eastOne), 60_000, 4), people(4, 5, 1, 2))
    })
  )

  it.effect("is whoever was made known, first of all, and what was known of them stays (L5)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const account = accountOf(registry, east)
      const sender = senderOf(registry, eastOne)
      yield* checkPairs(registry, [reading(person(1))], { beganAt: 10_000, endedAt: 10_100 })
      const both = people(1, 2).map((recipient) => ({ recipient }))
      assert.strictEqual(yield* know(account, [sender], [...both, ...both]), 1)
      assert.strictEqual(yield* know(account, [sender], both), 0)
      assert.strictEqual((yield* standings(person(1)))[eastOne], "opted-out held opted-out")
      yield* settleAll("strict")
      assert.deepStrictEqual(yield* stalest(sender, 60_000, 1), people(1))
      assert.deepStrictEqual(yield* stalest(sender, 60_000, 9), people(1, 2))
    })
  )

  it.effect.each([
    ["said STOP and then START", [0, 1]],
    ["said START after a STOP that we heard of later", [1, 0]]
  ] as const)("is whoever %s, to another sender: what became of their STOP nobody has written (L10)", ([, order]) =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const words = [
        observation({ recipient: person(1), time: at(10_000) }),
        observation({ recipient: person(1), sender: eastTwo, state: "opted-in", time: at(11_000) })
      ]
      for (const which of order) yield* ingest(accountOf(registry, east), words.slice(which, which + 1), 12_000, 0)
      assert.deepStrictEqual(yield* stalest(senderOf(registry, eastOne), 60_000, 9), people(1))
      assert.deepStrictEqual(yield* stalest(senderOf(registry, westOne), 60_000, 9), [])
    })
  )

  it.effect("is whoever said STOP to a sender that joins a group to which they said START (L10)", () =>
    Effect.gen(function* () {
      const before = yield* fresh()
      const stop = observation({ recipient: person(1), sender: stranger, time: at(10_000) })
      const start = observation({ recipient: person(1), state: "opted-in", time: at(11_000) })
      yield* ingest(accountOf(before, east), [stop, start], 12_000, 0)
      const after = yield* strangerJoins("group", 20_000)
      assert.deepStrictEqual(yield* stalest(senderOf(after, stranger), 60_000, 9), people(1))
    })
  )

  it.effect("is early whoever was texted since, by the latest text, whatever comes in later", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const account = accountOf(registry, east)
      const sender = senderOf(registry, eastOne)
      yield* known(registry, [1, 2, 3, 4])
      const texted = (n: number, textedAt?: number) => know(account, [sender], [{ recipient: person(n), textedAt }])
      yield* texted(3, 50_000)
      yield* texted(4, 40_000)
      yield* texted(3, 1_000)
      yield* texted(3)
      // Before they were asked about: no news.
      yield* texted(2, 10_000)
      assert.deepStrictEqual(yield* stalest(sender, 60_000, 4), people(3, 4, 1, 2))
    })
  )

  it.effect("is nobody whose write is on its way", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* known(registry, [1, 2])
      yield* ingest(accountOf(registry, east), [observation({ recipient: person(1) })], 20_000, 0)
      yield* write(registry, eastOne, person(1), { begun: 21_000 })
      assert.deepStrictEqual(yield* stalest(senderOf(registry, eastOne), 60_000, 9), people(2))
    })
  )

  it.effect("of a list is whoever was not asked about since, each once", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* known(registry, [1, 2])
      // Whoever gave no answer was asked all the same.
      yield* unanswered(registry, [4], 12_000)
      const due = yield* notAskedSince(senderOf(registry, eastOne), people(1, 2, 3, 3, 4), 11_000)
      assert.deepStrictEqual(due.toSorted(), people(1, 3))
    })
  )

  it.effect("is counted, with the moment of the stalest", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const sender = senderOf(registry, eastOne)
      const nobody = { known: 0, neverAnswered: 0, askedSince: 0, stalestAt: undefined }
      assert.deepStrictEqual(yield* coverage(sender, 0), nobody)
      yield* known(registry, [1, 2])
      const two = { known: 2, neverAnswered: 0, askedSince: 1, stalestAt: 10_000 }
      assert.deepStrictEqual(yield* coverage(sender, 11_000), two)
      yield* unanswered(registry, [3], 30_000)
      yield* know(accountOf(registry, east), [sender], [{ recipient: person(4) }])
      const four = { known: 4, neverAnswered: 2, askedSince: 2, stalestAt: -Infinity }
      assert.deepStrictEqual(yield* coverage(sender, 11_000), four)
    })
  )
})
