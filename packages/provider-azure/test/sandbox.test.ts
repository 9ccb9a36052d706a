/** The adapter against Azure's side of the sandbox, over HTTP: what people text arrives in every spelling. */
import { createServer, type IncomingMessage } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import { SenderAddress } from "@stopline/consent"
import type { EventPort, Received } from "@stopline/provider"
import { type Sandbox, startSandbox } from "@stopline/sandbox"
import { Clock, Effect, Option, Queue, Redacted, Schema } from "effect"
import { makeAzureAdapter } from "../src/index.ts"
import { account, failureOf, portOf, recipient, sender, shortCode, tollFree } from "./fake.ts"

const secret = "4f1a-made-up-for-these-tests"
const name = "contoso"

const start = Effect.fn(function* () {
  const sandbox = yield* startSandbox({
    accounts: [{ vendor: "azure", name, senders: [sender, tollFree, shortCode], retryDelays: [] }]
  })
  const [azure] = sandbox.accounts
  if (azure?.vendor !== "azure") return yield* Effect.die("the sandbox has no Azure account")
  const adapter = yield* makeAzureAdapter({
    account,
    connectionString: Redacted.make(azure.credentials.connectionString),
    webhookSecrets: [Redacted.make(secret)]
  })
  return { sandbox, adapter, people: sandbox.people.map((person) => recipient(person)) }
})

/** A worker's door, reduced to what the adapter needs: it tells what was received, and answers. */
const openDoor = (port: EventPort) =>
  Effect.gen(function* () {
    const received = yield* Queue.unbounded<Received>()
    const server = createServer((request, response) => {
      const answer = Effect.gen(function* () {
        const told = yield* port.receive(yield* read(request))
        yield* Queue.offer(received, told)
        response.writeHead(told.reply.status, told.reply.headers).end(told.reply.body)
      })
      void Effect.runPromise(answer)
    })
    const url = yield* Effect.acquireRelease(
      Effect.promise(
        () =>
          new Promise<string>((resolve) => {
            server.listen(0, "127.0.0.1", () => {
              const address = server.address()
              resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : address}`)
            })
          })
      ),
      () => Effect.sync(() => server.close().closeAllConnections())
    )
    return { url, received }
  })

const read = Effect.fn(function* (request: IncomingMessage) {
  const body = yield* Effect.promise(async () => {
    let text = ""
    for await (const chunk of request) text += String(chunk)
    return text
  })
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.join(", ") : (value ?? "")
    ])
  )
  const query = Object.fromEntries(new URL(request.url ?? "", "http://localhost").searchParams)
  return { method: request.method ?? "", headers, query, body, receivedAt: yield* Clock.currentTimeMillis }
})

/** The next delivery that says something about consent. */
const nextObservation = Effect.fn(function* (received: Queue.Queue<Received>) {
  for (;;) {
    const told = yield* Queue.take(received)
    if (told._tag === "Understood" && told.observations.length > 0) return told.observations
  }
})

describe("a sender of somebody else", () => {
  it.live("is denied", () =>
    Effect.gen(function* () {
      const { adapter } = yield* start()
      const error = yield* failureOf(adapter.probe(Schema.decodeSync(SenderAddress)("20501")))
      expect(error.reason).toMatchObject({ _tag: "Denied", status: 401, code: "Unauthorized" })
    })
  )
})

describe("events", () => {
  const spellings = [
    { schema: "EventGrid", casing: "camel", plus: false },
    { schema: "EventGrid", casing: "pascal", plus: true },
    { schema: "CloudEvents", casing: "camel", plus: true },
    { schema: "CloudEvents", casing: "pascal", plus: false }
  ] as const

  const listen = Effect.fn(function* (
    sandbox: Sandbox,
    port: EventPort,
    wish: (typeof spellings)[number] | { readonly headers: Record<string, string> },
    query: string
  ) {
    const { received, url } = yield* openDoor(port)
    yield* sandbox.subscribe({ account: name, url: `${url}/webhooks/${name}${query}`, ...wish })
    return received
  })

  for (const spelling of spellings) {
    it.live(`arrive as ${JSON.stringify(spelling)}, after the handshake`, () =>
      Effect.gen(function* () {
        const { adapter, people, sandbox } = yield* start()
        const received = yield* listen(sandbox, portOf(adapter.events), spelling, `?code=${secret}`)
        const person = people[0]!
        yield* sandbox.text({ from: person, to: sender, text: "hello" })
        yield* sandbox.text({ from: person, to: sender, text: "Stop" })
        expect(yield* nextObservation(received)).toMatchObject([
          { sender, recipient: person, state: "opted-out", basis: "message", origin: "recipient" }
        ])
        yield* sandbox.send({ account: name, from: sender, to: person })
        expect(yield* nextObservation(received)).toMatchObject([
          { sender, recipient: person, state: "opted-out", basis: "send-error", origin: "unknown" }
        ])
        yield* sandbox.text({ from: person, to: tollFree, text: "unstop" })
        expect(yield* nextObservation(received)).toMatchObject([
          { sender: tollFree, recipient: person, state: "opted-in", basis: "message" }
        ])
      })
    )
  }

  it.live("are not let in with another secret, not even for the handshake", () =>
    Effect.gen(function* () {
      const { adapter, sandbox } = yield* start()
      for (const spelling of spellings) {
        const refused = yield* Effect.option(listen(sandbox, portOf(adapter.events), spelling, "?code=guess"))
        expect(Option.isNone(refused)).toBe(true)
      }
    })
  )
})
