import { assert, describe, it } from "@effect/vitest"
import type { PageRequest } from "@stopline/provider"
import { Effect } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { open, otherSender, person, sender } from "./ports.ts"
import { type Answer, configFor, type Seen, startRingCentral } from "./server.ts"

const searchPath = "/restapi/v2/accounts/~/sms/consents/search"
const paging = { perPage: 100, pageToken: "Rjo1" }
const time = "2026-02-03T10:00:00.473705035Z"
const at = { notBefore: Date.UTC(2026, 1, 3, 10, 0, 0, 473), notAfter: Date.UTC(2026, 1, 3, 10, 0, 0, 474) }

const record = (to: string, more: object = {}) => ({
  from: sender,
  to,
  optStatus: "OptOut",
  source: "Recipient",
  lastModifiedTime: time,
  ...more
})

const openWith = Effect.fn(function* (answer: (seen: Seen) => Answer) {
  const server = yield* startRingCentral(answer)
  const adapter = yield* makeRingCentralAdapter(configFor(server.url, { api: "v2" }))
  const asked = () => server.calls().map(({ body, method, path }) => [method, path, JSON.parse(body)] as const)
  return { adapter, asked }
})

const readOne = Effect.fn(function* (records: ReadonlyArray<unknown>, request: Partial<PageRequest> = {}) {
  const { adapter, asked } = yield* openWith(() => ({ body: { records, paging } }))
  const page = yield* open(adapter.list).page({ size: 100, ...request })
  return { page, asked: asked() }
})

describe("a search", () => {
  it.live("asks for opt-outs, of the sender if one is named, with the page's token and all filters again", () =>
    Effect.gen(function* () {
      const whole = yield* readOne([])
      assert.deepStrictEqual(whole.asked, [["POST", searchPath, { optStatus: "OptOut", perPage: 100 }]])
      const next = yield* readOne([record(person(1))], { sender, cursor: "v2:Tjox", size: 5000 })
      assert.deepStrictEqual(next.asked[0]?.[2], {
        optStatus: "OptOut",
        perPage: 1000,
        from: [sender],
        pageToken: "Tjox"
      })
    })
  )

  it.live("reads who, whose wish it was, and when, to the millisecond that nine digits allow", () =>
    Effect.gen(function* () {
      const { page } = yield* readOne([
        record(person(1)),
        record(person(2), { source: "Api", lastModifiedTime: "2026-02-03T10:00:00.473705Z" }),
        record(person(3), { source: "Carrier", lastModifiedTime: "2026-02-03T10:00:00Z" }),
        record(person(4), { optStatus: "OptIn", coverage: "phoneNumber" }),
        record(person(5), { source: "Somebody", lastModifiedTime: "yesterday" }),
        record("1 (212) 555-0006", { source: undefined, lastModifiedTime: undefined })
      ])
      assert.deepStrictEqual(page.problems, [])
      const second = { notBefore: Date.UTC(2026, 1, 3, 10), notAfter: Date.UTC(2026, 1, 3, 10, 0, 0, 999) }
      assert.deepStrictEqual(page.readings, [
        { sender, recipient: person(1), state: "opted-out", origin: "recipient", at },
        { sender, recipient: person(2), state: "opted-out", origin: "api", at },
        { sender, recipient: person(3), state: "opted-out", origin: "carrier", at: second },
        { sender, recipient: person(4), state: "opted-in", origin: "recipient", at },
        { sender, recipient: person(5), state: "opted-out", origin: "unknown" },
        { sender, recipient: person(6), state: "opted-out", origin: "unknown" }
      ])
    })
  )

  it.live("takes a record of the whole account for every sender", () =>
    Effect.gen(function* () {
      const { page } = yield* readOne([
        record(person(1), { from: "*" }),
        record(person(2), { coverage: "Account" }),
        record(person(3), { coverage: "Account", from: undefined, optStatus: "OptIn" })
      ])
      assert.deepStrictEqual(
        page.readings.map(({ recipient, sender, state }) => [sender, recipient, state]),
        [
          ["*", person(1), "opted-out"],
          ["*", person(2), "opted-out"],
          ["*", person(3), "opted-in"]
        ]
      )
    })
  )

  it.live("takes an opt-out of one kind of campaign for an opt-out, and never an opt-in for an opt-in (L3)", () =>
    Effect.gen(function* () {
      const partly = { coverage: "CampaignType", campaignType: "Promotional" }
      const { page } = yield* readOne([
        record(person(1), partly),
        record(person(2), { ...partly, optStatus: "OptIn" }),
        record(person(3), { coverage: "VirtualSender", optStatus: "OptIn" }),
        record(person(4), { ...partly, from: undefined }),
        record(person(5), { campaignType: "Promotional", optStatus: "OptIn" })
      ])
      assert.deepStrictEqual(
        page.readings.map(({ recipient, sender, state }) => [sender, recipient, state]),
        [
          [sender, person(1), "opted-out"],
          // It names no sender, so it is from all of them (L1).
          ["*", person(4), "opted-out"]
        ]
      )
      assert.deepStrictEqual(
        page.problems.map(({ row }) => row),
        ["records[1]", "records[2]", "records[4]"]
      )
    })
  )

  it.live("spares the other rows for one that cannot be understood, and names it without its numbers", () =>
    Effect.gen(function* () {
      const { page } = yield* readOne([
        record("1212"),
        record(person(1), { from: "Contoso" }),
        null,
        record(person(2), { optStatus: "Maybe" }),
        { from: sender, optStatus: "OptOut" },
        record(person(3))
      ])
      assert.deepStrictEqual(
        page.readings.map(({ recipient }) => recipient),
        [person(3)]
      )
      assert.strictEqual(page.problems.length, 5)
      assert.notMatch(JSON.stringify(page.problems), /\d{4}|Contoso/)
    })
  )

  it.live("of one row of one sender's is the probe", () =>
    Effect.gen(function* () {
      const { adapter, asked } = yield* openWith(() => ({ body: { records: [], paging } }))
      yield* adapter.probe(sender)
      assert.deepStrictEqual(asked(), [["POST", searchPath, { optStatus: "OptOut", perPage: 1, from: [sender] }]])
    })
  )
})

const check = Effect.fn(function* (people: ReadonlyArray<number>, answer: (seen: Seen) => unknown) {
  const { adapter, asked } = yield* openWith((seen) => ({ body: answer(seen) }))
  const port = open(adapter.check)
  assert.strictEqual(port.maxRecipients, 20)
  const answers = yield* port.check(sender, people.map(person))
  return { answers, asked: asked() }
})

describe("a check by search", () => {
  it.live("asks about all of them at once, whatever their state and whichever the sender", () =>
    Effect.gen(function* () {
      const { asked } = yield* check([1, 2, 1], () => ({ records: [], paging }))
      assert.deepStrictEqual(asked, [["POST", searchPath, { to: [person(1), person(2)], perPage: 1000 }]])
      assert.deepStrictEqual((yield* check([], () => ({ records: [], paging }))).asked, [])
    })
  )

  it.live("answers each once, in order, by number and not by place", () =>
    Effect.gen(function* () {
      const { answers } = yield* check([1, 2, 3, 4, 5, 1], () => ({
        records: [
          record(person(4), { optStatus: "OptIn" }),
          record(person(2), { from: otherSender }),
          record(person(1)),
          record(person(9)),
          record(person(3), { from: "*", source: "Api" }),
          record(person(5), { optStatus: "OptIn" }),
          record(person(5), { coverage: "Account" })
        ],
        paging
      }))
      const known = (index: number, reading: object) => ({
        _tag: "Known" as const,
        recipient: person(index),
        reading: { sender, recipient: person(index), ...reading }
      })
      assert.deepStrictEqual<unknown>(answers, [
        known(1, { state: "opted-out", origin: "recipient", at }),
        known(2, { state: "opted-in", origin: "unknown" }),
        known(3, { state: "opted-out", origin: "api", at }),
        known(4, { state: "opted-in", origin: "recipient", at }),
        known(5, { state: "opted-out", origin: "recipient", at }),
        known(1, { state: "opted-out", origin: "recipient", at })
      ])
    })
  )

  it.live("believes an opt-out beside a row that nobody can read, and nothing else", () =>
    Effect.gen(function* () {
      const { answers } = yield* check([1, 2, 3], () => ({
        records: [record(person(1)), record(person(2), { optStatus: "OptIn" }), { optStatus: "OptOut" }],
        paging
      }))
      assert.deepStrictEqual(
        answers.map(({ _tag }) => _tag),
        ["Known", "Unanswered", "Unanswered"]
      )
    })
  )

  it.live("leaves out only the one whom a row that cannot be understood is about (L9)", () =>
    Effect.gen(function* () {
      const { answers } = yield* check([1, 2, 3], () => ({
        records: [record(person(1), { optStatus: "OptIn", coverage: "CampaignType" }), record(person(2))],
        paging
      }))
      assert.deepStrictEqual(
        answers.map((answer) => (answer._tag === "Known" ? answer.reading.state : answer._tag)),
        ["Unanswered", "opted-out", "opted-in"]
      )
    })
  )

  it.live("reads all pages, or fails", () =>
    Effect.gen(function* () {
      const next = { perPage: 1000, pageToken: "Rjo1", nextPageToken: "Tjox" }
      const { answers } = yield* check([1], ({ body }) =>
        body.includes("Tjox")
          ? { records: [record(person(1))], paging }
          : { records: [record(person(2))], paging: next }
      )
      assert.deepStrictEqual(
        answers.map((answer) => answer._tag === "Known" && answer.reading.state),
        ["opted-out"]
      )
      const lost = yield* Effect.flip(
        check([1], ({ body }) =>
          body.includes("Tjox") ? { records: [], paging: { perPage: 1000 } } : { records: [], paging: next }
        )
      )
      assert.strictEqual(lost._tag === "ProviderError" && lost.reason._tag, "Unreadable")
    })
  )
})
