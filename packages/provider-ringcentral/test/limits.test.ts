import { assert, describe, it } from "@effect/vitest"
import type { LimitGroup } from "@stopline/provider"
import { type AccountOptions, startSandbox } from "@stopline/sandbox"
import { Clock, Duration, Effect, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { makeRingCentralAdapter, openRingCentralCredentials } from "../src/index.ts"
import { open, person, sender } from "./ports.ts"
import { type Answer, configFor, emptyList, startRingCentral } from "./server.ts"

const told = (group: string, limit: number, remaining: number, window = 60) => ({
  "x-rate-limit-group": group,
  "x-rate-limit-limit": String(limit),
  "x-rate-limit-remaining": String(remaining),
  "x-rate-limit-window": String(window)
})

const lightOf = (limits: ReadonlyArray<LimitGroup>) => limits.find(({ operations }) => operations.includes("list"))

const plain = ({ name, requests, window }: LimitGroup) => [name, requests, Duration.toSeconds(window)]

/** An adapter whose every list is answered so, after it has asked once. */
const asked = Effect.fn(function* (headers: Record<string, string>, more: Parameters<typeof configFor>[1] = {}) {
  const server = yield* startRingCentral(() => ({ headers, body: emptyList }))
  const adapter = yield* makeRingCentralAdapter(configFor(server.url, more))
  yield* adapter.probe(sender)
  return { adapter, server }
})

describe("the limits", () => {
  it.live("are what RingCentral's answers say, as soon as one has come", () =>
    Effect.gen(function* () {
      const { adapter } = yield* asked(told("light", 120, 119, 30))
      assert.deepStrictEqual(adapter.limits.map(plain), [
        ["light", 120, 30],
        ["medium", 40, 60],
        ["auth", 5, 60]
      ])
    })
  )

  it.live("stay below what was configured, and below what RingCentral allows", () =>
    Effect.gen(function* () {
      const window = Duration.seconds(60)
      const modest = yield* asked(told("light", 120, 119), { limits: { requests: 20, window } })
      assert.deepStrictEqual(plain(modest.adapter.limits[0]!), ["light", 20, 60])
      const bold = yield* asked(told("light", 25, 24, 30), { limits: { requests: 600, window } })
      assert.deepStrictEqual(plain(bold.adapter.limits[0]!), ["light", 25, 30])
    })
  )

  it.live("follow an operation into the group in which RingCentral counts it", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ headers: told("heavy", 10, 9), body: emptyList }))
      const adapter = yield* makeRingCentralAdapter(configFor(server.url))
      yield* open(adapter.list).page({ sender, size: 10 })
      assert.deepStrictEqual(plain(lightOf(adapter.limits)!), ["heavy", 10, 60])
      const probe = adapter.limits.find(({ operations }) => operations.includes("probe"))
      assert.deepStrictEqual(plain(probe!), ["light", 50, 60])
    })
  )

  it.live("are not learned from headers that make no sense", () =>
    Effect.gen(function* () {
      for (const headers of [
        told("+16505550100", 10, 9),
        told("light", 0, 0),
        told("light", 10, 9, 0),
        { ...told("light", 10, 9), "x-rate-limit-limit": "many" }
      ]) {
        const { adapter } = yield* asked(headers)
        assert.deepStrictEqual(plain(adapter.limits[0]!), ["light", 50, 60])
      }
    })
  )

  it.effect("that are used up, by whomever, are waited for", () =>
    Effect.gen(function* () {
      const { adapter, server } = yield* asked(told("light", 50, 0, 45))
      const error = yield* Effect.flip(adapter.probe(sender))
      assert.strictEqual(error.reason._tag === "Throttled" && Duration.toSeconds(error.reason.retryAfter!), 45)
      yield* TestClock.adjust("44 seconds")
      yield* Effect.flip(adapter.probe(sender))
      assert.strictEqual(server.calls().length, 1)
      yield* TestClock.adjust("1 second")
      yield* adapter.probe(sender)
      assert.strictEqual(server.calls().length, 2)
    })
  )
})

describe("a penalty (L15)", () => {
  const throttling = (headers: Record<string, string>): Answer => ({
    status: 429,
    headers,
    body: { errorCode: "CMN-301", message: "" }
  })

  for (const [form, headers, seconds] of [
    ["seconds", { "retry-after": "20" }, 20],
    ["a date", { date: "Tue, 03 Feb 2026 10:00:00 GMT", "retry-after": "Tue, 03 Feb 2026 10:00:20 GMT" }, 20],
    ["nothing", {}, 60]
  ] as const) {
    it.effect(`told in ${form} is sat out by everybody, with those who wait for a slot`, () =>
      Effect.gen(function* () {
        let over = false
        const server = yield* startRingCentral(() =>
          over ? { body: emptyList } : throttling({ ...told("light", 50, 0), ...headers })
        )
        const adapter = yield* makeRingCentralAdapter(configFor(server.url, { limits: { concurrency: 1 } }))
        const looks = Array.from({ length: 10 }, () => Effect.flip(adapter.probe(sender)))
        const errors = yield* Effect.all(looks, { concurrency: "unbounded" })
        assert.isTrue(errors.every(({ reason }) => reason._tag === "Throttled"))
        assert.strictEqual(server.calls().length, 1, "nine were in the queue, and none of them left")
        yield* TestClock.adjust(Duration.millis(seconds * 1000 - 1))
        yield* Effect.flip(open(adapter.write.optOut).write(sender, [person(1)]))
        assert.strictEqual(server.calls().length, 1)
        over = true
        yield* TestClock.adjust("1 millis")
        yield* adapter.probe(sender)
        assert.strictEqual(server.calls().length, 2)
      })
    )
  }

  for (const [what, headers, logins] of [
    ["of one group spares the others", told("light", 50, 0), 2],
    ["without a group's name is everybody's", {}, 1]
  ] as const) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const server = yield* startRingCentral(() => throttling({ ...headers }), { expiresIn: 20 })
        const adapter = yield* makeRingCentralAdapter(configFor(server.url))
        yield* Effect.flip(adapter.probe(sender))
        // The token has run out, and the penalty has not: a login would be of the group Auth.
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual((yield* Effect.flip(adapter.probe(sender))).reason._tag, "Throttled")
        assert.strictEqual(server.calls().length, 1)
        assert.strictEqual(server.logins(), logins)
      })
    )
  }
})

describe("a penalty that has no end", () => {
  for (const [what, answer] of [
    ["because of what a 429 asks for", { status: 429, headers: { "retry-after": "86400000" }, body: {} }],
    ["because nothing remains of a long window", { headers: told("light", 50, 0, 999_999), body: emptyList }]
  ] as const) {
    it.effect(`${what} is over after a day`, () =>
      Effect.gen(function* () {
        let again = false
        const server = yield* startRingCentral(() => (again ? { body: emptyList } : answer))
        const adapter = yield* makeRingCentralAdapter(configFor(server.url))
        yield* Effect.ignore(adapter.probe(sender))
        again = true
        yield* TestClock.adjust(Duration.millis(Duration.toMillis("1 day") - 1))
        const error = yield* Effect.flip(adapter.probe(sender))
        assert.strictEqual(error.reason._tag, "Throttled")
        assert.strictEqual(server.calls().length, 1)
        yield* TestClock.adjust("1 millis")
        yield* adapter.probe(sender)
        assert.strictEqual(server.calls().length, 2)
      })
    )
  }
})

describe("a penalty that is told under a name nobody here knows (L15)", () => {
  it.effect("is sat out by what was asked for, and spares the rest", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(({ method, path }) => {
        if (path.startsWith("/restapi/v1.0/subscription") && method === "POST") {
          return { status: 429, headers: told("heavy", 10, 0), body: { errorCode: "CMN-301", message: "" } }
        }
        return { body: path.startsWith("/restapi/v1.0/subscription") ? { records: [] } : emptyList }
      })
      const adapter = yield* makeRingCentralAdapter(configFor(server.url))
      const subscribe = Effect.flip(open(adapter.subscription).ensure("https://stopline.example.com/webhooks/acme"))
      const made = () => server.calls().filter(({ method }) => method === "POST").length
      assert.strictEqual((yield* subscribe).reason._tag, "Throttled")
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* subscribe).reason._tag, "Throttled")
      assert.strictEqual(made(), 1, "one more would begin the penalty anew")
      yield* adapter.probe(sender)
      yield* TestClock.adjust("1 second")
      yield* subscribe
      assert.strictEqual(made(), 2)
    })
  )
})

describe("without a gate of the engine's", () => {
  it.effect("each credential logs in by a limit of its own", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }))
      const credentials = yield* openRingCentralCredentials()
      for (let app = 0; app < 8; app++) {
        const config = configFor(server.url, { clientId: `app-${app}` })
        yield* (yield* makeRingCentralAdapter(config, undefined, credentials)).probe(sender)
      }
      assert.strictEqual(server.logins(), 8)
    })
  )
})

const start = Effect.fn(function* (account: Partial<Extract<AccountOptions, { vendor: "ringcentral" }>> = {}) {
  const sandbox = yield* startSandbox({
    accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender], ...account }]
  })
  const [opened] = sandbox.accounts
  if (opened?.vendor !== "ringcentral") return yield* Effect.die("no RingCentral account")
  const { clientId, clientSecret, jwt } = opened.credentials
  const config = configFor(opened.url, {
    clientId,
    clientSecret: Redacted.make(clientSecret),
    jwt: Redacted.make(jwt),
    limits: { concurrency: 40 }
  })
  const count = (operation: string) =>
    Effect.map(sandbox.log("acme"), (log) => log.filter((entry) => entry.operation === operation).length)
  return { config, count, sandbox }
})

describe("at the sandbox", () => {
  it.effect("forty calls at an expired token are one login", () =>
    Effect.gen(function* () {
      const { config, count } = yield* start({ tokenSeconds: 600 })
      const adapter = yield* makeRingCentralAdapter(config)
      yield* adapter.probe(sender)
      yield* TestClock.adjust("1 hour")
      yield* Effect.all(
        Array.from({ length: 40 }, () => adapter.probe(sender)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(yield* count("token"), 2)
      assert.strictEqual(yield* count("list"), 41)
    })
  )

  it.live("accounts of one credential have one session; another one has its own", () =>
    Effect.gen(function* () {
      const { config, count } = yield* start()
      const credentials = yield* openRingCentralCredentials()
      const [one, two, stranger] = yield* Effect.all([
        makeRingCentralAdapter(config, undefined, credentials),
        makeRingCentralAdapter({ ...config, account: config.account, accountId: "~" }, undefined, credentials),
        makeRingCentralAdapter({ ...config, jwt: Redacted.make("another") }, undefined, credentials)
      ])
      yield* Effect.all([one.probe(sender), two.probe(sender)], { concurrency: "unbounded" })
      assert.strictEqual(yield* count("token"), 1)
      assert.strictEqual((yield* Effect.flip(stranger.probe(sender))).reason._tag, "Denied")
    })
  )

  it.effect("nothing arrives during a penalty, so that it ends when it said it would (L15)", () =>
    Effect.gen(function* () {
      const { config, sandbox } = yield* start({ limits: { light: 10, windowSeconds: 60, penaltySeconds: 60 } })
      const adapter = yield* makeRingCentralAdapter(config)
      const look = Effect.result(adapter.probe(sender))
      // Twenty leave at once, before any answer can warn the others.
      yield* Effect.all(
        Array.from({ length: 20 }, () => look),
        { concurrency: "unbounded" }
      )
      const since = yield* Clock.currentTimeMillis
      for (let second = 0; second < 60; second++) {
        yield* look
        yield* TestClock.adjust("1 second")
      }
      yield* look
      const after = (yield* sandbox.log("acme")).filter(({ at, operation }) => operation === "list" && at > since)
      assert.deepStrictEqual(
        after.map(({ at, status }) => [at - since, status]),
        [[60_000, 200]]
      )
    })
  )
})
