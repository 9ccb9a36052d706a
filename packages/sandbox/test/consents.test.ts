import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { type AccountOptions, type SandboxOptions, type World, makeWorld } from "../src/index.ts"
import { bodyOf, callRingCentral, login, optOutsPath, responseOf, statusOf } from "./support.ts"

type RingCentral = Omit<Extract<AccountOptions, { vendor: "ringcentral" }>, "vendor" | "name" | "senders">

const consentsPath = "/restapi/v2/accounts/~/sms/consents"
const sender = "+16505550100"
const other = "+16505550101"
const ann = "+15550100000"
const ben = "+15550100001"
const cay = "+15550100002"

const acme = Effect.fnUntraced(function* (options: RingCentral = {}, world: SandboxOptions = { optedOut: 0 }) {
  const made = yield* makeWorld({
    ...world,
    accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender, other], ...options }]
  })
  yield* TestClock.adjust("1 hour")
  return { world: made, token: login(made) }
})

interface In {
  readonly world: World
  readonly token: string
}

const search = ({ token, world }: In, body: object = {}) =>
  callRingCentral(world, "POST", `${consentsPath}/search`, { token, body })
const rows = (acme: In, body: object = {}) =>
  bodyOf(search(acme, body)).records.map((row: any) => [row.from, row.to, row.optStatus, row.source])
const amend = ({ token, world }: In, ...records: ReadonlyArray<object>) =>
  callRingCentral(world, "PATCH", consentsPath, { token, body: { records } })
const record = (from: string, to: string, optStatus = "OptOut", source = "Api") => ({ from, to, optStatus, source })
const history = ({ token, world }: In, query = "") =>
  callRingCentral(world, "GET", `${consentsPath}/history${query}`, { token })

describe("RingCentral: consents", () => {
  it.effect("are the rows of the older list, in other words", () =>
    Effect.gen(function* () {
      const here = yield* acme()
      const { token, world } = here
      yield* world.text({ from: ann, to: sender, text: "STOP" })
      callRingCentral(world, "POST", `${optOutsPath}/bulk-assign`, { token, body: { from: sender, optOuts: [ben] } })
      assert.deepStrictEqual(bodyOf(amend(here, record(other, ann), record(sender, cay, "OptOut", "Carrier"))), {})
      assert.deepStrictEqual(rows(here), [
        [sender, cay, "OptOut", "Carrier"],
        [other, ann, "OptOut", "Api"],
        [sender, ben, "OptOut", "Api"],
        [sender, ann, "OptOut", "Recipient"]
      ])
      const older = bodyOf(callRingCentral(world, "GET", optOutsPath, { token })).records
      assert.deepStrictEqual(
        older.map((row: any) => [row.from, row.to, row.status, row.source]),
        [
          [sender, cay, "OptOut", "Carrier"],
          [other, ann, "OptOut", "Account"],
          [sender, ben, "OptOut", "Account"],
          [sender, ann, "OptOut", "Recipient"]
        ]
      )
      amend(here, record(sender, ann, "OptIn"))
      assert.deepStrictEqual((yield* world.state("acme", sender)).senders[0]?.optedIn, [ann])
    })
  )

  it.effect("bear a time with nine digits, and say what they cover", () =>
    Effect.gen(function* () {
      const here = yield* acme()
      yield* here.world.text({ from: ann, to: sender, text: "STOP" })
      yield* here.world.edit({ account: "acme", sender: "*", action: "opt-out", recipients: [ben] })
      const [wide, own] = bodyOf(search(here)).records
      assert.match(own.lastModifiedTime, /^1970-01-01T01:00:00\.000\d{6}Z$/)
      assert.deepStrictEqual(
        [wide.from, wide.coverage, own.from, own.coverage],
        ["*", "Account", sender, "PhoneNumber"]
      )
      assert.deepStrictEqual(rows(here, { coverage: ["Account"] }), [["*", ben, "OptOut", "Api"]])
    })
  )

  it.effect("are filtered by senders, people and state, a hundred a page unless asked otherwise", () =>
    Effect.gen(function* () {
      const here = yield* acme({}, { optedOut: 0, people: 150 })
      amend(here, ...here.world.people.map((person) => record(sender, person)))
      amend(here, record(other, ann), record(sender, ben, "OptIn"))
      assert.strictEqual(rows(here).length, 100)
      assert.strictEqual(rows(here, { perPage: 5000 }).length, 151)
      assert.deepStrictEqual(rows(here, { to: [ann, ben] }), [
        [sender, ben, "OptIn", "Api"],
        [other, ann, "OptOut", "Api"],
        [sender, ann, "OptOut", "Api"]
      ])
      assert.deepStrictEqual(rows(here, { to: [ann, ben], from: [sender], optStatus: "OptOut" }), [
        [sender, ann, "OptOut", "Api"]
      ])
      const { paging } = bodyOf(search(here, { from: [sender, other], perPage: 150 }))
      assert.strictEqual(rows(here, { from: [sender, other], perPage: 150, pageToken: paging.nextPageToken }).length, 1)
      for (const wrong of [
        { from: [] },
        { to: [ann, ann] },
        { to: here.world.people.slice(0, 21) },
        { from: ["*"] },
        { optStatus: "optout" },
        { perPage: 0 }
      ]) {
        assert.strictEqual(statusOf(search(here, wrong)), 400, JSON.stringify(wrong))
      }
      assert.strictEqual(bodyOf(search(here, { perPage: 0 })).errors[0].errorCode, "CMN-101")
    })
  )

  it.effect("a change answers with the records that failed, and carries the others out", () =>
    Effect.gen(function* () {
      const here = yield* acme()
      const bad = [record(sender, "15550100009"), record("*", ann), record("+16505550199", ann)]
      const { failedRecords } = bodyOf(amend(here, bad[0]!, record(sender, ann), bad[1]!, record(other, ben), bad[2]!))
      assert.deepStrictEqual(
        failedRecords.map(({ error, ...rest }: any) => [rest, error.errorCode]),
        bad.map((one) => [one, "CMN-101"])
      )
      assert.deepStrictEqual(rows(here), [
        [other, ben, "OptOut", "Api"],
        [sender, ann, "OptOut", "Api"]
      ])
      const thousand = Array.from({ length: 1_001 }, (_, n) => record(sender, `+1555010${String(n).padStart(4, "0")}`))
      assert.strictEqual(statusOf(amend(here, ...thousand)), 400)
      assert.strictEqual(statusOf(amend(here)), 400)
      assert.deepStrictEqual(bodyOf(amend(here, ...thousand.slice(1))), {})
    })
  )

  it.effect("one item is refused, or fails without being named", () =>
    Effect.gen(function* () {
      const here = yield* acme()
      yield* here.world.fault({ account: "acme", kind: "item-refused", recipient: ann })
      yield* here.world.fault({ account: "acme", kind: "item-missing", recipient: ben })
      const { failedRecords } = bodyOf(amend(here, ...[ann, ben, cay].map((person) => record(sender, person))))
      assert.deepStrictEqual(
        failedRecords.map((failed: any) => failed.to),
        [ann, undefined]
      )
      assert.deepStrictEqual(rows(here), [[sender, cay, "OptOut", "Api"]])
    })
  )

  it.effect("the faults of lists strike a search and, when named, the history", () =>
    Effect.gen(function* () {
      const here = yield* acme({}, { optedOut: 20 })
      const first = bodyOf(search(here, { perPage: 10 }))
      const next = () => search(here, { perPage: 10, pageToken: first.paging.nextPageToken })
      const strike = (kind: "forgotten-token" | "repeat-token" | "short-list" | "html-200", operation?: "history") =>
        here.world.fault({ account: "acme", kind, times: 1, ...(operation && { operation }) })
      yield* strike("forgotten-token")
      assert.deepStrictEqual(bodyOf(next()), { records: [], paging: { perPage: 10 } })
      yield* strike("repeat-token")
      assert.strictEqual(bodyOf(next()).paging.nextPageToken, first.paging.nextPageToken)
      yield* strike("short-list")
      assert.strictEqual(rows(here).length, 10)
      yield* strike("short-list", "history")
      assert.strictEqual(rows(here).length, 20)
      assert.strictEqual(bodyOf(history(here)).records.length, 10)
      yield* strike("html-200")
      assert.match(responseOf(search(here)).body, /^<!DOCTYPE/)
      yield* here.world.text({ from: here.world.people[0]!, to: other, text: "STOP" })
      yield* TestClock.adjust("1 minute")
      yield* here.world.fault({ account: "acme", kind: "stale-read", ms: 120_000, times: 1 })
      assert.deepStrictEqual([rows(here).length, rows(here).length], [20, 21])
    })
  )

  it.effect("the history keeps every state a pair had", () =>
    Effect.gen(function* () {
      const here = yield* acme()
      yield* here.world.text({ from: ann, to: sender, text: "STOP" })
      yield* here.world.text({ from: ben, to: sender, text: "STOP" })
      yield* TestClock.adjust("1 minute")
      yield* here.world.text({ from: ann, to: sender, text: "START" })
      const { records } = bodyOf(history(here, `?to=${encodeURIComponent(ann)}`))
      assert.deepStrictEqual(
        records.map((row: any) => [row.to, row.optStatus, row.source, row.createdAt.slice(11, 23)]),
        [
          [ann, "OptIn", "Recipient", "01:01:00.000"],
          [ann, "OptOut", "Recipient", "01:00:00.000"]
        ]
      )
      const pages = bodyOf(history(here, "?perPage=2"))
      assert.strictEqual(pages.records.length, 2)
      assert.strictEqual(bodyOf(history(here, `?pageToken=${pages.paging.nextPageToken}`)).records.length, 1)
    })
  )

  it.effect("the export has a row for each record, under the columns of the API's description", () =>
    Effect.gen(function* () {
      const here = yield* acme()
      yield* here.world.text({ from: ann, to: sender, text: "STOP" })
      yield* here.world.text({ from: ann, to: sender, text: "START" })
      yield* here.world.edit({ account: "acme", sender: "*", action: "opt-out", recipients: [ben] })
      const { body, headers } = responseOf(
        callRingCentral(here.world, "GET", `${consentsPath}/export`, { token: here.token })
      )
      const [header, ...lines] = body.trimEnd().split("\r\n")
      assert.strictEqual(headers["content-type"], "text/csv")
      assert.match(header ?? "", /^External Party Number,Internal Party Number,Consent Status,Source,Coverage,/)
      assert.deepStrictEqual(
        lines.map((line) => line.split(",").slice(0, 5)),
        [
          [ann, sender, "OptIn", "Recipient", "PhoneNumber"],
          [ben, "*", "OptOut", "Api", "Company"]
        ]
      )
    })
  )

  it.effect("an account may serve one generation only, and answers 404 to the other", () =>
    Effect.gen(function* () {
      for (const [api, older, newer] of [
        ["v1", 200, 404],
        ["v2", 404, 200]
      ] as const) {
        const here = yield* acme({ api })
        assert.strictEqual(statusOf(callRingCentral(here.world, "GET", optOutsPath, { token: here.token })), older)
        assert.strictEqual(statusOf(search(here)), newer)
        assert.strictEqual(statusOf(history(here)), newer)
      }
    })
  )

  it.effect("a search without a body is refused, and one that asks for nothing in particular is not", () =>
    Effect.gen(function* () {
      const { token, world } = yield* acme()
      const asked = (body?: object) =>
        statusOf(callRingCentral(world, "POST", `${consentsPath}/search`, { token, ...(body && { body }) }))
      assert.deepStrictEqual([asked(), asked({}), asked({ coverage: [] })], [400, 200, 400])
    })
  )

  it.effect("an app without a permission is refused what needs it, and nothing else", () =>
    Effect.gen(function* () {
      const messages = "/restapi/v1.0/account/~/a2p-sms/messages"
      for (const [permissions, older, newer] of [
        [["A2PSMS"], 200, 403],
        [["SMS"], 403, 200],
        [[], 403, 403]
      ] as const) {
        const here = yield* acme({ permissions })
        const asked = (method: string, path: string) =>
          callRingCentral(here.world, method, path, { token: here.token, body: {} })
        assert.deepStrictEqual(
          [optOutsPath, messages].map((path) => statusOf(asked("GET", path))),
          [older, older]
        )
        assert.deepStrictEqual([search(here), history(here)].map(statusOf), [newer, newer])
        const refused = asked("POST", "/restapi/v1.0/subscription")
        assert.deepStrictEqual([statusOf(refused), bodyOf(refused).errorCode], [403, "CMN-401"])
        assert.strictEqual(statusOf(asked("POST", "/restapi/oauth/wstoken")), 403)
        assert.strictEqual(statusOf(asked("GET", "/restapi/v1.0/subscription")), 200)
      }
    })
  )
})
