import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { open, otherSender, person, sender } from "./ports.ts"
import { configFor, type Seen, startRingCentral } from "./server.ts"

const since = Date.UTC(2026, 1, 1)

const message = (id: number, text: string, more: object = {}) => ({
  id,
  from: person(1),
  to: [sender],
  text,
  direction: "Inbound",
  creationTime: `2026-02-03T10:00:0${id}.000Z`,
  ...more
})

const look = Effect.fn(function* (answer: (seen: Seen) => unknown) {
  const server = yield* startRingCentral((seen) => ({ body: answer(seen) }))
  const port = open((yield* makeRingCentralAdapter(configFor(server.url))).evidence)
  const told = yield* Effect.result(port.since(sender, person(1), since))
  return { told, asked: server.calls().map(({ path, query }) => [path, Object.fromEntries(query)] as const) }
})

describe("evidence", () => {
  it.live("asks for the words of one person since a moment, and reads all pages", () =>
    Effect.gen(function* () {
      const { asked, told } = yield* look(({ query }) =>
        query.get("pageToken") === null
          ? {
              records: [
                message(5, "START"),
                message(4, "Thanks", { to: [sender] }),
                message(3, "STOP", { to: [otherSender] }),
                message(2, "STOP", { from: person(2) }),
                message(2, "STOP", { direction: "Outbound" }),
                "?"
              ],
              paging: { perPage: 1000, pageToken: "Rjo1", nextPageToken: "Tjox" }
            }
          : { records: [message(1, "stop", { id: "1" })], paging: { perPage: 1000, pageToken: "Tjox" } }
      )
      const query = {
        direction: "Inbound",
        view: "Detailed",
        phoneNumber: person(1),
        dateFrom: "2026-02-01T00:00:00.000Z",
        perPage: "1000"
      }
      const path = "/restapi/v1.0/account/~/a2p-sms/messages"
      assert.deepStrictEqual(asked, [
        [path, query],
        [path, { ...query, pageToken: "Tjox" }]
      ])
      const observations = yield* Effect.fromResult(told)
      assert.deepStrictEqual(
        observations.map(({ basis, key, origin, sender, state, time }) => [
          key,
          state,
          basis,
          origin,
          sender,
          time.notAfter
        ]),
        [
          ["message:5", "opted-in", "message", "recipient", sender, Date.UTC(2026, 1, 3, 10, 0, 5)],
          ["message:1", "opted-out", "message", "recipient", sender, Date.UTC(2026, 1, 3, 10, 0, 1)]
        ]
      )
    })
  )

  it.live("fails rather than tell half of it", () =>
    Effect.gen(function* () {
      const lost = yield* look(({ query }) =>
        query.get("pageToken") === null
          ? { records: [message(5, "START")], paging: { perPage: 1000, nextPageToken: "Tjox" } }
          : { records: [], paging: { perPage: 1000 } }
      )
      const circle = yield* look(({ query }) => ({
        records: [message(5, "START")],
        paging: { perPage: 1000, nextPageToken: query.get("pageToken") === "a" ? "b" : "a" }
      }))
      for (const { told } of [lost, circle]) {
        assert.strictEqual(told._tag === "Failure" && told.failure.reason._tag, "Unreadable")
      }
      assert.strictEqual(circle.asked.length, 3)
    })
  )

  it.live("can look back for ever", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: { records: [], paging: { perPage: 1000 } } }))
      const port = open((yield* makeRingCentralAdapter(configFor(server.url))).evidence)
      assert.deepStrictEqual(yield* port.since(sender, person(1), Number.NEGATIVE_INFINITY), [])
      assert.strictEqual(server.calls()[0]?.query.get("dateFrom"), "1970-01-01T00:00:00.000Z")
    })
  )
})
