import { assert, layer } from "@effect/vitest"
import { type Observation, parseTimestamp, point } from "@stopline/consent"
import { Connection, history, ingest, type Registry } from "@stopline/ledger"
import { Effect, Fiber } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess, heldOpen, somebodyWaits, until } from "../../../test/process.ts"
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
  saidOf,
  senderOf,
  standings,
  stranger,
  strangerJoins,
  viewOf,
  west,
  westOne
} from "../../../test/world.ts"
import { write } from "./writing.ts"

const one = person(1)
const echoWindow = 5_000

const event = (key: string, given: Partial<Observation> = {}): Observation =>
  observation({ recipient: one, basis: "event", origin: "unknown", reach: "pair", key, ...given })

const hear = (registry: Registry, observations: ReadonlyArray<Observation>, receivedAt = 10_001) =>
  ingest(accountOf(registry, east), observations, receivedAt, echoWindow)

const rowsOf = (table: "observation" | "standing" | "view") =>
  Effect.gen(function* () {
    const { query } = yield* Connection
    const { rows } = yield* query("test", (db) =>
      sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(db)
    )
    return rows[0]!.count
  })

layer(ledgerForTest, { excludeTestServices: true })("what arrives", (it) => {
  it.effect.each([
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59-05:00"
  ])("is stored though it is dated %s (L1)", (text) =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const time = parseTimestamp(text) ?? point(Date.parse(text))
      const heard = yield* hear(registry, [event("event:1", { time })])
      assert.strictEqual(heard.recorded.length, 1)
      assert.strictEqual((yield* history(one, "strict")).standings[0]?.must, "opted-out")
    })
  )

  it.effect.each([
    [
      "longer than an index takes",
      Array.from({ length: 2_000 }, (_, n) => String.fromCodePoint(0x4e00 + n * 7)).join("")
    ],
    ["with a NUL", "event:\0"],
    ["with half a letter", "event:\ud800"]
  ] as const)("is stored under an id %s, and is one row however often it comes (L1, L11)", ([, id]) =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const told = event(id, { evidence: { messageId: id, eventId: id } })
      assert.strictEqual((yield* hear(registry, [told])).recorded.length, 1)
      assert.strictEqual((yield* hear(registry, [told])).repeated, 1)
      const other = event(`${id}x`, { basis: "message" })
      assert.strictEqual((yield* hear(registry, [other])).recorded.length, 1)
    })
  )

  it.effect("silences every sender of the group once it is stored (L1, L2)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const heard = yield* hear(registry, [event("event:1")])
      assert.strictEqual(heard.recorded.length, 1)
      assert.deepStrictEqual(yield* standings(one), {
        [eastOne]: "opted-out held opted-out",
        [eastTwo]: "opted-out held unknown",
        [westOne]: "opted-out held unknown"
      })
    })
  )

  it.effect("twice is one row, in one request or in two (L11)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const first = yield* hear(registry, [event("event:1"), event("event:1")])
      assert.deepInclude(first, { repeated: 1, echoes: 0 })
      const second = yield* hear(registry, [event("event:1")], 60_000)
      assert.deepInclude(second, { recorded: [], repeated: 1, echoes: 0 })
      assert.strictEqual(yield* rowsOf("observation"), 1)
    })
  )

  it.effect("dated by a clock that is ahead does not outlast what is said after it (L2, L3)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const hour = 60 * 60 * 1000
      const start = { state: "opted-in", basis: "message", origin: "recipient" } as const
      const must = Effect.map(history(one, "strict"), ({ standings }) => standings[0]?.must)
      yield* hear(registry, [event("event:1", { ...start, time: at(20_000 + hour) })], 20_000)
      yield* hear(registry, [event("event:2", { time: at(30_000) })], 30_000)
      assert.strictEqual(yield* must, "opted-out")
      const noEnd = parseTimestamp("9999-12-31T23:59:59Z")!
      yield* hear(registry, [event("event:3", { time: noEnd })], 40_000)
      yield* hear(registry, [event("event:4", { ...start, time: at(50_000) })], 50_000)
      assert.strictEqual(yield* must, "opted-in")
      // Nor does it keep a reading from being believed.
      yield* checkPairs(registry, [reading(one)], { beganAt: 60_000, endedAt: 60_100 })
      assert.strictEqual((yield* viewOf(senderOf(registry, eastOne), one))?.view.held, "opted-out")
    })
  )

  it.effect("from many processes at once is one row each (L11)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const others = yield* Effect.forEach([1, 2, 3], () => anotherProcess({ connections: 2 }))
      const heard = yield* Effect.forEach(
        [...others, ...others],
        (other) => other.run(hear(registry, [event("event:1")])),
        {
          concurrency: "unbounded"
        }
      )
      assert.strictEqual(heard.flatMap((one) => one.recorded).length, 1)
      assert.strictEqual(yield* rowsOf("observation"), 1)
    })
  )

  for (const first of ["STOP", "START"] as const) {
    it.effect(
      `a START to the group beside a STOP, the ${first} stored first, has them known where they said STOP (L10)`,
      () =>
        Effect.gen(function* () {
          const registry = yield* fresh("group")
          const other = yield* anotherProcess()
          const stop = observation({ recipient: one, account: west, sender: westOne })
          const said = {
            STOP: ingest(accountOf(registry, west), [stop], 10_001, echoWindow),
            START: hear(registry, [observation({ recipient: one, state: "opted-in", time: at(20_000) })], 20_001)
          }
          const before = yield* other.run(heldOpen(said[first]))
          const after = yield* Effect.forkChild(said[first === "STOP" ? "START" : "STOP"])
          yield* until(somebodyWaits)
          yield* before.commit
          yield* Fiber.join(after)
          assert.strictEqual((yield* standings(one, "group"))[westOne], "opted-in held unknown")
          // Nothing is written there for them any more, and where there is no list only those who are known are asked about.
          assert.isDefined(yield* viewOf(senderOf(registry, westOne), one))
        })
    )
  }

  it.effect(
    "of somebody who once said START to the group waits for nobody at work on them at another account (L2)",
    () =>
      Effect.gen(function* () {
        const registry = yield* fresh("group")
        const other = yield* anotherProcess()
        yield* ingest(
          accountOf(registry, west),
          [observation({ recipient: one, account: west, sender: westOne })],
          10_001,
          0
        )
        yield* hear(registry, [observation({ recipient: one, state: "opted-in", time: at(20_000) })], 20_001)
        // Whoever has moved the view there goes on to the standing, which the STOP has moved by then: they would wait for each other.
        const answer = reading(one, { sender: westOne, state: "opted-in" })
        const read = yield* other.run(heldOpen(checkPairs(registry, [answer], { beganAt: 30_000, endedAt: 30_100 })))
        const stop = yield* Effect.forkChild(
          hear(registry, [observation({ recipient: one, time: at(40_000) })], 40_001)
        )
        yield* until(Effect.map(somebodyWaits, (waits) => waits || stop.pollUnsafe() !== undefined))
        const stored = stop.pollUnsafe() !== undefined
        yield* read.commit
        yield* Fiber.join(stop)
        assert.isTrue(stored)
        assert.strictEqual((yield* standings(one, "group"))[westOne], "opted-out held opted-in")
      })
  )

  it.effect("is told back with the observation that each row is of, in the order given", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const heard = yield* hear(registry, [
        event("event:3", { recipient: person(9) }),
        event("event:1", { time: at(10_000) }),
        event("event:2", { state: "opted-in", origin: "recipient", time: at(11_000) }),
        event("event:4", { sender: eastTwo, time: at(12_000) })
      ])
      assert.deepStrictEqual(
        heard.recorded.map((row) => [row.observation.key, row.observation.state, row.recipient, row.senderId]),
        [
          ["event:3", "opted-out", 15_550_000_009, senderOf(registry, eastOne).id],
          ["event:1", "opted-out", 15_550_000_001, senderOf(registry, eastOne).id],
          ["event:2", "opted-in", 15_550_000_001, senderOf(registry, eastOne).id],
          ["event:4", "opted-out", 15_550_000_001, senderOf(registry, eastTwo).id]
        ]
      )
    })
  )

  it.effect("as the echo of our own write is no news, once; a second event is somebody else (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, [event("event:1", { sender: eastTwo })])
      yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_400 })
      const echo = yield* hear(registry, [event("event:2", { time: at(20_200) })], 20_500)
      assert.deepInclude(echo, { recorded: [], echoes: 1, repeated: 0 })
      const other = yield* hear(registry, [event("event:3", { time: at(20_300) })], 20_600)
      assert.deepInclude(other, { echoes: 0, repeated: 0 })
      assert.strictEqual(other.recorded.length, 1)
    })
  )

  it.effect("as an echo that is delivered again stays no news (L7, L11)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, [event("event:1", { sender: eastTwo })])
      yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_400 })
      const echo = event("event:2", { time: at(20_200) })
      yield* hear(registry, [echo], 20_500)
      const again = yield* hear(registry, [echo], 90_000)
      assert.deepInclude(again, { recorded: [], echoes: 0, repeated: 1 })
      assert.strictEqual(yield* rowsOf("observation"), 1)
    })
  )

  it.effect("about a write that is on its way is its echo, or news that goes the other way (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, [event("event:1", { sender: eastTwo })])
      yield* write(registry, eastOne, one, { begun: 20_000 })
      const lifted = yield* hear(registry, [event("event:2", { state: "opted-in", time: at(20_100) })], 20_200)
      assert.deepInclude(lifted, { echoes: 0 })
      assert.strictEqual(lifted.recorded.length, 1)
      // What is held the outcome of the write will tell.
      assert.isUndefined((yield* viewOf(senderOf(registry, eastOne), one))?.view.held)
      const echo = yield* hear(registry, [event("event:3", { time: at(20_150) })], 20_300)
      assert.deepInclude(echo, { recorded: [], echoes: 1 })
    })
  )

  it.effect("of a write that was tried again may be of its first try (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, [event("event:1", { sender: eastTwo })])
      yield* write(registry, eastOne, one, { begun: 20_000 })
      yield* write(registry, eastOne, one, { begun: 90_000, ended: 90_400 })
      const echo = yield* hear(registry, [event("event:2", { time: at(20_100) })], 91_000)
      assert.deepInclude(echo, { recorded: [], echoes: 1 })
    })
  )

  it.effect("that names the person is never taken for an echo (L1)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, [event("event:1", { sender: eastTwo })])
      yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_400 })
      const said = yield* hear(registry, [event("event:2", { origin: "recipient", time: at(20_200) })], 20_500)
      assert.strictEqual(said.recorded.length, 1)
    })
  )

  it.effect("that happened long after a write of ours is no echo of it, and one that comes late is (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, [event("event:1", { sender: eastTwo })])
      yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_400 })
      const after = yield* hear(registry, [event("event:2", { time: at(20_401 + echoWindow) })], 20_401 + echoWindow)
      assert.strictEqual(after.recorded.length, 1)
      const late = yield* hear(registry, [event("event:3", { time: at(20_200) })], 20_401 + 2 * echoWindow)
      assert.deepInclude(late, { recorded: [], echoes: 1 })
    })
  )

  it.effect("late is a fact, but no longer what the provider holds", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, [event("event:1", { sender: eastTwo })])
      yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_400 })
      const start = event("event:2", { state: "opted-in", origin: "recipient", time: at(15_000) })
      yield* hear(registry, [start], 30_000)
      assert.strictEqual((yield* standings(one))[eastOne], "opted-in held opted-out")
    })
  )

  it.effect("as a text moves no view: the provider has not said what it holds", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, [observation({ recipient: one, key: "message:1" })])
      assert.deepStrictEqual(Object.values(yield* standings(one)), Array(3).fill("opted-out held unknown"))
      assert.strictEqual(yield* rowsOf("view"), 0)
    })
  )

  it.effect("for a sender nobody configured is kept, and counts once that sender joins a group (L1)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const heard = yield* hear(registry, [event("event:1", { sender: stranger })])
      assert.strictEqual(heard.recorded.length, 1)
      assert.deepStrictEqual(Object.values(yield* standings(one)), Array(3).fill("opted-in held unknown"))
      yield* strangerJoins("strict", 2_000)
      assert.deepStrictEqual(yield* standings(one), {
        [eastOne]: "opted-out held unknown",
        [eastTwo]: "opted-out held unknown",
        [stranger]: "opted-out held opted-out",
        [westOne]: "opted-out held unknown"
      })
    })
  )

  it.effect("for a number that only another account lists counts at once (L2)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, [event("event:1", { sender: westOne })])
      assert.deepStrictEqual(Object.values(yield* standings(one)), Array(3).fill("opted-out held unknown"))
    })
  )

  it.effect("under a key of another account is another fact", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, [event("event:1")])
      const there = event("event:1", { account: west, sender: westOne })
      const heard = yield* ingest(accountOf(registry, west), [there], 10_001, echoWindow)
      assert.strictEqual(heard.recorded.length, 1)
      assert.strictEqual((yield* saidOf(one)).length, 2)
    })
  )
})
