import { assert, describe, it } from "@effect/vitest"
import { NextTurn } from "@stopline/provider"
import { Effect } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { open, otherSender, person, sender } from "./ports.ts"
import { type Answer, configFor, type Seen, startRingCentral } from "./server.ts"

const since = Date.UTC(2026, 1, 1)
const historyPath = "/restapi/v2/accounts/~/sms/consents/history"
const paging = { perPage: 1000, pageToken: "Rjo1" }

const record = (second: number, more: object = {}) => ({
  from: sender,
  to: person(1),
  optStatus: "OptIn",
  source: "Recipient",
  createdAt: `2026-02-03T10:00:0${second}.473705035Z`,
  ...more
})

const message = {
  id: 5,
  from: person(1),
  to: [sender],
  text: "REVOKE",
  direction: "Inbound",
  creationTime: "2026-02-03T10:00:00.000Z"
}
const messages: Answer = { body: { records: [message], paging } }
const emptyStore: Answer = { body: { records: [], paging } }

const look = Effect.fn(function* (history: (seen: Seen) => Answer, store: (seen: Seen) => Answer = () => messages) {
  const server = yield* startRingCentral((seen) => (seen.path === historyPath ? history(seen) : store(seen)))
  const port = open((yield* makeRingCentralAdapter(configFor(server.url, { api: "v2" }))).evidence)
  const told = yield* Effect.result(port.since(sender, person(1), since))
  return { told, asked: server.calls() }
})

describe("evidence, where there is a history", () => {
  it.live("is the person's own records since then, whatever the page, and what the person texted", () =>
    Effect.gen(function* () {
      const { asked, told } = yield* look(({ query }) => ({
        body:
          query.get("pageToken") === null
            ? {
                records: [
                  record(1),
                  record(2, { source: "Api" }),
                  record(3, { to: person(2) }),
                  record(4, { from: otherSender }),
                  record(5, { createdAt: "2026-01-31T23:59:59.000000000Z" }),
                  record(6, { createdAt: "recently" }),
                  record(6, { campaignType: "Promotional" })
                ],
                paging: { ...paging, nextPageToken: "Tjox" }
              }
            : { records: [record(7, { optStatus: "OptOut" }), record(8, { from: "*" })], paging }
      }))
      const observations = yield* Effect.fromResult(told)
      assert.deepStrictEqual(
        observations.map(({ basis, origin, sender, state, time }) => [
          sender,
          state,
          basis,
          origin,
          time.notBefore - Date.UTC(2026, 1, 3, 10),
          time.notAfter - time.notBefore
        ]),
        [
          [sender, "opted-in", "event", "recipient", 1_473, 1],
          [sender, "opted-out", "event", "recipient", 7_473, 1],
          ["*", "opted-in", "event", "recipient", 8_473, 1],
          [sender, "opted-out", "message", "recipient", 0, 0]
        ]
      )
      assert.strictEqual(new Set(observations.map(({ key }) => key)).size, 4)
      assert.deepStrictEqual(Object.fromEntries(asked[0]!.query), { to: person(1), perPage: "1000" })
      assert.deepStrictEqual(Object.fromEntries(asked[1]!.query), {
        to: person(1),
        perPage: "1000",
        pageToken: "Tjox"
      })
      const again = yield* Effect.fromResult((yield* look(() => ({ body: { records: [record(1)], paging } }))).told)
      assert.strictEqual(again[0]?.key, observations[0]?.key, "the same fact has the same key")
    })
  )

  it.live("keeps a STOP that has no time: it was said by now, and is the same fact each time (L1, L3)", () =>
    Effect.gen(function* () {
      const untimed = record(2, { optStatus: "OptOut", createdAt: "recently" })
      const keys: Array<string | null | undefined> = []
      for (const _ of [1, 2]) {
        const { told } = yield* look(
          () => ({ body: { records: [record(1), untimed], paging } }),
          () => emptyStore
        )
        const [start, stop] = yield* Effect.fromResult(told)
        assert.deepStrictEqual([start?.state, stop?.state], ["opted-in", "opted-out"])
        assert.isAbove(stop!.time.notAfter, start!.time.notAfter)
        keys.push(stop?.key)
      }
      assert.strictEqual(keys[0], keys[1])
    })
  )

  it.live("is none where a record cannot be read that may be a STOP (L3, L5)", () =>
    Effect.gen(function* () {
      for (const [unread, tag] of [
        ["?", "Unreadable"],
        [record(2, { optStatus: "OptOut", from: "Contoso" }), "Unreadable"],
        [record(2, { optStatus: "Pending" }), "Unreadable"],
        [record(2, { coverage: "CampaignType" }), 1],
        [record(2, { coverage: "CampaignType", from: undefined, optStatus: "OptOut" }), 2]
      ] as const) {
        const { told } = yield* look(
          () => ({ body: { records: [record(1), unread], paging } }),
          () => emptyStore
        )
        const seen = told._tag === "Success" ? told.success.length : told.failure.reason._tag
        assert.strictEqual(seen, tag, JSON.stringify(unread))
      }
    })
  )

  it.live("waits for a turn before every request but the first (L15)", () =>
    Effect.gen(function* () {
      let turns = 1
      const { asked } = yield* look(({ query }) => ({
        body: {
          records: [],
          paging: query.has("pageToken") ? { ...paging, pageToken: "2" } : { ...paging, nextPageToken: "2" }
        }
      })).pipe(
        Effect.provideService(
          NextTurn,
          Effect.sync(() => void (turns += 1))
        )
      )
      assert.deepStrictEqual([asked.length, turns], [3, 3])
    })
  )

  it.live("does without the message store where that is closed, and only then", () =>
    Effect.gen(function* () {
      const history = () => ({ body: { records: [record(1)], paging } })
      for (const [status, tag] of [
        [403, 1],
        [404, 1],
        [503, "Unavailable"],
        [429, "Throttled"],
        [400, "Refused"]
      ] as const) {
        const { told } = yield* look(history, () => ({ status, body: {} }))
        assert.strictEqual(told._tag === "Success" ? told.success.length : told.failure.reason._tag, tag, `${status}`)
      }
      const { told } = yield* look(() => ({ status: 403, body: {} }))
      assert.strictEqual(told._tag === "Failure" && told.failure.reason._tag, "Denied")
    })
  )

  it.live("fails where the message store answered once and refuses a later page (L3, L5)", () =>
    Effect.gen(function* () {
      const history = () => ({ body: { records: [record(1)], paging } })
      for (const status of [403, 404]) {
        const { told } = yield* look(history, ({ query }) =>
          query.has("pageToken")
            ? { status, body: {} }
            : { body: { records: [message], paging: { ...paging, nextPageToken: "2" } } }
        )
        assert.strictEqual(told._tag === "Failure" && told.failure.reason._tag, "Unreadable", `${status}`)
      }
    })
  )
})
