import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { type Fault, type Outcome, type World, makeWorld, startSandbox } from "../src/index.ts"
import {
  about,
  bodyOf,
  callAzure,
  callRingCentral,
  eventually,
  jwtGrant,
  login,
  openRingCentral,
  optOutsPath,
  requestToken,
  responseOf,
  ringCentralOf,
  statusOf
} from "./support.ts"

const shortCode = "20500"
const sender = "+16505550100"
const ann = "+15550100000"
const ben = "+15550100001"
const cay = "+15550100002"

const add = (world: World, ...people: ReadonlyArray<string>) => callAzure(world, "add", about(shortCode, ...people))
const held = (world: World, person: string) =>
  Effect.map(world.state("contoso", shortCode), ({ senders }) => senders[0]?.optedOut.includes(person))

const list = (world: World, token: string, query: Record<string, string> = {}) =>
  callRingCentral(world, "GET", `${optOutsPath}?${new URLSearchParams({ from: sender, ...query }).toString()}`, {
    token
  })
const assign = (world: World, token: string, body: object) =>
  callRingCentral(world, "POST", `${optOutsPath}/bulk-assign`, { token, body: { from: sender, ...body } })

/** The armed faults strike one call, and are gone for the next. */
const once = Effect.fnUntraced(function* (world: World, fault: Fault) {
  yield* world.fault({ ...fault, times: 1 })
})

describe("faults of a whole request", () => {
  it.effect("throttle: in seconds, as a date, and without a time", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* TestClock.adjust("1 hour")
      const now = yield* Clock.currentTimeMillis
      yield* once(world, { account: "contoso", kind: "throttle", retryAfter: 7 })
      const seconds = responseOf(yield* add(world, ann))
      yield* once(world, { account: "contoso", kind: "throttle", retryAfter: 7, form: "date" })
      const date = responseOf(yield* add(world, ann))
      yield* once(world, { account: "contoso", kind: "throttle", form: "none" })
      const none = responseOf(yield* add(world, ann))
      assert.deepStrictEqual([seconds.status, date.status, none.status], [429, 429, 429])
      assert.strictEqual(seconds.headers["retry-after"], "7")
      assert.strictEqual(Date.parse(date.headers["retry-after"] ?? ""), now + 7_000)
      assert.notProperty(none.headers, "retry-after")
      assert.isFalse(yield* held(world, ann))
      assert.strictEqual(statusOf(yield* add(world, ann)), 200)
    })
  )

  it.effect("unavailable: with each status, small or a megabyte, before or after the work", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const token = login(world)
      for (const status of [500, 502, 503, 504] as const) {
        yield* once(world, { account: "acme", kind: "unavailable", status })
        assert.strictEqual(statusOf(list(world, token)), status)
      }
      yield* once(world, { account: "contoso", kind: "unavailable", status: 502, big: true })
      const big = responseOf(yield* add(world, ann))
      assert.isAbove(big.body.length, 1_000_000)
      assert.include(big.headers["content-type"], "text/html")
      assert.isFalse(yield* held(world, ann))
      yield* once(world, { account: "contoso", kind: "unavailable", applied: true })
      assert.strictEqual(statusOf(yield* add(world, ann)), 503)
      assert.isTrue(yield* held(world, ann))
    })
  )

  it.effect("html-200: a page where JSON was promised", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* once(world, { account: "contoso", kind: "html-200" })
      const page = responseOf(yield* add(world, ann))
      assert.strictEqual(page.status, 200)
      assert.match(page.body, /^<!DOCTYPE html>/)
      assert.isFalse(yield* held(world, ann))
    })
  )

  it.effect("drop-before, drop-after-apply and hang", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* once(world, { account: "contoso", kind: "drop-before" })
      assert.deepStrictEqual(yield* add(world, ann), { _tag: "Drop" })
      assert.isFalse(yield* held(world, ann))
      yield* once(world, { account: "contoso", kind: "drop-after-apply" })
      assert.strictEqual(statusOf(yield* callAzure(world, "check", about(shortCode, ann))), 200)
      assert.deepStrictEqual(yield* add(world, ann), { _tag: "Drop" })
      assert.isTrue(yield* held(world, ann))
      yield* once(world, { account: "contoso", kind: "hang" })
      assert.deepStrictEqual(yield* add(world, ben), { _tag: "Hang" })
      assert.isFalse(yield* held(world, ben))
      assert.deepStrictEqual(
        (yield* world.log("contoso")).map(({ fault, status }) => [status, fault]),
        [
          ["dropped", "drop-before"],
          [200, undefined],
          ["dropped", "drop-after-apply"],
          ["hung", "hang"]
        ]
      )
    })
  )

  it.effect("slow: the work is done at once, the answer comes later", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* once(world, { account: "contoso", kind: "slow", ms: 5_000 })
      const outcome = yield* add(world, ann)
      assert.isTrue(outcome._tag === "Later" && outcome.after === 5_000 && statusOf(outcome.outcome) === 200)
      assert.isTrue(yield* held(world, ann))
    })
  )

  it.effect("spares logins unless they are named", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const grant = { grant_type: jwtGrant, assertion: ringCentralOf(world).jwt }
      yield* world.fault({ account: "acme", kind: "unavailable" })
      const token: string = bodyOf(requestToken(world, grant)).access_token
      assert.strictEqual(statusOf(list(world, token)), 503)
      yield* world.clearFaults("acme")
      assert.strictEqual(statusOf(list(world, token)), 200)
      yield* once(world, { account: "acme", kind: "unavailable", operation: "token" })
      assert.strictEqual(statusOf(list(world, token)), 200)
      assert.strictEqual(statusOf(requestToken(world, grant)), 503)
    })
  )

  it.effect("strikes only the operation, sender and recipient it names, and so often", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.fault({
        account: "contoso",
        kind: "throttle",
        operation: "check",
        sender: shortCode,
        recipient: ben,
        times: 2
      })
      const check = (from: string, ...people: ReadonlyArray<string>) =>
        Effect.map(callAzure(world, "check", about(from, ...people)), statusOf)
      assert.strictEqual(statusOf(yield* add(world, ben)), 200)
      assert.strictEqual(yield* check(shortCode, ann), 200)
      assert.strictEqual(yield* check("+14255550123", ben), 200)
      assert.strictEqual(yield* check(shortCode, ann, ben), 429)
      assert.strictEqual((yield* world.faults("contoso")).length, 1)
      assert.strictEqual(yield* check(shortCode, ben), 429)
      assert.strictEqual(yield* check(shortCode, ben), 200)
      assert.deepStrictEqual(yield* world.faults("contoso"), [])
    })
  )

  it.effect("cannot be armed where it cannot happen", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      for (const fault of [
        { account: "contoso", kind: "empty-page" },
        { account: "acme", kind: "item-error" },
        { account: "acme", kind: "throttle", operation: "check" },
        { account: "contoso", kind: "lost-events", operation: "add" },
        { account: "nobody", kind: "hang" }
      ] satisfies ReadonlyArray<Fault>) {
        const error = yield* Effect.flip(world.fault(fault))
        assert.isNotEmpty(error.cure)
      }
      assert.deepStrictEqual(yield* world.faults("contoso"), [])
      assert.deepStrictEqual(yield* world.faults("acme"), [])
    })
  )
})

describe("faults of one recipient", () => {
  it.effect("at Azure: refused, failed, left out, or the whole request refused because of one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const statuses = (outcome: Outcome) =>
        bodyOf(outcome).value.map((item: any) => [item.to, item.httpStatusCode, "isOptedOut" in item])
      yield* once(world, { account: "contoso", kind: "item-refused", recipient: ben })
      assert.deepStrictEqual(statuses(yield* add(world, ann, ben)), [
        [ann, 200, false],
        [ben, 400, false]
      ])
      assert.isFalse(yield* held(world, ben))
      yield* once(world, { account: "contoso", kind: "item-error" })
      assert.deepStrictEqual(statuses(yield* callAzure(world, "check", about(shortCode, ann, ben))), [
        [ann, 500, false],
        [ben, 200, true]
      ])
      yield* once(world, { account: "contoso", kind: "item-error", recipient: cay, applied: true })
      assert.deepStrictEqual(statuses(yield* add(world, cay)), [[cay, 500, false]])
      assert.isTrue(yield* held(world, cay))
      yield* once(world, { account: "contoso", kind: "item-missing", recipient: ann })
      assert.deepStrictEqual(statuses(yield* callAzure(world, "check", about(shortCode, ann, ben))), [[ben, 200, true]])
      yield* once(world, { account: "contoso", kind: "invalid-input", recipient: ben })
      assert.strictEqual(statusOf(yield* add(world, ann)), 200)
      const refused = yield* add(world, ann, ben)
      assert.strictEqual(statusOf(refused), 400)
      assert.strictEqual(bodyOf(refused).error.code, "InvalidInput")
      assert.notInclude(responseOf(refused).body, ben)
    })
  )

  it.effect("at RingCentral: refused, in neither list, or the whole request refused because of one", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ optedOut: 0 })
      const token = login(world)
      yield* once(world, { account: "acme", kind: "item-refused", recipient: ben })
      const refused = bodyOf(assign(world, token, { optOuts: [ann, ben] })).optOuts
      assert.deepStrictEqual([refused.successful, refused.failed[0].to], [[ann], ben])
      yield* once(world, { account: "acme", kind: "item-missing", recipient: ben })
      const missing = bodyOf(assign(world, token, { optOuts: [ben, cay] })).optOuts
      assert.deepStrictEqual(missing, { successful: [cay], failed: [] })
      yield* once(world, { account: "acme", kind: "item-missing", applied: true })
      assert.deepStrictEqual(bodyOf(assign(world, token, { optIns: [ann] })).optIns, { successful: [], failed: [] })
      assert.deepStrictEqual((yield* world.state("acme", sender)).senders[0]?.optedOut, [cay])
      yield* once(world, { account: "acme", kind: "invalid-input", recipient: ben })
      assert.deepStrictEqual(bodyOf(assign(world, token, { optOuts: [ann] })).optOuts.successful, [ann])
      const whole = assign(world, token, { optOuts: [cay, ben] })
      assert.deepStrictEqual([statusOf(whole), bodyOf(whole).errorCode], [400, "CMN-101"])
      assert.notInclude(responseOf(whole).body, ben)
      assert.deepStrictEqual((yield* world.state("acme", sender)).senders[0]?.optedOut, [cay, ann])
    })
  )
})

describe("faults of a list", () => {
  const setup = Effect.fnUntraced(function* () {
    const world = yield* makeWorld({ optedOut: 20 })
    const token = login(world)
    const whole: ReadonlyArray<{ to: string }> = bodyOf(list(world, token)).records
    const page = (pageToken?: string) =>
      bodyOf(list(world, token, { perPage: "10", ...(pageToken !== undefined && { pageToken }) }))
    return { world, whole, page }
  })

  it.effect("empty-page: nothing on it, and the rows it owes come after it", () =>
    Effect.gen(function* () {
      const { page, whole, world } = yield* setup()
      const first = page()
      yield* once(world, { account: "acme", kind: "empty-page" })
      const empty = page(first.paging.nextPageToken)
      assert.deepStrictEqual(empty.records, [])
      assert.notStrictEqual(empty.paging.nextPageToken, first.paging.nextPageToken)
      const last = page(empty.paging.nextPageToken)
      assert.deepStrictEqual([...first.records, ...last.records], whole)
      yield* once(world, { account: "acme", kind: "empty-page" })
      assert.deepStrictEqual(page(page().paging.nextPageToken).records, first.records)
    })
  )

  it.effect("repeat-token: the next token is the page's own", () =>
    Effect.gen(function* () {
      const { page, world } = yield* setup()
      yield* once(world, { account: "acme", kind: "repeat-token" })
      const { paging } = page()
      assert.isString(paging.pageToken)
      assert.strictEqual(paging.nextPageToken, paging.pageToken)
    })
  )

  it.effect("short-list: the list ends early, as if it were complete", () =>
    Effect.gen(function* () {
      const { page, whole, world } = yield* setup()
      yield* once(world, { account: "acme", kind: "short-list" })
      const short = page()
      assert.deepStrictEqual(short.records, whole.slice(0, 5))
      assert.notProperty(short.paging, "nextPageToken")
    })
  )

  it.effect("forgotten-token: an empty page without tokens in the middle of a walk", () =>
    Effect.gen(function* () {
      const { page, world } = yield* setup()
      yield* once(world, { account: "acme", kind: "forgotten-token" })
      const first = page()
      assert.strictEqual(first.records.length, 10)
      assert.deepStrictEqual(page(first.paging.nextPageToken), { records: [], paging: { perPage: 10 } })
    })
  )

  it.effect("stale-read: lists and checks answer as of a moment ago", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ optedOut: 0 })
      yield* TestClock.adjust("1 hour")
      const token = login(world)
      assign(world, token, { optOuts: [ann, ben] })
      yield* add(world, ann)
      yield* TestClock.adjust("10 seconds")
      assign(world, token, { optOuts: [cay], optIns: [ann] })
      yield* callAzure(world, "remove", about(shortCode, ann))
      yield* add(world, ben)
      const listed = (query: Record<string, string> = {}) =>
        bodyOf(list(world, token, query)).records.map((row: { to: string }) => row.to)
      const checked = Effect.map(callAzure(world, "check", about(shortCode, ann, ben)), (outcome) =>
        bodyOf(outcome).value.map((item: { isOptedOut: boolean }) => item.isOptedOut)
      )
      assert.deepStrictEqual(listed(), [cay, ben])
      yield* world.fault({ account: "acme", kind: "stale-read", ms: 5_000 })
      yield* world.fault({ account: "contoso", kind: "stale-read", ms: 5_000 })
      assert.deepStrictEqual(listed(), [ben, ann])
      assert.deepStrictEqual(listed({ to: ann }), [ann])
      assert.deepStrictEqual(yield* checked, [true, false])
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(listed(), [cay, ben])
      assert.deepStrictEqual(yield* checked, [false, true])
    })
  )
})

describe("faults over HTTP", () => {
  it.live("cut, hang and wait for real", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox()
      const { url } = openRingCentral(sandbox)
      const get = (signal?: AbortSignal) =>
        Effect.tryPromise(() => fetch(url + optOutsPath, signal === undefined ? {} : { signal }))
      yield* sandbox.fault({ account: "acme", kind: "drop-before", times: 1 })
      assert.isTrue((yield* Effect.exit(get()))._tag === "Failure")
      yield* sandbox.fault({ account: "acme", kind: "slow", ms: 1, times: 1 })
      assert.strictEqual((yield* get()).status, 401)
      yield* sandbox.fault({ account: "acme", kind: "hang", times: 1 })
      const stop = new AbortController()
      const waiting = yield* Effect.forkChild(Effect.exit(get(stop.signal)))
      yield* eventually(Effect.map(sandbox.log("acme"), (entries) => entries.some(({ status }) => status === "hung")))
      stop.abort()
      yield* Fiber.join(waiting)
      assert.strictEqual((yield* get()).status, 401)
    })
  )
})
