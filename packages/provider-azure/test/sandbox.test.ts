/**
 * The adapter against Azure's side of the sandbox, over HTTP: what it writes is
 * held, what it reads is so, and what people text arrives in every spelling.
 */
import { createServer, type IncomingMessage } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import { SenderAddress } from "@stopline/consent"
import { mayHaveApplied, type EventPort, type Received, retryAfter } from "@stopline/provider"
import { type Sandbox, startSandbox } from "@stopline/sandbox"
import { Clock, Duration, Effect, Option, Queue, Redacted, Schema } from "effect"
import { makeAzureAdapter } from "../src/index.ts"
import { account, failureOf, portOf, recipient, sender, shortCode, tollFree } from "./fake.ts"

const secret = "4f1a-made-up-for-these-tests"
const name = "contoso"

const start = Effect.fn(function* (timeout = Duration.seconds(10)) {
  const sandbox = yield* startSandbox({
    accounts: [{ vendor: "azure", name, senders: [sender, tollFree, shortCode], retryDelays: [] }]
  })
  const [azure] = sandbox.accounts
  if (azure?.vendor !== "azure") return yield* Effect.die("the sandbox has no Azure account")
  const adapter = yield* makeAzureAdapter({
    account,
    connectionString: Redacted.make(azure.credentials.connectionString),
    webhookSecrets: [Redacted.make(secret)],
    timeout
  })
  const held = Effect.map(sandbox.state(name, sender), ({ senders }) => senders[0]?.optedOut ?? [])
  return {
    sandbox,
    held,
    adapter,
    people: sandbox.people.map((person) => recipient(person)),
    check: portOf(adapter.check).check,
    optOut: portOf(adapter.write.optOut).write,
    optIn: portOf(adapter.write.optIn).write
  }
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

describe("writing and reading", () => {
  it.live("what was written is held, and read back", () =>
    Effect.gen(function* () {
      const { adapter, check, held, optIn, optOut, people } = yield* start()
      yield* adapter.probe(sender)
      yield* adapter.probe(shortCode)
      const crowd = people.slice(0, 100)
      expect((yield* optOut(sender, crowd)).every(({ _tag }) => _tag === "Held")).toBe(true)
      expect((yield* held).toSorted()).toEqual(crowd.toSorted())
      // The same again, and the opposite twice: nothing of it is an error.
      expect((yield* optOut(sender, crowd)).every(({ _tag }) => _tag === "Held")).toBe(true)
      const back = crowd.slice(0, 2)
      expect((yield* optIn(sender, back)).map(({ _tag }) => _tag)).toEqual(["Held", "Held"])
      expect((yield* optIn(sender, back)).map(({ _tag }) => _tag)).toEqual(["Held", "Held"])
      const answers = yield* check(sender, crowd)
      expect(answers.map((answer) => answer._tag === "Known" && answer.reading.state)).toEqual(
        crowd.map((person) => (back.includes(person) ? "opted-in" : "opted-out"))
      )
    })
  )

  it.live("a sender of somebody else is denied", () =>
    Effect.gen(function* () {
      const { adapter } = yield* start()
      const error = yield* failureOf(adapter.probe(Schema.decodeSync(SenderAddress)("20501")))
      expect(error.reason).toMatchObject({ _tag: "Denied", status: 401, code: "Unauthorized" })
    })
  )
})

describe("faults", () => {
  it.live("one recipient that Azure does not like costs nobody else", () =>
    Effect.gen(function* () {
      const { check, held, optOut, people, sandbox } = yield* start()
      const crowd = people.slice(0, 100)
      const disliked = crowd[41]
      yield* sandbox.fault({ account: name, kind: "invalid-input", recipient: disliked! })
      const outcomes = yield* optOut(sender, crowd)
      expect(outcomes.filter(({ _tag }) => _tag !== "Held")).toMatchObject([{ _tag: "Rejected", recipient: disliked }])
      expect(yield* held).toHaveLength(99)
      expect((yield* sandbox.log(name)).length).toBeLessThanOrEqual(1 + 2 * 7)
      const answers = yield* check(sender, crowd)
      expect(answers.filter(({ _tag }) => _tag !== "Known")).toMatchObject([{ _tag: "Unanswered", status: 400 }])
    })
  )

  it.live("an item that failed, or is missing, is an outcome of its own", () =>
    Effect.gen(function* () {
      const { check, optOut, people, sandbox } = yield* start()
      const [one, two, three] = people
      yield* sandbox.fault({ account: name, kind: "item-error", recipient: one! })
      yield* sandbox.fault({ account: name, kind: "item-missing", recipient: two! })
      const asked = [one!, two!, three!]
      expect((yield* optOut(sender, asked)).map(({ _tag }) => _tag)).toEqual(["Retryable", "Retryable", "Held"])
      expect((yield* check(sender, asked)).map(({ _tag }) => _tag)).toEqual(["Unanswered", "Unanswered", "Known"])
    })
  )

  it.live("a throttled request says how long to wait", () =>
    Effect.gen(function* () {
      const { check, people, sandbox } = yield* start()
      for (const form of ["seconds", "date", "none"] as const) {
        yield* sandbox.fault({ account: name, kind: "throttle", form, retryAfter: 30, times: 1 })
        const wait = retryAfter(yield* failureOf(check(sender, people.slice(0, 1))))
        expect(wait && Math.round(Duration.toSeconds(wait))).toBe(form === "none" ? undefined : 30)
      }
    })
  )

  it.live("an answer lost on its way may have been a write, and writing again mends it", () =>
    Effect.gen(function* () {
      const { held, optOut, people, sandbox } = yield* start(Duration.millis(300))
      const [one] = people
      for (const fault of [
        { kind: "drop-after-apply" },
        { kind: "html-200", applied: true },
        { kind: "hang", applied: true },
        { kind: "unavailable", status: 502, big: true, applied: true }
      ] as const) {
        yield* sandbox.fault({ account: name, ...fault, times: 1 })
        const error = yield* failureOf(optOut(sender, [one!]))
        expect(["Unavailable", "Unreadable"]).toContain(error.reason._tag)
        expect(mayHaveApplied(error)).toBe(true)
        expect(yield* held).toEqual([one])
        expect((yield* optOut(sender, [one!])).map(({ _tag }) => _tag)).toEqual(["Held"])
      }
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

  it.live("are one fact when they are delivered twice", () =>
    Effect.gen(function* () {
      const { adapter, people, sandbox } = yield* start()
      const headers = { "x-stopline-secret": secret }
      const received = yield* listen(sandbox, portOf(adapter.events), { headers }, "")
      yield* sandbox.fault({ account: name, kind: "duplicate-events" })
      yield* sandbox.text({ from: people[0]!, to: shortCode, text: "STOP" })
      const first = yield* nextObservation(received)
      expect(yield* nextObservation(received)).toEqual(first)
    })
  )

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
