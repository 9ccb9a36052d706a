import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { type AccountOptions, type SandboxOptions, type World, makeWorld } from "../src/index.ts"
import {
  bodyOf,
  callRingCentral,
  jwtGrant,
  login,
  optOutsPath,
  requestToken,
  responseOf,
  ringCentralOf,
  statusOf
} from "./support.ts"

type RingCentral = Omit<Extract<AccountOptions, { vendor: "ringcentral" }>, "vendor" | "name" | "senders">

const sender = "+16505550100"
const other = "+16505550101"
const ann = "+15550100000"
const ben = "+15550100001"

const acme = (options: RingCentral = {}, world: SandboxOptions = {}) =>
  makeWorld({
    ...world,
    accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender, other], ...options }]
  })

const list = (world: World, token: string, query: Record<string, string> = {}) =>
  callRingCentral(world, "GET", `${optOutsPath}?${new URLSearchParams(query).toString()}`, { token })

const assign = (world: World, token: string, body: unknown) =>
  callRingCentral(world, "POST", `${optOutsPath}/bulk-assign`, { token, body })

/** Walks to the end, with every page's rows. */
const walk = (world: World, token: string, query: Record<string, string> = {}): Array<Array<string>> => {
  const pages: Array<Array<string>> = []
  let pageToken: string | undefined
  do {
    const page = bodyOf(list(world, token, { ...query, ...(pageToken !== undefined && { pageToken }) }))
    pages.push(page.records.map((record: { to: string }) => record.to))
    pageToken = page.paging.nextPageToken
  } while (pageToken !== undefined && pages.length < 1_000)
  return pages
}

describe("RingCentral: logging in", () => {
  it.effect("a JWT gives an access token without a refresh token, until it expires", () =>
    Effect.gen(function* () {
      const world = yield* acme()
      const token = bodyOf(requestToken(world, { grant_type: jwtGrant, assertion: ringCentralOf(world).jwt }))
      assert.strictEqual(token.expires_in, 3600)
      assert.notProperty(token, "refresh_token")
      yield* TestClock.adjust("3599 seconds")
      assert.strictEqual(statusOf(list(world, token.access_token)), 200)
      yield* TestClock.adjust("1 second")
      const expired = list(world, token.access_token)
      assert.strictEqual(statusOf(expired), 401)
      assert.match(bodyOf(expired).errorCode, /^OAU-/)
    })
  )

  it.effect("a refresh token works once, and ends the access token before it", () =>
    Effect.gen(function* () {
      const world = yield* acme({ refreshTokens: true, tokenSeconds: 900 })
      const first = bodyOf(requestToken(world, { grant_type: jwtGrant, assertion: ringCentralOf(world).jwt }))
      assert.strictEqual(first.expires_in, 900)
      const refresh = { grant_type: "refresh_token", refresh_token: first.refresh_token }
      const second = bodyOf(requestToken(world, { ...refresh, access_token_ttl: "-1" }))
      assert.strictEqual(second.expires_in, 600)
      assert.strictEqual(statusOf(list(world, first.access_token)), 401)
      assert.strictEqual(statusOf(list(world, second.access_token)), 200)
      const again = requestToken(world, refresh)
      assert.strictEqual(statusOf(again), 400)
      assert.strictEqual(bodyOf(again).error, "invalid_grant")
      assert.strictEqual(bodyOf(again).errors[0].errorCode, "OAU-210")
    })
  )

  it.effect("the sixth session costs the oldest its token", () =>
    Effect.gen(function* () {
      const world = yield* acme()
      const tokens = Array.from({ length: 6 }, () => login(world))
      assert.deepStrictEqual(
        tokens.map((token) => statusOf(list(world, token))),
        [401, 200, 200, 200, 200, 200]
      )
    })
  )

  it.effect("refuses a wrong secret, a wrong JWT and another grant in OAuth's words", () =>
    Effect.gen(function* () {
      const world = yield* acme()
      const { jwt } = ringCentralOf(world)
      const refusals = [
        requestToken(world, { grant_type: jwtGrant, assertion: jwt }, "wrong"),
        requestToken(world, { grant_type: jwtGrant, assertion: "wrong" }),
        requestToken(world, { grant_type: "password", username: "a", password: "b" }),
        requestToken(world, { grant_type: jwtGrant })
      ]
      assert.deepStrictEqual(
        refusals.map((refusal) => [statusOf(refusal), bodyOf(refusal).error]),
        [
          [400, "invalid_client"],
          [400, "invalid_grant"],
          [400, "unsupported_grant_type"],
          [400, "invalid_request"]
        ]
      )
      assert.strictEqual(statusOf(callRingCentral(world, "GET", optOutsPath)), 401)
      assert.strictEqual(statusOf(list(world, "made-up")), 401)
    })
  )
})

describe("RingCentral: the list", () => {
  it.effect("every page size shows every row once, newest first", () =>
    Effect.gen(function* () {
      const world = yield* acme({}, { optedOut: 53, people: 60 })
      const token = login(world)
      const [whole = []] = walk(world, token, { from: sender })
      assert.strictEqual(new Set(whole).size, 53)
      for (let perPage = 1; perPage <= 54; perPage++) {
        const pages = walk(world, token, { from: sender, perPage: String(perPage) })
        assert.deepStrictEqual(pages.flat(), whole)
        assert.strictEqual(pages.length, Math.ceil(53 / perPage))
      }
    })
  )

  it.effect("a row that comes during the walk is not in it; one that moves is seen at most once", () =>
    Effect.gen(function* () {
      const world = yield* acme({}, { optedOut: 20, people: 30 })
      const token = login(world)
      const [before = []] = walk(world, token)
      const first = bodyOf(list(world, token, { perPage: "5" }))
      const added = world.people.filter((person) => !before.includes(person)).slice(0, 1)
      const moved = before.slice(10, 11)
      assign(world, token, { from: sender, optOuts: added, optIns: moved })
      assign(world, token, { from: sender, optOuts: moved })
      const rest = bodyOf(list(world, token, { pageToken: first.paging.nextPageToken })).records
      const seen = [...first.records, ...rest].map((record) => record.to)
      assert.deepStrictEqual(
        seen,
        before.filter((person) => !moved.includes(person))
      )
      assert.deepStrictEqual(walk(world, token)[0]?.slice(0, 2), [...moved, ...added])
    })
  )

  it.effect("filters by sender, recipient and status; a plus may be left out", () =>
    Effect.gen(function* () {
      const world = yield* acme({}, { optedOut: 0 })
      const token = login(world)
      assign(world, token, { from: sender, optOuts: [ann, ben] })
      assign(world, token, { from: other, optOuts: [ann] })
      assign(world, token, { from: sender, optIns: [ben] })
      const rows = (query: Record<string, string>) =>
        bodyOf(list(world, token, query)).records.map((row: any) => [row.from, row.to, row.status])
      assert.deepStrictEqual(rows({}), [
        [other, ann, "OptOut"],
        [sender, ann, "OptOut"]
      ])
      assert.deepStrictEqual(rows({ from: "*" }), rows({}))
      assert.deepStrictEqual(rows({ from: sender.slice(1) }), [[sender, ann, "OptOut"]])
      assert.deepStrictEqual(rows({ to: ann.slice(1), from: other }), [[other, ann, "OptOut"]])
      assert.deepStrictEqual(rows({ status: "optin" }), [[sender, ben, "OptIn"]])
      assert.deepStrictEqual(rows({ status: "all", from: sender }), [
        [sender, ben, "OptIn"],
        [sender, ann, "OptOut"]
      ])
      assert.deepStrictEqual(rows({ to: ben, status: "all" }), [[sender, ben, "OptIn"]])
      assert.deepStrictEqual(rows({ from: "+16505550199" }), [])
    })
  )

  it.effect("a token nobody issued is an empty page without tokens, and no error", () =>
    Effect.gen(function* () {
      const world = yield* acme()
      const token = login(world)
      for (const pageToken of ["garbage", "TjoxMjM0", Buffer.from("N:500010:nonsense").toString("base64")]) {
        const outcome = list(world, token, { pageToken })
        assert.strictEqual(statusOf(outcome), 200)
        assert.deepStrictEqual(bodyOf(outcome), { records: [], paging: { perPage: 1000 } })
      }
    })
  )

  it.effect("the first page's token leads to the first page", () =>
    Effect.gen(function* () {
      const world = yield* acme()
      const token = login(world)
      const first = bodyOf(list(world, token, { perPage: "10" }))
      const second = bodyOf(list(world, token, { perPage: "10", pageToken: first.paging.nextPageToken }))
      assert.strictEqual(first.paging.pageToken, first.paging.firstPageToken)
      assert.strictEqual(second.paging.firstPageToken, first.paging.firstPageToken)
      assert.strictEqual(second.paging.pageToken, first.paging.nextPageToken)
      const again = bodyOf(list(world, token, { perPage: "10", pageToken: second.paging.firstPageToken }))
      assert.deepStrictEqual(again.records, first.records)
    })
  )

  it.effect("may give a token on the last page, too: an empty page follows", () =>
    Effect.gen(function* () {
      const world = yield* acme({ tokenOnLastPage: true }, { optedOut: 20, people: 20 })
      const pages = walk(world, login(world), { perPage: "10" })
      assert.deepStrictEqual(
        pages.map((page) => page.length),
        [10, 10, 0]
      )
    })
  )

  it.effect("records are bare, or carry status and source", () =>
    Effect.gen(function* () {
      for (const records of ["bare", "full"] as const) {
        const world = yield* acme({ records }, { optedOut: 1 })
        yield* world.text({ from: ann, to: other, text: "STOP" })
        const [row] = bodyOf(list(world, login(world), { from: other })).records
        const full = { from: other, to: ann, status: "OptOut", source: "Recipient" }
        assert.deepStrictEqual(row, records === "full" ? full : { from: other, to: ann })
      }
    })
  )

  it.effect("refuses wrong parameters by name, and other accounts", () =>
    Effect.gen(function* () {
      const world = yield* acme()
      const token = login(world)
      for (const [parameter, value] of [
        ["perPage", "0"],
        ["perPage", "many"],
        ["status", "OptOut"]
      ] as const) {
        const outcome = list(world, token, { [parameter]: value })
        assert.strictEqual(statusOf(outcome), 400)
        assert.strictEqual(bodyOf(outcome).errorCode, "CMN-101")
        assert.strictEqual(bodyOf(outcome).parameterName, parameter)
      }
      assert.strictEqual(bodyOf(list(world, token, { perPage: "5000" })).paging.perPage, 1000)
      const elsewhere = callRingCentral(world, "GET", optOutsPath.replace("~", "123"), { token })
      assert.strictEqual(statusOf(elsewhere), 404)
      assert.strictEqual(bodyOf(elsewhere).errorCode, "CMN-102")
    })
  )

  it.effect("an account-wide record blocks every sender and is listed under none", () =>
    Effect.gen(function* () {
      const world = yield* acme({}, { optedOut: 0 })
      yield* world.edit({ account: "acme", sender: "*", action: "opt-out", recipients: [ann] })
      const token = login(world)
      assert.deepStrictEqual(bodyOf(list(world, token)).records, [
        { from: "*", to: ann, status: "OptOut", source: "Account" }
      ])
      assert.deepStrictEqual(bodyOf(list(world, token, { from: sender })).records, [])
      assert.isFalse((yield* world.send({ account: "acme", from: other, to: ann })).delivered)
      yield* world.text({ from: ann, to: other, text: "START" })
      assert.isTrue((yield* world.send({ account: "acme", from: other, to: ann })).delivered)
      assert.isFalse((yield* world.send({ account: "acme", from: sender, to: ann })).delivered)
      for (const action of ["opt-in", "opt-out"] as const) {
        yield* world.edit({ account: "acme", sender: "*", action, recipients: [ann] })
      }
      assert.isFalse((yield* world.send({ account: "acme", from: other, to: ann })).delivered)
    })
  )
})

describe("RingCentral: bulk-assign", () => {
  it.effect("says what worked and what did not, and 200 to both", () =>
    Effect.gen(function* () {
      const world = yield* acme({}, { optedOut: 0 })
      const token = login(world)
      const answer = bodyOf(assign(world, token, { from: sender, optOuts: [ann, "+12"], optIns: [ben] }))
      assert.deepStrictEqual(answer.optOuts.successful, [ann])
      assert.strictEqual(answer.optOuts.failed[0].to, "+12")
      assert.deepStrictEqual(answer.optIns, { successful: [ben], failed: [] })
      assert.deepStrictEqual(walk(world, token, { from: sender }), [[ann]])
    })
  )

  it.effect("refuses a strange sender, two empty lists and what is no JSON", () =>
    Effect.gen(function* () {
      const world = yield* acme()
      const token = login(world)
      const codes = [
        { from: "+16505550199", optOuts: [ann] },
        { from: sender, optOuts: [], optIns: [] },
        { from: sender },
        "{",
        { optOuts: [ann] }
      ].map((body) => {
        const outcome = assign(world, token, body)
        return [statusOf(outcome), bodyOf(outcome).errorCode]
      })
      assert.deepStrictEqual(codes, [
        [400, "CMN-101"],
        [400, "CMN-101"],
        [400, "CMN-101"],
        [400, "CMN-104"],
        [400, "CMN-104"]
      ])
    })
  )
})

describe("RingCentral: people who text", () => {
  it.effect("hears its own words only", () =>
    Effect.gen(function* () {
      const world = yield* acme()
      const say = (text: string) => Effect.map(world.text({ from: ann, to: other, text }), ({ optedOut }) => optedOut)
      for (const text of ["STOP", "UNSUBSCRIBE", "QUIT", "CANCEL", "END", " stop "]) {
        assert.isTrue(yield* say(text), text)
        assert.isFalse(yield* say("Start"))
      }
      for (const text of ["STOP please", "REVOKE", "OPT OUT", "ARRET", "STOPALL"])
        assert.isFalse(yield* say(text), text)
      for (const text of ["START", "SUBSCRIBE", "RESUME", "CONTINUE", "unstop"]) {
        assert.isTrue(yield* say("STOP"))
        assert.isFalse(yield* say(text), text)
      }
    })
  )

  it.effect("keeps what was texted, for those who ask in detail and in time", () =>
    Effect.gen(function* () {
      const world = yield* acme()
      yield* world.text({ from: ann, to: sender, text: "too old" })
      yield* TestClock.adjust("25 hours")
      yield* world.text({ from: ann, to: sender, text: "STOP" })
      yield* world.text({ from: ben, to: other, text: "hello" })
      yield* world.send({ account: "acme", from: sender, to: ann })
      const token = login(world)
      const path = "/restapi/v1.0/account/~/a2p-sms/messages"
      const messages = (query: string) => bodyOf(callRingCentral(world, "GET", `${path}?${query}`, { token })).records
      const now = new Date(yield* Clock.currentTimeMillis).toISOString()
      const [hello, stop, ...rest] = messages("direction=Inbound&view=Detailed")
      assert.deepStrictEqual(rest, [])
      assert.deepStrictEqual([hello.text, stop.text], ["hello", "STOP"])
      assert.deepStrictEqual([stop.from, stop.to, stop.creationTime], [ann, [sender], now.replace("Z", "000Z")])
      assert.notProperty(messages("direction=Inbound")[0], "text")
      assert.deepStrictEqual(
        messages(
          `direction=Inbound&view=Detailed&phoneNumber=${encodeURIComponent(ann)}&dateFrom=1970-01-01T00:00:00Z`
        ).map((message: { text: string }) => message.text),
        ["STOP", "too old"]
      )
      const [sent] = messages("direction=Outbound")
      assert.deepStrictEqual([sent.messageStatus, sent.errorCode], ["SendingFailed", "SMS-RC-413"])
      const wrong = callRingCentral(world, "GET", `${path}?dateFrom=yesterday`, { token })
      assert.strictEqual(bodyOf(wrong).parameterName, "dateFrom")
    })
  )
})

describe("RingCentral: limits", () => {
  it.effect("lets fifty a minute pass, and restarts the penalty at every request during it", () =>
    Effect.gen(function* () {
      const world = yield* acme({ limits: true })
      const token = login(world)
      for (let left = 49; left >= 0; left--) {
        const { headers, status } = responseOf(list(world, token, { perPage: "1" }))
        assert.strictEqual(status, 200)
        assert.strictEqual(headers["x-rate-limit-remaining"], String(left))
      }
      const refused = responseOf(list(world, token))
      assert.strictEqual(refused.status, 429)
      assert.strictEqual(JSON.parse(refused.body).errorCode, "CMN-301")
      assert.strictEqual(refused.headers["retry-after"], "60")
      assert.strictEqual(refused.headers["x-rate-limit-group"], "light")
      assert.strictEqual(refused.headers["x-rate-limit-limit"], "50")
      assert.strictEqual(refused.headers["x-rate-limit-window"], "60")
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(statusOf(list(world, token)), 429)
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(statusOf(list(world, token)), 429)
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(statusOf(list(world, token)), 200)
    })
  )

  it.effect("counts logins apart, and takes numbers of one's own", () =>
    Effect.gen(function* () {
      const world = yield* acme({ limits: { light: 2, auth: 3, windowSeconds: 10, penaltySeconds: 5 } })
      const token = login(world)
      const twice = () => [statusOf(list(world, token)), statusOf(list(world, token))]
      assert.deepStrictEqual(twice(), [200, 200])
      login(world)
      login(world)
      const fourth = requestToken(world, { grant_type: jwtGrant, assertion: ringCentralOf(world).jwt })
      assert.strictEqual(statusOf(fourth), 429)
      assert.strictEqual(responseOf(list(world, token)).headers["retry-after"], "5")
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(twice(), [200, 200])
    })
  )

  it.effect("are off unless asked for", () =>
    Effect.gen(function* () {
      const world = yield* acme()
      const token = login(world)
      for (let n = 0; n < 200; n++) assert.strictEqual(statusOf(list(world, token, { perPage: "1" })), 200)
      assert.notProperty(responseOf(list(world, token)).headers, "x-rate-limit-limit")
    })
  )
})
