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
                message(2, "STOP", { direction: "Outbound" })
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

  it.live("has the STOP of an id that is too long for a number, too (L1)", () =>
    Effect.gen(function* () {
      // As it stands in JSON. Both ids are the same number once they were read.
      const row = (id: string, second: number, words: string) =>
        JSON.stringify(message(second, words)).replace(`"id":${second}`, `"id":${id}`)
      const rows = [row("5496200236759723935", 2, "STOP"), row("5496200236759723936", 1, "START")]
      const page = `{"records":[${rows.join()}],"paging":{"perPage":1000}}`
      const { told } = yield* look(() => page)
      const [stop, start] = yield* Effect.fromResult(told)
      assert.deepStrictEqual([stop?.state, start?.state], ["opted-out", "opted-in"])
      assert.notStrictEqual(stop?.key, start?.key)
      assert.isUndefined(stop?.evidence.messageId)
      // What was missed is read from the same list.
      const server = yield* startRingCentral(() => ({ body: page }))
      const { missed } = open((yield* makeRingCentralAdapter(configFor(server.url))).subscription)
      const { observations } = yield* missed({ since, until: since + 1 })
      assert.deepStrictEqual(
        observations.map(({ key }) => key),
        [stop?.key, start?.key]
      )
    })
  )

  it.live("of a time that was missed tells which messages cannot be read, and takes the others (L1)", () =>
    Effect.gen(function* () {
      const records = [message(1, "STOP"), "?", message(3, "STOP", { to: ["Contoso"] })]
      const server = yield* startRingCentral(() => ({ body: { records, paging: { perPage: 1000 } } }))
      const { missed } = open((yield* makeRingCentralAdapter(configFor(server.url))).subscription)
      const { observations, problems } = yield* missed({ since, until: since + 1 })
      assert.deepStrictEqual(
        observations.map(({ key }) => key),
        ["message:1"]
      )
      assert.deepStrictEqual(
        problems.map(({ row }) => row),
        ["records[1].message", "records[2].to[0]"]
      )
    })
  )

  it.live("of a time that was missed is not at its end where a later page is refused (L1)", () =>
    Effect.gen(function* () {
      for (const status of [403, 404]) {
        const server = yield* startRingCentral(() => ({ status, body: {} }))
        const { missed } = open((yield* makeRingCentralAdapter(configFor(server.url))).subscription)
        assert.strictEqual((yield* missed({ since, until: since + 1 })).next._tag, "End")
        const later = yield* Effect.flip(missed({ since, until: since + 1 }, "Tjox"))
        assert.strictEqual(later.reason._tag, "Unreadable", `${status}`)
      }
    })
  )

  it.live("of a time that was missed is not known where the login is refused (L1)", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: {} }), { login: () => ({ status: 403, body: {} }) })
      const { missed } = open((yield* makeRingCentralAdapter(configFor(server.url))).subscription)
      const { reason } = yield* Effect.flip(missed({ since, until: since + 1 }))
      assert.deepInclude(reason, { _tag: "Denied", status: 401 })
    })
  )

  it.live("fails rather than leave out a message that it cannot read (L3, L5)", () =>
    Effect.gen(function* () {
      for (const unread of ["?", message(2, "STOP", { to: sender }), message(2, "STOP", { to: ["Contoso"] })]) {
        const { told } = yield* look(() => ({ records: [message(1, "START"), unread], paging: { perPage: 1000 } }))
        assert.strictEqual(told._tag === "Failure" && told.failure.reason._tag, "Unreadable", JSON.stringify(unread))
      }
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
