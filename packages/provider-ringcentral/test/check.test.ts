import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { open, otherSender, person, sender } from "./ports.ts"
import { configFor, startRingCentral } from "./server.ts"

const paging = { perPage: 1000, pageToken: "Rjo1" }

const ask = Effect.fn(function* (body: unknown) {
  const server = yield* startRingCentral(() => ({ body }))
  const { check } = open((yield* makeRingCentralAdapter(configFor(server.url))).check)
  const answers = yield* check(sender, [person(1)])
  return { answer: answers[0]!, asked: server.calls()[0]! }
})

describe("check", () => {
  it.live("asks for the one person at every sender, in the list where a record without a status has a meaning", () =>
    Effect.gen(function* () {
      const { asked } = yield* ask({ records: [], paging })
      assert.deepStrictEqual(Object.fromEntries(asked.query), { to: person(1), status: "optout" })
    })
  )

  it.live("believes a record, and an empty list that can be read", () =>
    Effect.gen(function* () {
      for (const [records, state, origin] of [
        [[{ from: sender, to: person(1) }], "opted-out", "unknown"],
        [[{ from: sender, to: "12125550001", status: "OptOut", source: "Carrier" }], "opted-out", "carrier"],
        [[{ from: "*", to: person(1), status: "OptOut" }], "opted-out", "unknown"],
        [[{ from: sender, to: person(1), status: "OptIn", source: "Recipient" }], "opted-in", "recipient"],
        [
          [
            { from: sender, to: person(1), status: "OptIn" },
            { from: "*", to: person(1), status: "OptOut", source: "Account" }
          ],
          "opted-out",
          "account"
        ],
        [[{ from: otherSender, to: person(1) }], "opted-in", "unknown"],
        [[], "opted-in", "unknown"]
      ] as const) {
        const { answer } = yield* ask({ records, paging })
        assert.deepStrictEqual(answer, {
          _tag: "Known",
          recipient: person(1),
          reading: { sender, recipient: person(1), state, origin }
        })
      }
    })
  )

  it.live("takes silence for an answer nowhere else", () =>
    Effect.gen(function* () {
      for (const body of [
        { records: [{ from: sender, to: person(2) }], paging },
        { records: [{ to: person(1) }], paging },
        { records: [{ from: sender, to: person(1), status: "OptIn" }, "?"], paging }
      ]) {
        assert.strictEqual((yield* ask(body)).answer._tag, "Unanswered", JSON.stringify(body))
      }
      for (const body of [{ records: [] }, { records: [], paging: { ...paging, nextPageToken: "Tjox" } }]) {
        const error = yield* Effect.flip(ask(body))
        assert.strictEqual(error._tag === "ProviderError" && error.reason._tag, "Unreadable")
      }
    })
  )

  it.live("sees a block of the whole account that is not shown under one sender, on whatever page (L5)", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(({ query }) => {
        if (query.has("from")) return { body: { records: [], paging } }
        return query.has("pageToken")
          ? { body: { records: [{ from: "*", to: person(1) }], paging } }
          : { body: { records: [{ from: otherSender, to: person(1) }], paging: { ...paging, nextPageToken: "Tjox" } } }
      })
      const { check } = open((yield* makeRingCentralAdapter(configFor(server.url))).check)
      const [answer] = yield* check(sender, [person(1)])
      assert.strictEqual(answer?._tag === "Known" && answer.reading.state, "opted-out")
    })
  )

  it.live("answers each recipient once, in order", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(({ query }) => ({
        body: { records: query.get("to") === person(2) ? [{ from: sender, to: person(2) }] : [], paging }
      }))
      const port = open((yield* makeRingCentralAdapter(configFor(server.url))).check)
      assert.strictEqual(port.maxRecipients, 1)
      const answers = yield* port.check(sender, [person(1), person(2), person(3)])
      assert.deepStrictEqual(
        answers.map((answer) => [answer.recipient, answer._tag === "Known" && answer.reading.state]),
        [
          [person(1), "opted-in"],
          [person(2), "opted-out"],
          [person(3), "opted-in"]
        ]
      )
    })
  )
})
