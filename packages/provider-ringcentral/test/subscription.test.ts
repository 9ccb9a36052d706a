import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Logger } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { open } from "./ports.ts"
import { type Answer, configFor, secrets, type Seen, startRingCentral } from "./server.ts"

const url = "https://hooks.example.com/ringcentral"
const optOuts = "/restapi/v1.0/account/~/a2p-sms/opt-outs"
const messages = "/restapi/v1.0/account/~/a2p-sms/messages?direction=Inbound"
const reminder = "/restapi/v1.0/subscription/~?threshold=259200&interval=43200"

const subscription = (id: string, more: object = {}) => ({
  uri: `https://platform.ringcentral.com/restapi/v1.0/subscription/${id}`,
  id,
  status: "Active",
  creationTime: "2026-02-03T10:00:00.000Z",
  expirationTime: "2036-02-01T10:00:00.000Z",
  expiresIn: 315_359_999,
  eventFilters: [optOuts, messages, reminder].map((filter) => filter.replace("~", "4711")),
  deliveryMode: { transportType: "WebHook", encryption: false, address: url },
  ...more
})

const ensure = Effect.fn(function* (
  records: ReadonlyArray<unknown>,
  made: Answer = { body: subscription("new") },
  gone = 204
) {
  const server = yield* startRingCentral(({ method }) =>
    method === "GET" ? { body: { records } } : method === "POST" ? made : { status: gone, body: "" }
  )
  const { subscription } = yield* makeRingCentralAdapter(configFor(server.url))
  const told = yield* Effect.result(open(subscription).ensure(url))
  const steps = server.calls().map(({ method, path }) => `${method} ${path.replace("/restapi/v1.0/subscription", "")}`)
  return { told, steps, posted: server.calls().find(({ method }): boolean => method === "POST") }
})

const bodyOf = (seen: Seen | undefined) => JSON.parse(seen?.body ?? "null")

describe("a webhook subscription", () => {
  it.live("is made for ten years, with the token that will prove its events", () =>
    Effect.gen(function* () {
      const { posted, steps, told } = yield* ensure([])
      assert.deepStrictEqual(steps, ["GET ", "POST "])
      assert.deepStrictEqual(bodyOf(posted), {
        eventFilters: [optOuts, messages, reminder],
        deliveryMode: { transportType: "WebHook", address: url, verificationToken: secrets.verificationToken },
        expiresIn: 315_360_000
      })
      assert.deepStrictEqual(yield* Effect.fromResult(told), {
        id: "new",
        expiresAt: "2036-02-01T10:00:00.000Z",
        missing: []
      })
    })
  )

  it.live("is kept if it is there already, though RingCentral writes the account's id into its filters", () =>
    Effect.gen(function* () {
      const other = subscription("other", { deliveryMode: { transportType: "WebHook", address: `${url}/2` } })
      const socket = subscription("socket", { deliveryMode: { transportType: "WebSocket" } })
      const { steps, told } = yield* ensure([socket, other, "?", subscription("mine")])
      assert.deepStrictEqual(steps, ["GET "])
      assert.strictEqual((yield* Effect.fromResult(told)).id, "mine")
    })
  )

  it.live("at another address of the account is left alone, and told of once", () =>
    Effect.gen(function* () {
      const at = (id: string, address: string, more: object = {}) =>
        subscription(id, { deliveryMode: { transportType: "WebHook", address }, ...more })
      const records = [
        subscription("mine"),
        at("before", "https://old.example.com:8443/sms/webhooks/acme?code=hush"),
        at("again", "https://old.example.com:8443/sms/webhooks/acme?code=hush"),
        at("crm", "https://crm.example.com/ringcentral"),
        at("another-account", "https://old.example.com/webhooks/other"),
        at("deaf", "https://deaf.example.com/webhooks/acme", { eventFilters: [messages] }),
        at("nowhere", "?")
      ]
      const server = yield* startRingCentral(() => ({ body: { records } }))
      const port = open((yield* makeRingCentralAdapter(configFor(server.url))).subscription)
      const logged: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => logged.push(`${logLevel}: ${JSON.stringify(message)}`))
      yield* Effect.provide(Effect.andThen(port.ensure(url), port.ensure(url)), Logger.layer([logger]))
      assert.lengthOf(logged, 1)
      assert.include(logged[0], "Warn")
      assert.include(logged[0], `"host":"old.example.com:8443","subscription":"before"`)
      assert.include(logged[0], "delete that subscription at RingCentral, and set a new verification token")
      assert.notInclude(logged[0], "hush")
      assert.deepStrictEqual(
        server.calls().map(({ method }) => method),
        ["GET", "GET"]
      )
    })
  )

  it.live("is replaced if it was blacklisted", () =>
    Effect.gen(function* () {
      const { steps, told } = yield* ensure([subscription("dead", { status: "Blacklisted" })])
      assert.deepStrictEqual(steps, ["GET ", "DELETE /dead", "POST "])
      assert.strictEqual((yield* Effect.fromResult(told)).id, "new")
    })
  )

  it.live("is replaced without a gap if it listens to something else", () =>
    Effect.gen(function* () {
      const { steps } = yield* ensure([subscription("deaf", { eventFilters: [optOuts] })])
      assert.deepStrictEqual(steps, ["GET ", "POST ", "DELETE /deaf"])
    })
  )

  it.live("is replaced by another process if a filter was disabled: the permission may have been granted since", () =>
    Effect.gen(function* () {
      const disabledFilters = [{ filter: messages, reason: "ReadMessages missing" }]
      const { steps, told } = yield* ensure([subscription("half", { disabledFilters })])
      assert.deepStrictEqual(steps, ["GET ", "POST ", "DELETE /half"])
      assert.deepStrictEqual((yield* Effect.fromResult(told)).missing, [])
    })
  )

  it.live("is one: what is left of older ones goes, and may be gone already", () =>
    Effect.gen(function* () {
      const dead = subscription("dead", { status: "Blacklisted" })
      const { steps, told } = yield* ensure([dead, subscription("mine"), subscription("twin")], undefined, 404)
      assert.deepStrictEqual(steps, ["GET ", "DELETE /dead", "DELETE /twin"])
      assert.strictEqual((yield* Effect.fromResult(told)).id, "mine")
    })
  )

  it.live("is prolonged when its end is near, by RingCentral's own count of seconds or by its date", () =>
    Effect.gen(function* () {
      const day = 86_400
      const soon = subscription("mine", { expiresIn: 5 * day })
      const { steps, told } = yield* ensure([soon], { body: subscription("mine") })
      assert.deepStrictEqual(steps, ["GET ", "POST /mine/renew"])
      assert.strictEqual((yield* Effect.fromResult(told)).expiresAt, "2036-02-01T10:00:00.000Z")
      const now = yield* Clock.currentTimeMillis
      const ends = (inDays: number) => new Date(now + inDays * day * 1000).toISOString()
      const dated = (inDays: number) =>
        subscription("mine", { expiresIn: undefined, expirationTime: ends(inDays), status: "Active" })
      assert.deepStrictEqual((yield* ensure([dated(5)])).steps, ["GET ", "POST /mine/renew"])
      assert.deepStrictEqual((yield* ensure([dated(7)])).steps, ["GET "])
    })
  )

  it.live("is made anew if it ended while it was looked at", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(({ method, path }) =>
        method === "GET"
          ? { body: { records: [subscription("mine", { expiresIn: 60 })] } }
          : path.endsWith("/renew") || method === "DELETE"
            ? { status: 404, body: { errors: [{ errorCode: "SUB-507", message: "" }] } }
            : { body: subscription("new") }
      )
      const adapter = yield* makeRingCentralAdapter(configFor(server.url))
      assert.strictEqual((yield* open(adapter.subscription).ensure(url)).id, "new")
    })
  )

  it.live("is made once by a process, however much RingCentral leaves out of it", () =>
    Effect.gen(function* () {
      const deaf = { eventFilters: [optOuts] }
      let records: ReadonlyArray<unknown> = []
      const server = yield* startRingCentral(({ method }) => {
        if (method === "GET") return { body: { records } }
        if (method === "DELETE") return { status: 204, body: "" }
        records = [subscription("new", deaf)]
        return { body: subscription("new", deaf) }
      })
      const port = open((yield* makeRingCentralAdapter(configFor(server.url))).subscription)
      const first = yield* port.ensure(url)
      assert.deepStrictEqual(
        first.missing.map(({ filter }) => filter),
        [messages]
      )
      assert.deepStrictEqual(yield* port.ensure(url), first)
      assert.strictEqual(server.calls().filter(({ method }) => method === "POST").length, 1)
    })
  )

  it.live("says what RingCentral left out of it behind its 200", () =>
    Effect.gen(function* () {
      const disabled = {
        eventFilters: [optOuts],
        disabledFilters: [{ filter: messages, reason: "ReadMessages missing" }]
      }
      const half = yield* ensure([], { body: subscription("new", disabled) })
      assert.deepStrictEqual((yield* Effect.fromResult(half.told)).missing, [
        { filter: messages, reason: "ReadMessages missing" }
      ])
      const silent = yield* ensure([], { body: subscription("new", { eventFilters: [messages] }) })
      assert.deepStrictEqual((yield* Effect.fromResult(silent.told)).missing, [
        { filter: optOuts, reason: "RingCentral does not list it" }
      ])
    })
  )

  it.live("fails by its code, and tells neither URL nor token", () =>
    Effect.gen(function* () {
      const body = { errors: [{ errorCode: "SUB-525", message: `WebHook ${url} ${secrets.verificationToken}` }] }
      const { told } = yield* ensure([], { status: 400, body })
      assert.isTrue(told._tag === "Failure")
      if (told._tag !== "Failure") return
      assert.deepInclude(told.failure.reason, { _tag: "Refused", status: 400, code: "SUB-525" })
      assert.strictEqual(told.failure.message, "acme: subscribe: Refused: RingCentral answered 400 SUB-525")
    })
  )

  it.live("is not made without a token", () =>
    Effect.gen(function* () {
      const { verificationToken: _, ...config } = configFor("https://platform.ringcentral.com")
      assert.strictEqual((yield* makeRingCentralAdapter(config)).subscription._tag, "NotYet")
    })
  )
})
