import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { open, person, sender } from "./ports.ts"
import { configFor, startRingCentral } from "./server.ts"

const write = Effect.fn(function* (state: "optOut" | "optIn", body: unknown, people: ReadonlyArray<number>) {
  const server = yield* startRingCentral(() => ({ body }))
  const port = open((yield* makeRingCentralAdapter(configFor(server.url))).write[state])
  const outcomes = yield* port.write(sender, people.map(person))
  return { outcomes, asked: server.calls() }
})

describe("write", () => {
  it.live("sends one list for one sender, each number once", () =>
    Effect.gen(function* () {
      const out = yield* write("optOut", { optOuts: { successful: [person(1), person(2)] } }, [1, 2, 1])
      assert.strictEqual(out.asked[0]?.path, "/restapi/v1.0/account/~/a2p-sms/opt-outs/bulk-assign")
      assert.strictEqual(out.asked[0]?.headers["content-type"], "application/json")
      assert.deepStrictEqual(JSON.parse(out.asked[0]!.body), { from: sender, optOuts: [person(1), person(2)] })
      assert.deepStrictEqual(
        out.outcomes.map(({ _tag, recipient }) => [_tag, recipient]),
        [
          ["Held", person(1)],
          ["Held", person(2)],
          ["Held", person(1)]
        ]
      )
      const back = yield* write("optIn", { optIns: { successful: [person(1)], failed: [] } }, [1])
      assert.deepStrictEqual(JSON.parse(back.asked[0]!.body), { from: sender, optIns: [person(1)] })
      assert.strictEqual(back.outcomes[0]?._tag, "Held")
    })
  )

  it.live("gives one outcome to each, whatever the answer does with them", () =>
    Effect.gen(function* () {
      const { outcomes } = yield* write(
        "optOut",
        {
          optOuts: {
            successful: ["1 (212) 555-0001", person(4), "not a number"],
            failed: [
              { to: person(2), errorMessage: "Unexpected issue on creating an opt-out" },
              { to: person(4), errorMessage: "Unexpected issue" },
              { to: person(5), errorMessage: `Cannot opt out ${person(5)}` },
              { to: person(6) },
              { errorMessage: "of nobody" }
            ]
          },
          optIns: { successful: [person(3)] }
        },
        [1, 2, 3, 4, 5, 6]
      )
      assert.deepStrictEqual(outcomes, [
        { _tag: "Held", recipient: person(1) },
        {
          _tag: "Retryable",
          recipient: person(2),
          detail: "RingCentral says: Unexpected issue on creating an opt-out",
          mayHaveApplied: false
        },
        {
          _tag: "Retryable",
          recipient: person(3),
          detail: "RingCentral's answer leaves this recipient out",
          mayHaveApplied: true
        },
        {
          _tag: "Retryable",
          recipient: person(4),
          detail: "RingCentral's answer says both that it succeeded and that it failed",
          mayHaveApplied: true
        },
        { _tag: "Retryable", recipient: person(5), detail: "RingCentral says that it failed", mayHaveApplied: false },
        { _tag: "Retryable", recipient: person(6), detail: "RingCentral says that it failed", mayHaveApplied: false }
      ])
    })
  )

  it.live("holds nothing for done that an empty answer does not name", () =>
    Effect.gen(function* () {
      for (const body of [{}, { optOuts: null }, { optOuts: {} }, { optIns: { successful: [person(1)] } }]) {
        const { outcomes } = yield* write("optOut", body, [1])
        assert.deepInclude(outcomes[0], { _tag: "Retryable", mayHaveApplied: true })
      }
    })
  )

  it.live("asks nothing for nobody", () =>
    Effect.gen(function* () {
      const { asked, outcomes } = yield* write("optOut", {}, [])
      assert.deepStrictEqual([asked.length, outcomes.length], [0, 0])
    })
  )

  it.live("is bounded by the configuration", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: {} }))
      const plain = yield* makeRingCentralAdapter(configFor(server.url))
      const set = yield* makeRingCentralAdapter(configFor(server.url, { limits: { recipients: 7, concurrency: 2 } }))
      const bounds = [plain, set].map(({ write }) => [open(write.optOut).maxRecipients, open(write.optIn).concurrency])
      assert.deepStrictEqual(bounds, [
        [100, 4],
        [7, 2]
      ])
    })
  )

  it.live("keeps no more than the configured number of calls in flight", () =>
    Effect.gen(function* () {
      let running = 0
      let most = 0
      const gates: Array<() => void> = []
      const hold = () => {
        running += 1
        most = Math.max(most, running)
        return new Promise<void>((resolve) => gates.push(resolve)).finally(() => (running -= 1))
      }
      const server = yield* startRingCentral(() => ({ body: { optOuts: { successful: [person(1)] } } }), {
        hold: ({ path }) => (path.endsWith("bulk-assign") ? hold() : undefined)
      })
      const port = open(
        (yield* makeRingCentralAdapter(configFor(server.url, { limits: { concurrency: 3 } }))).write.optOut
      )
      const release = Effect.gen(function* () {
        let released = 0
        while (released < 9) {
          while (gates.length < Math.min(3, 9 - released)) yield* Effect.sleep("5 millis")
          for (const gate of gates.splice(0)) {
            gate()
            released += 1
          }
        }
      })
      const writes = Effect.all(
        Array.from({ length: 9 }, () => port.write(sender, [person(1)])),
        { concurrency: "unbounded" }
      )
      yield* Effect.all([writes, release], { concurrency: 2 })
      assert.strictEqual(most, 3)
    })
  )
})
