import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Sandbox, type SandboxOptions, makeWorld, startSandbox } from "../src/index.ts"
import {
  type Received,
  callRingCentral,
  eventually,
  listen,
  login,
  obedient,
  obedientPost,
  openRingCentral,
  optOutsPath,
  subscribeRingCentral,
  until,
  webhook
} from "./support.ts"

const shortCode = "20500"
const sender = "+16505550100"
const ann = "+15550100000"

const events = (received: ReadonlyArray<Received>): Array<any> =>
  received.filter(({ body, method }) => method === "POST" && body !== "").map(({ body }) => JSON.parse(body))

const quick: SandboxOptions = {
  accounts: [
    { vendor: "azure", name: "contoso", senders: [shortCode], retryDelays: [1, 1, 1] },
    { vendor: "ringcentral", name: "acme", senders: [sender], blacklistAfter: 3 }
  ]
}

describe("Event Grid", () => {
  it.live("proves the webhook, then brings every text, whatever it says", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox()
      const hook = yield* webhook(obedient())
      const { id } = yield* sandbox.subscribe({ account: "contoso", url: hook.url, headers: { "x-secret": "s3" } })
      assert.strictEqual(hook.received[0]?.headers["aeg-event-type"], "SubscriptionValidation")
      yield* sandbox.text({ from: ann, to: shortCode, text: "What are your hours?" })
      yield* until(() => hook.received.length === 2)
      const { body, headers } = hook.received[1]!
      assert.strictEqual(headers["aeg-event-type"], "Notification")
      assert.strictEqual(headers["aeg-subscription-name"], id)
      assert.strictEqual(headers["aeg-delivery-count"], "0")
      assert.strictEqual(headers["x-secret"], "s3")
      const [event, ...others] = JSON.parse(body)
      assert.deepStrictEqual(others, [])
      assert.strictEqual(event.eventType, "Microsoft.Communication.SMSReceived")
      assert.strictEqual(event.subject, "/phonenumber/15550100000")
      assert.strictEqual(event.id, event.data.messageId)
      assert.match(event.id, /^Incoming_\d{14}/)
      assert.deepStrictEqual(
        [event.data.from, event.data.to, event.data.message, event.data.segmentCount],
        ["15550100000", shortCode, "What are your hours?", 1]
      )
    })
  )

  it.live("CloudEvents: OPTIONS first, one object, other casing, numbers with their plus", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox()
      const hook = yield* webhook(obedient())
      const wish = { account: "contoso", url: hook.url, schema: "CloudEvents", casing: "pascal", plus: true } as const
      yield* sandbox.subscribe(wish)
      assert.strictEqual(hook.received[0]?.method, "OPTIONS")
      assert.isString(hook.received[0]?.headers["webhook-request-origin"])
      yield* sandbox.edit({ account: "contoso", sender: shortCode, action: "opt-out", recipients: [ann] })
      yield* sandbox.send({ account: "contoso", from: shortCode, to: ann })
      yield* until(() => hook.received.length === 2)
      const event = JSON.parse(hook.received[1]?.body ?? "")
      assert.strictEqual(hook.received[1]?.headers["content-type"], "application/cloudevents+json; charset=utf-8")
      assert.strictEqual(event.specversion, "1.0")
      assert.strictEqual(event.type, "Microsoft.Communication.SMSDeliveryReportReceived")
      assert.deepStrictEqual([event.data.From, event.data.To, event.data.DeliveryStatus], [shortCode, ann, "Failed"])
      assert.match(event.data.DeliveryStatusDetails, /^4007\b/)
      assert.strictEqual(event.data.DeliveryAttempts[0].SegmentsFailed, 1)
    })
  )

  it.live("does not subscribe a webhook that proves nothing", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox()
      const silent = yield* webhook((_, response) => void response.writeHead(200).end("{}"))
      const accepting = yield* webhook((received, response) => {
        const validationResponse = received.body === "" ? "" : JSON.parse(received.body)[0].data.validationCode
        response.writeHead(202, { "webhook-allowed-origin": "*" }).end(JSON.stringify({ validationResponse }))
      })
      for (const { url } of [silent, accepting, { url: "http://127.0.0.1:1/nobody" }]) {
        for (const schema of ["EventGrid", "CloudEvents"] as const) {
          const error = yield* Effect.flip(sandbox.subscribe({ account: "contoso", url, schema }))
          assert.include(error.problem, "did not prove itself")
        }
      }
      assert.deepStrictEqual((yield* sandbox.state("contoso")).subscriptions, [])
    })
  )

  it.live("comes again after 404, 408, 503 and a cut connection, with the same event", () =>
    Effect.gen(function* () {
      for (const failing of [404, 408, 500, 503]) {
        const sandbox = yield* startSandbox(quick)
        const hook = yield* webhook(obedient((count) => (count < 4 ? failing : 204)))
        yield* sandbox.subscribe({ account: "contoso", url: hook.url })
        yield* sandbox.text({ from: ann, to: shortCode, text: "STOP" })
        yield* until(() => hook.received.length === 4)
        const tries = hook.received.slice(1)
        assert.deepStrictEqual(
          tries.map(({ headers }) => headers["aeg-delivery-count"]),
          ["0", "1", "2"]
        )
        assert.strictEqual(new Set(tries.map(({ body }) => body)).size, 1)
      }
      const sandbox = yield* startSandbox(quick)
      const hook = yield* webhook((received, response, count) =>
        count === 2 ? void response.socket?.destroy() : obedient()(received, response, count)
      )
      yield* sandbox.subscribe({ account: "contoso", url: hook.url })
      yield* sandbox.text({ from: ann, to: shortCode, text: "STOP" })
      yield* until(() => hook.received.length === 3)
    })
  )

  it.live("never comes again after 400, 401, 403 and 413", () =>
    Effect.gen(function* () {
      for (const final of [400, 401, 403, 413]) {
        const sandbox = yield* startSandbox(quick)
        const refusing = yield* webhook(obedient(() => final))
        const witness = yield* webhook(obedient((count) => (count < 5 ? 503 : 200)))
        yield* sandbox.subscribe({ account: "contoso", url: refusing.url })
        yield* sandbox.subscribe({ account: "contoso", url: witness.url })
        yield* sandbox.text({ from: ann, to: shortCode, text: "STOP" })
        // The witness has been tried as often as anybody ever is.
        yield* until(() => witness.received.length === 5)
        assert.strictEqual(refusing.received.length, 2)
      }
    })
  )

  it.live("ends with its subscription", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox(quick)
      const left = yield* webhook(obedient())
      const kept = yield* webhook(obedient())
      const { id } = yield* sandbox.subscribe({ account: "contoso", url: left.url })
      yield* sandbox.subscribe({ account: "contoso", url: kept.url })
      yield* sandbox.unsubscribe("contoso", id)
      yield* sandbox.text({ from: ann, to: shortCode, text: "STOP" })
      yield* until(() => kept.received.length === 2)
      assert.strictEqual(left.received.length, 1)
    })
  )
})

const optOuts = "/restapi/v1.0/account/~/a2p-sms/opt-outs"
const inbound = "/restapi/v1.0/account/~/a2p-sms/messages?direction=Inbound"

/** Calls the RingCentral account over HTTP, logged in. */
const caller = Effect.fnUntraced(function* (sandbox: Sandbox) {
  const { credentials, url } = openRingCentral(sandbox)
  const basic = Buffer.from(`${credentials.clientId}:${credentials.clientSecret}`).toString("base64")
  const form = new URLSearchParams({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    assertion: credentials.jwt
  })
  const headers = { authorization: `Basic ${basic}` }
  const token: any = yield* Effect.promise(async () =>
    (await fetch(`${url}/restapi/oauth/token`, { method: "POST", headers, body: form })).json()
  )
  return (method: string, path: string, body?: unknown) =>
    Effect.promise(async () => {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token.access_token}` },
        ...(body !== undefined && { body: JSON.stringify(body) })
      })
      const text = await response.text()
      return { status: response.status, body: text === "" ? undefined : JSON.parse(text) }
    })
})

const wishFor = (address: string, ...eventFilters: ReadonlyArray<string>) => ({
  eventFilters,
  deliveryMode: { transportType: "WebHook", address, verificationToken: "v3rify" }
})

describe("RingCentral subscriptions", () => {
  it.live("proves the webhook, then tells of opt-outs, opt-ins and texts, with the token that was given", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox()
      const call = yield* caller(sandbox)
      const hook = yield* webhook(obedient())
      const made = yield* call("POST", "/restapi/v1.0/subscription", wishFor(hook.url, optOuts, inbound))
      assert.strictEqual(made.status, 200)
      assert.strictEqual(made.body.status, "Active")
      assert.match(made.body.eventFilters[0], /^\/restapi\/v1\.0\/account\/\d+\/a2p-sms\/opt-outs$/)
      assert.strictEqual(hook.received[0]?.body, "")
      yield* sandbox.text({ from: ann, to: sender, text: "STOP" })
      yield* sandbox.text({ from: ann, to: sender, text: "START" })
      yield* sandbox.text({ from: ann, to: sender, text: "thanks" })
      yield* until(() => hook.received.length === 6)
      const [, ...notified] = hook.received
      assert.isTrue(notified.every(({ headers }) => headers["verification-token"] === "v3rify"))
      const told = events(notified)
      assert.strictEqual(new Set(told.map(({ uuid }) => uuid)).size, 5)
      const changes = told.filter(({ event }) => event.endsWith("/opt-outs")).map(({ body }) => body)
      assert.sameDeepMembers(changes, [
        { from: sender, to: ann, active: true },
        { from: sender, to: ann, active: false }
      ])
      const texts = told.filter(({ event }) => event.includes("/messages?direction=Inbound")).map(({ body }) => body)
      assert.sameMembers(
        texts.map(({ text }) => text),
        ["STOP", "START", "thanks"]
      )
      assert.isString(texts[0].id)
      assert.deepStrictEqual([texts[0].from, texts[0].to], [ann, [sender]])
    })
  )

  it.live(
    "refuses a webhook that does not echo, answers otherwise than 200 or with another type, or says too much",
    () =>
      Effect.gen(function* () {
        const sandbox = yield* startSandbox()
        const call = yield* caller(sandbox)
        const json = { "content-type": "application/json" }
        const echo = ({ headers }: Received) => ({ "validation-token": String(headers["validation-token"]) })
        const bad = [
          yield* webhook((_, response) => void response.writeHead(200, json).end()),
          yield* webhook((received, response) => void response.writeHead(202, { ...json, ...echo(received) }).end()),
          yield* webhook((received, response) => void response.writeHead(200, echo(received)).end()),
          yield* webhook((received, response) =>
            response.writeHead(200, { ...json, ...echo(received) }).end("x".repeat(2_000))
          ),
          { url: "http://127.0.0.1:1/nobody" }
        ]
        for (const { url } of bad) {
          const refused = yield* call("POST", "/restapi/v1.0/subscription", wishFor(url, optOuts))
          assert.deepStrictEqual([refused.status, refused.body.errors[0].errorCode], [400, "SUB-525"])
        }
        assert.deepStrictEqual((yield* call("GET", "/restapi/v1.0/subscription")).body.records, [])
      })
  )

  it.live("are listed, read, renewed and deleted; a filter it does not know is disabled", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox()
      const call = yield* caller(sandbox)
      const hook = yield* webhook(obedient())
      const root = "/restapi/v1.0/subscription"
      const unknown = "/restapi/v2/accounts/~/sms/consents"
      const reminder = "/restapi/v1.0/subscription/~?threshold=60&interval=15"
      const made = (yield* call("POST", root, { ...wishFor(hook.url, optOuts, unknown, reminder), expiresIn: 120 }))
        .body
      assert.strictEqual(made.disabledFilters[0].filter, unknown)
      assert.strictEqual(made.eventFilters.length, 2)
      assert.strictEqual((yield* call("POST", root, wishFor(hook.url, unknown))).body.errors[0].errorCode, "SUB-508")
      assert.strictEqual(
        (yield* call("POST", root, { eventFilters: [optOuts] })).body.errors[0].parameterName,
        "deliveryMode"
      )
      assert.deepStrictEqual(
        (yield* call("GET", root)).body.records.map(({ id }: { id: string }) => id),
        [made.id]
      )
      assert.strictEqual((yield* call("GET", `${root}/${made.id}`)).body.id, made.id)
      assert.isAtMost((yield* call("POST", `${root}/${made.id}/renew`)).body.expiresIn, 120)
      assert.strictEqual((yield* call("DELETE", `${root}/${made.id}`)).status, 204)
      const gone = yield* call("GET", `${root}/${made.id}`)
      assert.deepStrictEqual([gone.status, gone.body.errors[0].errorCode], [404, "SUB-507"])
    })
  )

  it.effect("take filters by number", () =>
    Effect.gen(function* () {
      const other = "+16505550101"
      const world = yield* makeWorld({
        accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender, other] }]
      })
      const sent = listen(world)
      subscribeRingCentral(world, login(world), `${optOuts}?from=${sender}`, `${inbound}&to=${other}`)
      yield* world.text({ from: ann, to: sender, text: "STOP" })
      yield* world.text({ from: ann, to: other, text: "STOP" })
      assert.deepStrictEqual(
        sent.map(({ body }) => body.active ?? body.text),
        [true, "STOP"]
      )
    })
  )

  it.effect("writes through the API come back as events, or do not; opt-ins may be passed over", () =>
    Effect.gen(function* () {
      for (const [options, expected] of [
        [{}, [true, false, true]],
        [{ echo: false }, [true]],
        [{ optInEvents: false }, [true, true]]
      ] as const) {
        const world = yield* makeWorld({
          optedOut: 0,
          accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender], ...options }]
        })
        const sent = listen(world)
        const token = login(world)
        subscribeRingCentral(world, token, optOuts)
        for (const lists of [{ optOuts: [ann] }, { optOuts: [ann] }, { optIns: [ann] }]) {
          callRingCentral(world, "POST", `${optOutsPath}/bulk-assign`, { token, body: { from: sender, ...lists } })
        }
        yield* world.edit({ account: "acme", sender, action: "opt-out", recipients: ["+15550100001"] })
        yield* world.text({ from: ann, to: sender, text: "STOP" })
        assert.deepStrictEqual(
          sent.map(({ body }) => body.active),
          [...expected]
        )
      }
    })
  )

  it.live("are blacklisted after failures in a row, and hear nothing more", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox(quick)
      const call = yield* caller(sandbox)
      const failing = yield* webhook(obedient(() => 500))
      const witness = yield* webhook(obedient())
      const { id } = (yield* call("POST", "/restapi/v1.0/subscription", wishFor(failing.url, optOuts))).body
      yield* call("POST", "/restapi/v1.0/subscription", wishFor(witness.url, optOuts))
      for (let n = 0; n < 3; n++) {
        yield* sandbox.text({ from: ann, to: sender, text: "STOP" })
        yield* until(() => failing.received.length === 2 + n)
      }
      const read = call("GET", `/restapi/v1.0/subscription/${id}`)
      yield* eventually(Effect.map(read, ({ body }) => body.status === "Blacklisted"))
      const info = (yield* read).body
      assert.include(info.blacklistedData.reason, "500")
      assert.strictEqual((yield* sandbox.state("acme")).subscriptions[0]?.status, "Blacklisted")
      yield* sandbox.text({ from: ann, to: sender, text: "STOP" })
      yield* until(() => witness.received.length === 5)
      assert.strictEqual(failing.received.length, 4)
    })
  )
})

describe("events go astray", () => {
  it.effect("at Azure: lost, and twice the same", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const sent = listen(world)
      yield* world.subscribe({ account: "contoso", url: "http://engine.example/hook" }, obedientPost)
      const say = (from: string, text: string) => world.text({ from, to: shortCode, text })
      yield* world.fault({ account: "contoso", kind: "lost-events", times: 1 })
      yield* say(ann, "one")
      yield* world.fault({ account: "contoso", kind: "duplicate-events", times: 1, recipient: ann })
      yield* say("+15550100001", "two")
      yield* say(ann, "three")
      yield* say(ann, "four")
      assert.deepStrictEqual(
        sent.map(([event]) => event.data.message),
        ["two", "three", "three", "four"]
      )
      assert.strictEqual(new Set(sent.map(([event]) => event.id)).size, 3)
    })
  )

  it.effect("at RingCentral: lost, and told twice", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const sent = listen(world)
      subscribeRingCentral(world, login(world), optOuts)
      yield* world.fault({ account: "acme", kind: "lost-events", sender, times: 1 })
      yield* world.text({ from: ann, to: sender, text: "STOP" })
      yield* world.fault({ account: "acme", kind: "duplicate-events", times: 1 })
      yield* world.text({ from: ann, to: sender, text: "START" })
      assert.deepStrictEqual(
        sent.map(({ body }) => body.active),
        [false, false]
      )
      assert.strictEqual(new Set(sent.map(({ uuid }) => uuid)).size, 1)
    })
  )
})
