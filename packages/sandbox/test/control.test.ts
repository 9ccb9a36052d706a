import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { startSandbox } from "../src/index.ts"
import { obedient, until, webhook } from "./support.ts"

const ann = "+15550100000"
const sender = "+16505550100"

const start = Effect.fnUntraced(function* () {
  const sandbox = yield* startSandbox()
  const call = (method: string, path: string, body?: unknown) =>
    Effect.promise(async () => {
      const text = typeof body === "string" ? body : JSON.stringify(body)
      const response = await fetch(sandbox.controlUrl + path, { method, ...(body !== undefined && { body: text }) })
      const answer: any = await response.json()
      return { status: response.status, body: answer }
    })
  return { sandbox, call }
})

describe("the control port", () => {
  it.live("shows health, accounts and people", () =>
    Effect.gen(function* () {
      const { call, sandbox } = yield* start()
      assert.deepStrictEqual((yield* call("GET", "/health")).body, { status: "ok" })
      assert.deepStrictEqual((yield* call("GET", "/accounts")).body, { accounts: sandbox.accounts })
      const page = (yield* call("GET", "/people?start=190&limit=20")).body
      assert.deepStrictEqual(page, { total: 200, start: 190, people: sandbox.people.slice(190) })
    })
  )

  it.live("people text, colleagues edit, the business sends; the state shows it all", () =>
    Effect.gen(function* () {
      const { call } = yield* start()
      const said = yield* call("POST", "/texts", { from: ann, to: "20500", text: "Stop" })
      const { messageId, ...rest } = said.body
      assert.match(messageId, /^Incoming_/)
      assert.deepStrictEqual(rest, {
        account: "contoso",
        sender: "20500",
        recipient: ann,
        keyword: "STOP",
        action: "opt-out",
        changed: true,
        optedOut: true
      })
      const sent = yield* call("POST", "/sends", { account: "contoso", from: "20500", to: ann })
      assert.deepStrictEqual([sent.status, sent.body.delivered], [202, false])
      const edit = { account: "acme", sender, action: "opt-out", recipients: ["+15550999999"] }
      assert.deepStrictEqual((yield* call("POST", "/edits", edit)).body, { changed: 1 })
      assert.deepStrictEqual((yield* call("POST", "/edits", edit)).body, { changed: 0 })
      const state = (yield* call("GET", `/state?account=acme&sender=${sender}`)).body
      assert.strictEqual(state.senders[0].optedOut.length, 26)
      assert.deepStrictEqual((yield* call("GET", "/state?account=contoso&sender=20500")).body.senders, [
        { sender: "20500", optedOut: [ann], optedIn: [], carrierHeld: [] }
      ])
    })
  )

  it.live("subscribes and unsubscribes webhooks of Event Grid", () =>
    Effect.gen(function* () {
      const { call } = yield* start()
      const hook = yield* webhook(obedient())
      const { id } = (yield* call("POST", "/subscriptions", { account: "contoso", url: hook.url })).body
      yield* call("POST", "/texts", { from: ann, to: "20500", text: "hi" })
      yield* until(() => hook.received.length === 2)
      assert.strictEqual((yield* call("GET", "/state?account=contoso")).body.subscriptions[0].id, id)
      assert.strictEqual((yield* call("DELETE", `/subscriptions?account=contoso&id=${id}`)).status, 200)
      assert.strictEqual((yield* call("DELETE", `/subscriptions?account=contoso&id=${id}`)).status, 400)
      const wrong = yield* call("POST", "/subscriptions", { account: "acme", url: hook.url })
      assert.deepStrictEqual([wrong.status, wrong.body.error], [400, "acme is no Azure account."])
    })
  )

  it.live("arms and clears faults, shows and clears the log", () =>
    Effect.gen(function* () {
      const { call, sandbox } = yield* start()
      const target = `${sandbox.accounts[1]?.url}/restapi/v1.0/account/~/a2p-sms/opt-outs?from=%2B16505550100`
      const status = Effect.promise(async () => (await fetch(target)).status)
      const fault = { account: "acme", kind: "unavailable", status: 502 }
      assert.strictEqual((yield* call("POST", "/faults", fault)).status, 200)
      assert.deepStrictEqual((yield* call("GET", "/faults?account=acme")).body, { faults: [fault] })
      assert.strictEqual(yield* status, 502)
      yield* call("DELETE", "/faults?account=contoso")
      assert.strictEqual(yield* status, 502)
      yield* call("DELETE", "/faults")
      assert.strictEqual(yield* status, 401)
      const { log } = (yield* call("GET", "/log?account=acme")).body
      assert.deepStrictEqual(
        log.map((entry: any) => [entry.method, entry.operation, entry.sender, entry.count, entry.status, entry.fault]),
        [
          ["GET", "list", sender, 0, 502, "unavailable"],
          ["GET", "list", sender, 0, 502, "unavailable"],
          ["GET", "list", sender, 0, 401, undefined]
        ]
      )
      yield* call("DELETE", "/log?account=acme")
      assert.deepStrictEqual((yield* call("GET", "/log?account=acme")).body, { log: [] })
    })
  )

  it.live("says what is wrong and how to mend it", () =>
    Effect.gen(function* () {
      const { call } = yield* start()
      const mistakes = [
        yield* call("POST", "/texts", "{"),
        yield* call("POST", "/texts", { from: "ann", to: "20500", text: "STOP" }),
        yield* call("POST", "/texts", { from: ann, to: "99999", text: "STOP" }),
        yield* call("POST", "/edits", { account: "contoso", sender: "*", action: "opt-out", recipients: [ann] }),
        yield* call("POST", "/edits", { account: "contoso", sender, action: "opt-out", recipients: [ann] }),
        yield* call("POST", "/sends", { account: "nobody", from: sender, to: ann }),
        yield* call("POST", "/faults", { account: "acme", kind: "gremlins" }),
        yield* call("GET", "/state"),
        yield* call("GET", "/state?account=acme&sender=20500"),
        yield* call("GET", "/log?account=nobody")
      ]
      for (const { body, status } of mistakes) {
        assert.strictEqual(status, 400)
        assert.deepStrictEqual(Object.keys(body), ["error", "cure"])
        assert.isNotEmpty(body.error)
        assert.isNotEmpty(body.cure)
      }
      assert.include(mistakes[2]?.body.cure, "20500")
      assert.strictEqual((yield* call("GET", "/nowhere")).status, 404)
    })
  )
})
