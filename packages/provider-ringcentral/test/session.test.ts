import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Exit, Fiber, Scope } from "effect"
import { TestClock } from "effect/testing"
import { makeRingCentralAdapter } from "../src/index.ts"
import { sender } from "./ports.ts"
import { configFor, emptyList, type Seen, secrets, startRingCentral, tokenPath } from "./server.ts"

const oneLook = Effect.fn(function* (config: ReturnType<typeof configFor>) {
  const adapter = yield* makeRingCentralAdapter(config)
  return adapter.probe(sender)
})

/** Turns of the event loop, enough for a call to come as far as it can without an answer. */
const someTurns = Effect.promise(async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
})

describe("logging in", () => {
  it.live("presents the JWT with the client's credentials, and nothing else", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }))
      yield* yield* oneLook(configFor(server.url))
      const [login, look] = server.seen
      assert.strictEqual(login?.path, tokenPath)
      assert.strictEqual(login?.headers.authorization, `Basic ${btoa(`app-1:${secrets.clientSecret}`)}`)
      assert.deepStrictEqual(Object.fromEntries(new URLSearchParams(login?.body)), {
        grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
        assertion: secrets.jwt
      })
      assert.strictEqual(login?.headers["content-length"], String(login?.body.length))
      assert.strictEqual(look?.headers.authorization, "bearer given-1-11")
      assert.match(String(look?.headers["x-user-agent"]), /^Stopline RCJSSDK\/5\.0\.11$/)
    })
  )

  it.effect("uses one token until a minute before its end, by Effect's clock, then presents the JWT again", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }), { expiresIn: 3600 })
      const look = yield* oneLook(configFor(server.url))
      yield* look
      yield* TestClock.adjust("58 minutes")
      yield* look
      assert.strictEqual(server.logins(), 1)
      yield* TestClock.adjust("61 seconds")
      yield* look
      assert.strictEqual(server.logins(), 2)
      assert.isTrue(
        server.seen.filter(({ path }) => path === tokenPath).every(({ body }) => body.includes("jwt-bearer"))
      )
    })
  )

  it.effect("keeps a short-lived token for nine tenths of its life", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }), { expiresIn: 20 })
      const look = yield* oneLook(configFor(server.url))
      yield* look
      yield* TestClock.adjust("17 seconds")
      yield* look
      assert.strictEqual(server.logins(), 1)
      yield* TestClock.adjust("2 seconds")
      yield* look
      assert.strictEqual(server.logins(), 2)
    })
  )

  it.effect("makes one login for 40 calls that meet an expired token at once", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }), { expiresIn: 600 })
      const look = yield* oneLook(configFor(server.url, { limits: { concurrency: 40 } }))
      yield* look
      yield* TestClock.adjust("1 hour")
      yield* Effect.all(
        Array.from({ length: 40 }, () => look),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(server.logins(), 2)
      assert.strictEqual(server.calls().length, 41)
    })
  )

  it.live("makes one login for 40 calls that are all answered 401", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }))
      const look = yield* oneLook(configFor(server.url, { limits: { concurrency: 40 } }))
      yield* look
      server.revoke()
      yield* Effect.all(
        Array.from({ length: 40 }, () => look),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(server.logins(), 2)
    })
  )

  it.live("takes no slot's wait for a reason to send an old token", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }))
      const look = yield* oneLook(configFor(server.url, { limits: { concurrency: 2 } }))
      yield* look
      server.revoke()
      yield* Effect.all(
        Array.from({ length: 40 }, () => look),
        { concurrency: "unbounded" }
      )
      const refused = server.calls().filter(({ headers }) => headers.authorization === "bearer given-1-11").length - 1
      assert.isAtMost(refused, 2, "only those that were in flight met the 401")
      assert.strictEqual(server.logins(), 2)
    })
  )

  it.live("lets the late 401 of an old token cost nothing", () =>
    Effect.gen(function* () {
      // The second call's 401 is held back until the third one has logged in anew.
      const gate = Promise.withResolvers<void>()
      let looks = 0
      const hold = ({ path }: Seen) => (path !== tokenPath && ++looks === 2 ? gate.promise : undefined)
      const server = yield* startRingCentral(() => ({ body: emptyList }), { hold })
      const look = yield* oneLook(configFor(server.url))
      yield* look
      server.revoke()
      const late = yield* Effect.forkChild(look)
      while (server.calls().length < 2) yield* Effect.sleep("5 millis")
      yield* look
      assert.strictEqual(server.logins(), 2)
      gate.resolve()
      yield* Fiber.join(late)
      assert.strictEqual(server.logins(), 2)
    })
  )

  it.live("never lets two adapters in one process share a token", () =>
    Effect.gen(function* () {
      const one = yield* startRingCentral(() => ({ body: emptyList }))
      const two = yield* startRingCentral(() => ({ body: emptyList }), {
        login: () => ({ body: { access_token: "two", token_type: "bearer", expires_in: 3600 } })
      })
      const lookOne = yield* oneLook(configFor(one.url))
      const lookTwo = yield* oneLook(configFor(two.url))
      yield* lookOne
      const refused = yield* Effect.flip(lookTwo)
      yield* lookOne
      assert.strictEqual(refused.reason._tag, "Denied")
      assert.deepStrictEqual(
        new Set(one.calls().map(({ headers }) => headers.authorization)),
        new Set(["bearer given-1-11"])
      )
      assert.deepStrictEqual(new Set(two.calls().map(({ headers }) => headers.authorization)), new Set(["bearer two"]))
    })
  )
})

describe("a login that fails", () => {
  it.effect("is survived: 503, then 429, then in", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }), {
        login: (attempt) =>
          attempt === 1
            ? { status: 503, headers: { "content-type": "text/html" }, body: "<html>" }
            : attempt === 2
              ? { status: 429, headers: { "retry-after": "7" }, body: { errorCode: "CMN-301", message: "" } }
              : undefined
      })
      const look = yield* oneLook(configFor(server.url))
      const first = yield* Effect.flip(look)
      assert.deepInclude(first.reason, { _tag: "Unavailable", status: 503, mayHaveApplied: false })
      assert.match(first.detail, /^login: /)
      const second = yield* Effect.flip(look)
      assert.strictEqual(second.reason._tag === "Throttled" && Duration.toSeconds(second.reason.retryAfter!), 7)
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* Effect.flip(look)).reason._tag, "Throttled")
      assert.strictEqual(server.logins(), 2, "nobody knocks during the penalty")
      yield* TestClock.adjust("1 second")
      yield* look
      assert.strictEqual(server.logins(), 3)
    })
  )

  it.live("fails all who waited for it at once, and nobody after them", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }), {
        login: (attempt) => (attempt === 1 ? { status: 500 } : undefined)
      })
      const look = yield* oneLook(configFor(server.url, { limits: { concurrency: 10 } }))
      const exits = yield* Effect.all(
        Array.from({ length: 10 }, () => Effect.exit(look)),
        { concurrency: "unbounded" }
      )
      assert.isTrue(exits.every(Exit.isFailure))
      assert.strictEqual(server.logins(), 1)
      yield* look
    })
  )

  it.live("is a denial when the JWT or the client is refused, asked for once", () =>
    Effect.gen(function* () {
      for (const status of [400, 401]) {
        const server = yield* startRingCentral(() => ({ body: emptyList }), {
          login: () => ({ status, body: { error: "invalid_grant", errors: [{ errorCode: "OAU-210", message: "" }] } })
        })
        const look = yield* oneLook(configFor(server.url))
        const error = yield* Effect.flip(look)
        assert.deepInclude(error.reason, { _tag: "Denied", status, code: "OAU-210" })
        assert.strictEqual(server.logins(), 1)
      }
    })
  )

  it.live("is unreadable when the answer holds no token, and never logs a body", () =>
    Effect.gen(function* () {
      for (const body of [
        "<html>hush</html>",
        "",
        {},
        { access_token: "hush" },
        { access_token: "hush", expires_in: 0 }
      ]) {
        const server = yield* startRingCentral(() => ({ body: emptyList }), { login: () => ({ body }) })
        const error = yield* Effect.flip(yield* oneLook(configFor(server.url)))
        assert.strictEqual(error.reason._tag, "Unreadable")
        assert.notInclude(String(error), "hush")
      }
    })
  )

  it.effect("stays under five in a minute when every token is refused", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }), {
        login: () => ({ body: { access_token: "never", token_type: "bearer", expires_in: 3600 } })
      })
      const look = yield* oneLook(configFor(server.url))
      for (let i = 0; i < 4; i++) assert.strictEqual((yield* Effect.flip(look)).reason._tag, "Denied")
      const error = yield* Effect.flip(look)
      assert.strictEqual(error.reason._tag, "Throttled")
      assert.strictEqual(server.logins(), 5)
      yield* TestClock.adjust("61 seconds")
      yield* Effect.flip(look)
      assert.strictEqual(server.logins(), 7)
    })
  )
})

describe("ending", () => {
  it.live("closing the scope ends a login in flight", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }), { login: () => "hang" })
      const scope = yield* Scope.make()
      const look = yield* Scope.provide(oneLook(configFor(server.url)), scope)
      const fiber = yield* Effect.forkChild(Effect.exit(look))
      while (server.seen.length === 0) yield* Effect.sleep("5 millis")
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(fiber)))
      while (server.aborted() === 0) yield* Effect.sleep("5 millis")
    })
  )

  it.live("an interrupted caller takes its request with it, and its place in the queue", () =>
    Effect.gen(function* () {
      let hang = false
      const server = yield* startRingCentral(() => (hang ? "hang" : { body: emptyList }))
      const look = yield* oneLook(configFor(server.url, { limits: { concurrency: 1 } }))
      yield* look
      hang = true
      const running = yield* Effect.forkChild(look)
      while (server.calls().length < 2) yield* Effect.sleep("5 millis")
      const queued = yield* Effect.forkChild(look)
      yield* someTurns
      yield* Fiber.interrupt(queued)
      yield* Fiber.interrupt(running)
      while (server.aborted() === 0) yield* Effect.sleep("5 millis")
      hang = false
      yield* look
      assert.strictEqual(server.calls().length, 3, "the queued call was never sent")
    })
  )

  it.live("one of two who wait for a login may leave; the other gets it", () =>
    Effect.gen(function* () {
      const gate = Promise.withResolvers<void>()
      const hold = ({ path }: Seen) => (path === tokenPath ? gate.promise : undefined)
      const server = yield* startRingCentral(() => ({ body: emptyList }), { hold })
      const look = yield* oneLook(configFor(server.url))
      const leaves = yield* Effect.forkChild(look)
      while (server.logins() === 0) yield* Effect.sleep("5 millis")
      const stays = yield* Effect.forkChild(look)
      yield* someTurns
      yield* Fiber.interrupt(leaves)
      gate.resolve()
      yield* Fiber.join(stays)
      assert.strictEqual(server.logins(), 1)
    })
  )
})

describe("the SDK", () => {
  it.live("says nothing on the console", () =>
    Effect.gen(function* () {
      const said: Array<unknown> = []
      const { error, log, warn } = console
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          console.log = console.warn = console.error = (...line: Array<unknown>) => void said.push(line)
        }),
        () => Effect.sync(() => Object.assign(console, { error, log, warn }))
      )
      const server = yield* startRingCentral(() => ({ status: 429 }), {
        login: (n) => (n === 1 ? { status: 401 } : undefined)
      })
      const look = yield* oneLook(configFor(server.url))
      yield* Effect.flip(look)
      yield* Effect.flip(look)
      assert.deepStrictEqual(said, [])
    })
  )
})
