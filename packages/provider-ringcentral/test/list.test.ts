import { assert, describe, it } from "@effect/vitest"
import type { PageRequest } from "@stopline/provider"
import { Effect } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { type Generation, generations, open, otherSender, person, sender } from "./ports.ts"
import { configFor, type Seen, startRingCentral } from "./server.ts"

/** What one page is made of, and what was asked for it. */
const readOne = Effect.fn(function* (body: unknown, request: Partial<PageRequest> = {}, api: Generation = "v1") {
  const server = yield* startRingCentral(() => ({ body }))
  const adapter = yield* makeRingCentralAdapter(configFor(server.url, { api }))
  const page = yield* Effect.result(open(adapter.list).page({ size: 100, ...request }))
  const [asked] = server.calls()
  return { page, asked: asked! }
})

const readingsOf = (body: unknown) => Effect.flatMap(readOne(body), ({ page }) => Effect.fromResult(page))

const paging = { perPage: 100, pageToken: "Rjo1", firstPageToken: "Rjo1" }

describe("what is asked", () => {
  it.live("opt-outs, of the sender if one is named, with the page's token and all filters again", () =>
    Effect.gen(function* () {
      const whole = yield* readOne({ records: [], paging })
      assert.strictEqual(whole.asked.path, "/restapi/v1.0/account/~/a2p-sms/opt-outs")
      assert.deepStrictEqual(Object.fromEntries(whole.asked.query), { status: "optout", perPage: "100" })
      const next = yield* readOne({ records: [], paging }, { sender, cursor: "Tjox", size: 5000 })
      assert.deepStrictEqual(Object.fromEntries(next.asked.query), {
        status: "optout",
        perPage: "1000",
        from: sender,
        pageToken: "Tjox"
      })
    })
  )
})

describe("a row", () => {
  it.live("may have no more than two numbers, or say whose wish it was", () =>
    Effect.gen(function* () {
      const page = yield* readingsOf({
        records: [
          { from: sender, to: person(1) },
          { from: sender, to: person(2), status: "OptOut", source: "Recipient" },
          { from: sender, to: person(3), status: "OptOut", source: "Account" },
          { from: sender, to: person(4), status: "OptOut", source: "Upstream" },
          { from: sender, to: person(5), status: "OptOut", source: "Carrier" },
          { from: sender, to: person(6), status: "OptIn", source: "Recipient" },
          { from: "*", to: person(7), status: null, source: "Somebody" },
          { from: "16505550100", to: "1 (212) 555-0008" }
        ],
        paging
      })
      assert.deepStrictEqual(page.problems, [])
      assert.deepStrictEqual(
        page.readings.map(({ origin, recipient, sender, state }) => [sender, recipient, state, origin]),
        [
          [sender, person(1), "opted-out", "unknown"],
          [sender, person(2), "opted-out", "recipient"],
          [sender, person(3), "opted-out", "account"],
          [sender, person(4), "opted-out", "carrier"],
          [sender, person(5), "opted-out", "carrier"],
          [sender, person(6), "opted-in", "recipient"],
          ["*", person(7), "opted-out", "unknown"],
          [sender, person(8), "opted-out", "unknown"]
        ]
      )
    })
  )

  it.live("that cannot be understood spares the others, and is named without its numbers", () =>
    Effect.gen(function* () {
      const page = yield* readingsOf({
        records: [
          { from: sender, to: "1212" },
          { from: "Contoso", to: person(1) },
          null,
          { from: sender, to: person(2), status: "Maybe" },
          { from: sender },
          { from: sender, to: person(3) }
        ],
        paging
      })
      assert.deepStrictEqual(
        page.readings.map(({ recipient }) => recipient),
        [person(3)]
      )
      assert.deepStrictEqual(
        page.problems.map(({ row }) => row),
        ["records[0]", "records[1]", "records[2]", "records[3]", "records[4]"]
      )
      assert.notMatch(JSON.stringify(page.problems), /\d{4}|Contoso/)
    })
  )
})

/** The newer API's tokens are marked as such in a cursor. */
const cursorOf = (api: Generation, token: string) => (api === "v2" ? `v2:${token}` : token)

describe.each(generations)("%s: the end of the list", (api) => {
  it.live("is a page without a next token, and nothing else is", () =>
    Effect.gen(function* () {
      const record = { from: sender, to: person(1), optStatus: "OptOut" }
      for (const [body, cursor, next] of [
        [{ records: [record], paging }, undefined, "End"],
        [{ records: [record], paging: { ...paging, nextPageToken: null } }, undefined, "End"],
        [{ records: [], paging: { perPage: 100 } }, undefined, "End"],
        [{ records: [record], paging: { ...paging, nextPageToken: "Tjox" } }, undefined, "More"],
        [{ records: [], paging: { perPage: 100, nextPageToken: "Tjox" } }, "Rjo1", "More"],
        // The last page had a token, and what it leads to is empty but known.
        [{ records: [], paging: { perPage: 100, pageToken: "Tjox" } }, "Tjox", "End"],
        // An unknown token, in RingCentral's way of saying so.
        [{ records: [], paging: { perPage: 100 } }, "Tjox", "Unreadable"],
        [{ records: [], paging: { perPage: 100, pageToken: "Rjo1" } }, "Tjox", "Unreadable"],
        [{ records: [record], paging: {} }, undefined, "Unreadable"],
        // In circles.
        [{ records: [record], paging: { ...paging, nextPageToken: "Tjox" } }, "Tjox", "Unreadable"],
        [{ records: [record], paging: { ...paging, nextPageToken: "" } }, undefined, "Unreadable"],
        // Never an empty list.
        [{ records: [record] }, undefined, "Unreadable"],
        [{ paging }, undefined, "Unreadable"],
        [{}, undefined, "Unreadable"],
        [[], undefined, "Unreadable"]
      ] as const) {
        const { page } = yield* readOne(body, cursor === undefined ? {} : { cursor: cursorOf(api, cursor) }, api)
        const told = page._tag === "Success" ? page.success.next._tag : page.failure.reason._tag
        assert.strictEqual(told, next, JSON.stringify({ body, cursor }))
      }
    })
  )

  it.live("a lost token says that the list has to be read from its start", () =>
    Effect.gen(function* () {
      const { page } = yield* readOne({ records: [], paging: { perPage: 100 } }, { cursor: cursorOf(api, "Tjox") }, api)
      assert.include(String(page._tag === "Failure" && page.failure.detail), "from its start")
    })
  )

  it.live("is not looked for with a token of the other generation", () =>
    Effect.gen(function* () {
      const cursor = cursorOf(api === "v1" ? "v2" : "v1", "Tjox")
      const { asked, page } = yield* readOne({ records: [], paging }, { cursor }, api)
      assert.strictEqual(page._tag === "Failure" && page.failure.reason._tag, "Unreadable")
      assert.isUndefined(asked, "nothing was sent")
    })
  )
})

/** RingCentral's list as its tokens look from outside: newest first, by key. */
const keyset =
  (count: number) =>
  ({ query }: Seen) => {
    const below = Number((query.get("pageToken") ?? `N:${count}`).slice(2))
    const size = Number(query.get("perPage"))
    const from = query.get("from")
    const rows = Array.from({ length: count }, (_, id) => ({ id, from: id % 2 ? sender : otherSender, to: person(id) }))
      .filter((row) => row.id < below && (from === null || row.from === from))
      .toReversed()
    const page = rows.slice(0, size)
    const next = rows.length > size ? { nextPageToken: `N:${page.at(-1)!.id}` } : {}
    return {
      body: {
        records: page.map(({ from, to }) => ({ from, to })),
        paging: { perPage: size, ...(page.length > 0 && { pageToken: `N:${below}` }), ...next }
      }
    }
  }

describe("a walk", () => {
  it.live("of any page size visits each row once", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(keyset(23))
      const list = open((yield* makeRingCentralAdapter(configFor(server.url))).list)
      const walk = Effect.fn(function* (size: number, sender: PageRequest["sender"]) {
        const seen: Array<string> = []
        let cursor: string | undefined
        do {
          const page = yield* list.page({ size, ...(sender && { sender }), ...(cursor !== undefined && { cursor }) })
          seen.push(...page.readings.map(({ recipient }) => recipient))
          cursor = page.next._tag === "More" ? page.next.cursor : undefined
        } while (cursor !== undefined)
        return seen
      })
      for (const size of [1, 2, 3, 7, 22, 23, 24, 1000]) {
        const everybody = Array.from({ length: 23 }, (_, id) => person(id)).toReversed()
        assert.deepStrictEqual(yield* walk(size, undefined), everybody, `pages of ${size}`)
        assert.deepStrictEqual(
          yield* walk(size, otherSender),
          everybody.filter((_, index) => index % 2 === 0)
        )
      }
    })
  )
})

describe("a probe", () => {
  it.live("is one row of one sender's list", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: { records: [{ from: sender, to: person(1) }], paging } }))
      const adapter = yield* makeRingCentralAdapter(configFor(server.url, { accountId: "4711" }))
      yield* adapter.probe(sender)
      const [asked, ...more] = server.calls()
      assert.strictEqual(asked?.path, "/restapi/v1.0/account/4711/a2p-sms/opt-outs")
      assert.deepStrictEqual([asked?.query.get("from"), asked?.query.get("perPage")], [sender, "1"])
      assert.deepStrictEqual(more, [])
    })
  )
})
