import { assert, describe, it } from "@effect/vitest"
import { type AccountOptions, startSandbox } from "@stopline/sandbox"
import { Effect, Exit, Fiber, Redacted, Scope } from "effect"
import { TestClock } from "effect/testing"
import { makeRingCentralAdapter } from "../src/index.ts"
import { open, person, sender } from "./ports.ts"
import { configFor, startRingCentral } from "./server.ts"

const start = Effect.fn(function* (account: Partial<Extract<AccountOptions, { vendor: "ringcentral" }>> = {}) {
  const sandbox = yield* startSandbox({
    accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender], ...account }]
  })
  const [opened] = sandbox.accounts
  if (opened?.vendor !== "ringcentral") return yield* Effect.die("no RingCentral account")
  const { clientId, clientSecret, jwt } = opened.credentials
  const adapter = yield* makeRingCentralAdapter(
    configFor(opened.url, {
      clientId,
      clientSecret: Redacted.make(clientSecret),
      jwt: Redacted.make(jwt),
      websocket: true
    })
  )
  return { port: open(adapter.stream), sandbox }
})

/** A gateway that takes a subscription and answers nothing after it. */
const mute = Effect.fn(function* (onMessage: (type: string) => void) {
  const subscription = { id: "s-1", status: "Active", eventFilters: [], deliveryMode: { transportType: "WebSocket" } }
  let url = ""
  const server = yield* startRingCentral(
    () => ({ body: { uri: `${url.replace("http:", "ws:")}/ws`, ws_access_token: "once", expires_in: 30 } }),
    {
      onSocket: (socket) => {
        socket.send(JSON.stringify([{ type: "ConnectionDetails" }, {}]))
        socket.on("message", (data: Buffer) => {
          const [{ messageId, type }] = JSON.parse(data.toString())
          onMessage(type)
          if (type === "ClientRequest") socket.send(JSON.stringify([{ type, messageId, status: 200 }, subscription]))
        })
      }
    }
  )
  url = server.url
  const adapter = yield* makeRingCentralAdapter(configFor(server.url, { websocket: true }))
  return { port: open(adapter.stream) }
})

/** One turn of the real event loop, whatever clock a test has. */
const turn = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))

describe("a WebSocket", () => {
  it.live("brings what a webhook would bring, in order", () =>
    Effect.gen(function* () {
      const { port, sandbox } = yield* start()
      const { next, subscription } = yield* port.connect
      assert.deepStrictEqual(subscription.missing, [])
      yield* sandbox.text({ from: person(1), to: sender, text: "stop" })
      const told = [yield* next, yield* next].map((received) => {
        assert.strictEqual(received._tag, "Understood")
        return received._tag === "Understood" ? received.observations.map(({ basis, state }) => [basis, state]) : []
      })
      assert.deepStrictEqual(told, [[["event", "opted-out"]], [["message", "opted-out"]]])
    })
  )

  it.live("that is closed at either end fails whoever waits for it, and closes with its scope", () =>
    Effect.gen(function* () {
      const { port, sandbox } = yield* start()
      const { next } = yield* port.connect
      yield* sandbox.hangUp("acme")
      const error = yield* Effect.flip(next)
      assert.deepInclude(error.reason, { _tag: "Unavailable", mayHaveApplied: false })
      const scope = yield* Scope.make()
      yield* Scope.provide(port.connect, scope)
      yield* Scope.close(scope, Exit.void)
      while ((yield* sandbox.hangUp("acme")).hungUp > 0) yield* turn
    })
  )

  it.effect("that is quiet is asked whether it is there, and kept as long as it answers", () =>
    Effect.gen(function* () {
      const { port, sandbox } = yield* start()
      const { next } = yield* port.connect
      const waiting = yield* Effect.forkChild(next)
      for (let halfMinutes = 0; halfMinutes < 5; halfMinutes++) {
        yield* TestClock.adjust("30 seconds")
        // The answer comes by a real socket.
        for (let turns = 0; turns < 20; turns++) yield* turn
      }
      yield* sandbox.text({ from: person(1), to: sender, text: "stop" })
      assert.strictEqual((yield* Fiber.join(waiting))._tag, "Understood")
    })
  )

  it.effect("that does not answer any more is lost", () =>
    Effect.gen(function* () {
      const heard: Array<string> = []
      const { port } = yield* mute((type) => heard.push(type))
      const { next } = yield* port.connect
      const waiting = yield* Effect.forkChild(Effect.flip(next))
      yield* TestClock.adjust("30 seconds")
      while (!heard.includes("Heartbeat")) yield* turn
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(waiting)).detail, "the WebSocket has fallen silent")
    })
  )

  it.live("is opened with a new token each time, and subscribed anew", () =>
    Effect.gen(function* () {
      const { port, sandbox } = yield* start()
      const first = yield* port.connect
      const second = yield* port.connect
      assert.notStrictEqual(first.subscription.id, second.subscription.id)
      const tokens = (yield* sandbox.log("acme")).filter(({ operation }) => operation === "subscribe")
      assert.strictEqual(tokens.length, 2)
    })
  )

  it.live("is not opened where its token could be read on the way", () =>
    Effect.gen(function* () {
      for (const uri of ["ws://example.com/ws", "http://127.0.0.1:1/ws", "here"]) {
        const server = yield* startRingCentral(() => ({ body: { uri, ws_access_token: "hushhush", expires_in: 30 } }))
        const adapter = yield* makeRingCentralAdapter(configFor(server.url, { websocket: true }))
        const error = yield* Effect.flip(Effect.scoped(open(adapter.stream).connect))
        assert.strictEqual(error.reason._tag, "Unreadable")
        assert.notInclude(JSON.stringify(error), "hush")
      }
    })
  )

  it.live("is not opened without TLS at a server that has it, nor at what is no address of one", () =>
    Effect.gen(function* () {
      for (const uri of ["ws://rc.example/ws", "ftp://rc.example/ws", "wss://rc.example/ws#there"]) {
        const token = { access_token: "given", token_type: "bearer", expires_in: 3600 }
        const body = { uri, ws_access_token: "hushhush", ...token }
        const network = async () => Response.json(body)
        const adapter = yield* makeRingCentralAdapter(configFor("https://rc.example", { websocket: true }), network)
        const error = yield* Effect.flip(Effect.scoped(open(adapter.stream).connect))
        assert.deepStrictEqual([uri, error.reason._tag], [uri, "Unreadable"])
        assert.notInclude(JSON.stringify(error), "hush")
      }
    })
  )

  it.live("is not used unless the configuration says so", () =>
    Effect.gen(function* () {
      const adapter = yield* makeRingCentralAdapter(configFor("https://platform.ringcentral.com"))
      assert.strictEqual(adapter.stream._tag, "NotYet")
    })
  )
})
