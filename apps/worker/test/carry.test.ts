/** A person's own words, from the webhook to every other sender, over real HTTP. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Schema } from "effect"
import { azurePath, textToAzure } from "./texted.ts"
import { startWorker } from "./worker.ts"
import {
  acmeSender,
  azure,
  azureHolds,
  azureSenders,
  eventually,
  keepTable,
  listenToAzure,
  lastRound,
  makeWorld,
  ringcentral,
  ringcentralHolds,
  roundAfter,
  shortCode,
  tenDlc,
  tollFree,
  type World
} from "./world.ts"

const readPairs = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Int))

const heldEverywhere = Effect.fnUntraced(function* (world: World, person: string) {
  for (const sender of azureSenders) {
    yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
  }
  yield* eventually("RingCentral holds it", ringcentralHolds(world, person))
})

describe.concurrent("a STOP", () => {
  it.live("texted to RingCentral is held by every Azure sender, and by nobody for anybody else (L2)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const worker = yield* startWorker(world)
      const [person = "", other = ""] = world.sandbox.people
      yield* world.sandbox.text({ from: person, to: acmeSender, text: "STOP" })
      yield* heldEverywhere(world, person)
      for (const sender of azureSenders) expect(yield* azureHolds(world, sender, other)).toBe(false)
      yield* eventually(
        "it is told of",
        Effect.sync(() => worker.said.some(({ event }) => event === "carried"))
      )
      const carried = worker.said.filter(({ event }) => event === "carried")
      // RingCentral tells of it twice, as a change and as a text; whichever comes first does the work.
      for (const { from } of carried) expect(from).toBe(`${ringcentral}/${acmeSender}`)
      // L14
      expect(JSON.stringify([worker.said, worker.logged])).not.toContain(person.slice(1))
    })
  )

  for (const schema of ["EventGrid", "CloudEvents"] as const) {
    it.live(`texted to Azure is held by RingCentral and by the other Azure senders (${schema})`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* startWorker(world)
        yield* listenToAzure(world, { schema })
        for (const [index, sender] of azureSenders.entries()) {
          const person = world.sandbox.people[index] ?? ""
          yield* world.sandbox.text({ from: person, to: sender, text: "Stop!" })
          yield* heldEverywhere(world, person)
        }
      })
    )
  }

  it.live("in a word that the provider does not know is held there, too", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const [person = ""] = world.sandbox.people
      const said = yield* world.sandbox.text({ from: person, to: acmeSender, text: "please stop texting me" })
      expect(said.optedOut).toBe(false)
      yield* heldEverywhere(world, person)
    })
  )

  it.live("that is told twice is one fact (L11)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      yield* listenToAzure(world)
      yield* world.sandbox.fault({ account: azure, kind: "duplicate-events" })
      yield* world.sandbox.fault({ account: ringcentral, kind: "duplicate-events" })
      const [person = "", other = ""] = world.sandbox.people
      yield* world.sandbox.text({ from: person, to: shortCode, text: "STOP" })
      yield* world.sandbox.text({ from: other, to: acmeSender, text: "STOP" })
      yield* heldEverywhere(world, person)
      yield* heldEverywhere(world, other)
      const count = world.sql(
        "select recipient, basis, count(*)::int as times from observation group by 1, 2 order by 1, 2"
      )
      expect(yield* count).toEqual([
        { recipient: person.slice(1), basis: "message", times: 1 },
        { recipient: other.slice(1), basis: "message", times: 1 },
        { recipient: other.slice(1), basis: "event", times: 1 }
      ])
    })
  )

  it.live("that we wrote ourselves and hear of again is no news (L7)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const worker = yield* startWorker(world)
      yield* listenToAzure(world)
      const [person = "", other = ""] = world.sandbox.people
      yield* world.sandbox.text({ from: person, to: tenDlc, text: "STOP" })
      yield* heldEverywhere(world, person)
      // RingCentral told of our write before it tells of this.
      yield* world.sandbox.text({ from: other, to: acmeSender, text: "STOP" })
      yield* heldEverywhere(world, other)
      yield* worker.stop
      const heard = yield* world.sql("select basis from observation where recipient = $1", [person.slice(1)])
      expect(heard).toEqual([{ basis: "message" }])
    })
  )
})

describe.concurrent("a START", () => {
  it.live("lifts the pair it was said to and no other (L3)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      yield* listenToAzure(world)
      const [person = ""] = world.sandbox.people
      yield* world.sandbox.text({ from: person, to: shortCode, text: "STOP" })
      yield* heldEverywhere(world, person)
      // Azure acts on this one by itself.
      const before = yield* lastRound(world)
      yield* world.sandbox.text({ from: person, to: tenDlc, text: "START" })
      yield* roundAfter(world, before)
      expect(yield* azureHolds(world, tenDlc, person)).toBe(false)
      // RingCentral knows no START with a dot: what is lifted there, we lift.
      const said = yield* world.sandbox.text({ from: person, to: acmeSender, text: "Start." })
      expect(said.optedOut).toBe(true)
      yield* eventually(
        "RingCentral lets go",
        Effect.map(ringcentralHolds(world, person), (held) => !held)
      )
      expect(yield* azureHolds(world, tenDlc, person)).toBe(false)
      for (const sender of [tollFree, shortCode]) expect(yield* azureHolds(world, sender, person)).toBe(true)
    })
  )

  it.live("heard of late has its block put back at once, if a STOP was said since, without a round (L2)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const [person = ""] = world.sandbox.people
      // Nobody has subscribed to Azure's events: we say what comes of each, and when.
      const text = Effect.fnUntraced(function* (to: string, message: string) {
        const { messageId: id } = yield* world.sandbox.text({ from: person, to, text: message })
        const at = new Date(yield* Clock.currentTimeMillis).toISOString()
        const body = JSON.stringify(textToAzure({ person, id, message, to, at }))
        const headers = { "content-type": "application/json" }
        return Effect.promise(() => fetch(world.url + azurePath, { method: "POST", headers, body }))
      })
      const tell = yield* text(shortCode, "STOP")
      yield* tell
      yield* heldEverywhere(world, person)
      const tellOfStart = yield* text(tenDlc, "START")
      const tellOfStop = yield* text(tollFree, "STOP")
      yield* tellOfStop
      expect(yield* azureHolds(world, tenDlc, person)).toBe(false)
      // Nobody can have a round begun now.
      yield* keepTable(world, "stopline_jobs.job")
      yield* tellOfStart
      yield* heldEverywhere(world, person)
    })
  )
})

// By itself, for it is as much as eight tests.
describe("a STOP", () => {
  it.live("of everybody at once, at every sender, is held everywhere", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ people: 40, patient: true })
      const worker = yield* startWorker(world)
      yield* listenToAzure(world)
      const senders = [...azureSenders, acmeSender]
      yield* Effect.forEach(
        world.sandbox.people,
        (from, index) => world.sandbox.text({ from, to: senders[index % senders.length] ?? "", text: "STOP" }),
        { concurrency: "unbounded" }
      )
      for (const person of world.sandbox.people) yield* heldEverywhere(world, person)
      // However many were carried together, nobody is told of twice, and each with their own pairs.
      const lines = worker.said.filter(({ event }) => event === "carried")
      expect(lines.length).toBeGreaterThan(0)
      expect(new Set(lines.map(({ recipient }) => recipient)).size).toBe(lines.length)
      for (const { to } of lines) {
        const { [azure]: asked = 0, [ringcentral]: listed = 0 } = readPairs(to)
        expect([asked <= 3, listed <= 1, asked + listed > 0]).toEqual([true, true, true])
      }
    })
  )
})
