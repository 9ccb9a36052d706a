/**
 * The adapter against Twilio's side of the sandbox, over HTTP: what it writes is
 * held, and what people text arrives. And, so that the sandbox is no mirror of
 * the adapter, Twilio's own client against it.
 */
import { createServer, type IncomingMessage } from "node:http"
import { describe, expect, it } from "@effect/vitest"
import type { EventPort, Received } from "@stopline/provider"
import { type AccountOptions, startSandbox } from "@stopline/sandbox"
import { Recipient, SenderAddress } from "@stopline/consent"
import { Clock, Duration, Effect, Queue, Redacted } from "effect"
import twilio from "twilio"
import { adapterAt, failureOf, open, sender, tollFree } from "./script.ts"

const name = "fabrikam"
type Options = Partial<Extract<AccountOptions, { vendor: "twilio" }>>

const start = Effect.fn(function* (options: Options = {}, url = "https://sms.example.com/webhooks/fabrikam") {
  const sandbox = yield* startSandbox({
    accounts: [{ vendor: "twilio", name, senders: [sender, tollFree], ...options }]
  })
  const [account] = sandbox.accounts
  if (account?.vendor !== "twilio") return yield* Effect.die("the sandbox has no Twilio account")
  const { apiKeySecret, authToken, ...ids } = account.credentials
  const adapter = yield* adapterAt(account.url, {
    ...ids,
    apiKeySecret: Redacted.make(apiKeySecret),
    senders: [sender],
    timeout: Duration.seconds(5),
    webhook: { url, authToken: Redacted.make(authToken) }
  })
  const heldAt = (at: string) =>
    Effect.map(sandbox.state(name), ({ senders }) => senders.find((each) => each.sender === at)?.optedOut ?? [])
  return {
    sandbox,
    account,
    adapter,
    heldAt,
    people: sandbox.people.map((person) => Recipient.make(person)),
    optOut: open(adapter.write.optOut).write,
    optIn: open(adapter.write.optIn).write,
    evidence: open(adapter.evidence).since
  }
})

/** A worker's door behind a proxy, reduced to what the adapter needs. */
const openDoor = Effect.fn(function* (port: EventPort) {
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
  const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]))
  return { method: request.method ?? "", headers, query: {}, body, receivedAt: yield* Clock.currentTimeMillis }
})

describe("writing", () => {
  it.live("through a Messaging Service is held by the number and by the service", () =>
    Effect.gen(function* () {
      const { account, heldAt, optIn, optOut, people } = yield* start({ messagingService: true })
      const [ann = people[0]!] = people
      const service = account.credentials.messagingService ?? ""
      yield* optOut(sender, [ann])
      expect([yield* heldAt(sender), yield* heldAt(service)]).toEqual([[ann], [ann]])
      yield* optIn(sender, [ann])
      expect([yield* heldAt(sender), yield* heldAt(service)]).toEqual([[], []])
    })
  )

  it.live("by a key that is none is denied, and for a sender of somebody else refused", () =>
    Effect.gen(function* () {
      const { account, adapter, optOut, people } = yield* start()
      const stranger = yield* adapterAt(account.url)
      const denied = yield* failureOf(stranger.probe(sender))
      expect(denied.reason).toMatchObject({ _tag: "Denied", status: 401, code: "20003" })
      const other = SenderAddress.make("+14255550999")
      expect((yield* failureOf(adapter.probe(other))).reason).toMatchObject({ _tag: "Refused" })
      expect((yield* failureOf(optOut(other, people.slice(0, 2)))).reason).toMatchObject({ _tag: "Refused" })
    })
  )

  it.live("more than a hundred times a minute is throttled, with Twilio's own code", () =>
    Effect.gen(function* () {
      const { adapter, sandbox } = yield* start({ limits: true })
      for (let n = 0; n < 100; n++) yield* adapter.probe(sender)
      expect((yield* failureOf(adapter.probe(sender))).reason).toMatchObject({ _tag: "Throttled" })
      expect((yield* sandbox.log(name)).map(({ status }) => status).at(-1)).toBe(429)
    })
  )
})

describe("what people text", () => {
  it.live("is a word of ours wherever it is one of Twilio's", () =>
    Effect.gen(function* () {
      const { adapter, people, sandbox } = yield* start()
      const [ann = people[0]!] = people
      const out = ["STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"]
      const back = ["START", "YES", "UNSTOP"]
      expect(adapter.keywords).toEqual({ optOut: out, optIn: back })
      for (const word of out) {
        expect((yield* sandbox.text({ from: ann, to: sender, text: word })).optedOut).toBe(true)
        yield* sandbox.text({ from: ann, to: sender, text: "START" })
      }
      for (const word of back) {
        yield* sandbox.text({ from: ann, to: sender, text: "STOP" })
        expect((yield* sandbox.text({ from: ann, to: sender, text: word })).optedOut).toBe(false)
      }
    })
  )

  it.live("arrives signed for the public URL, with and without an OptOutType", () =>
    Effect.gen(function* () {
      const publicUrl = "https://sms.example.com/webhooks/fabrikam"
      for (const [messagingService, basis] of [
        [false, "message"],
        [true, "event"]
      ] as const) {
        const { adapter, people, sandbox } = yield* start({ messagingService }, publicUrl)
        const { received, url } = yield* openDoor(open(adapter.events))
        yield* sandbox.listen({ account: name, url, publicUrl })
        const [ann = people[0]!] = people
        yield* sandbox.text({ from: ann, to: sender, text: "Stop" })
        expect(yield* Queue.take(received)).toMatchObject({
          _tag: "Understood",
          observations: [{ state: "opted-out", basis, sender, recipient: ann }]
        })
        // A text that is blocked comes back as a report.
        expect((yield* sandbox.send({ account: name, from: sender, to: ann })).delivered).toBe(false)
        expect(yield* Queue.take(received)).toMatchObject({
          observations: [{ state: "opted-out", basis: "send-error", sender, recipient: ann }]
        })
        yield* sandbox.text({ from: ann, to: sender, text: "START" })
        expect(yield* Queue.take(received)).toMatchObject({ observations: [{ state: "opted-in", basis }] })
        expect((yield* sandbox.send({ account: name, from: sender, to: ann })).delivered).toBe(true)
        expect(yield* Queue.take(received)).toMatchObject({ _tag: "Understood", observations: [] })
        // Signed for another URL: the proxy was forgotten.
        yield* sandbox.listen({ account: name, url })
        yield* sandbox.text({ from: ann, to: sender, text: "STOP" })
        expect(yield* Queue.take(received)).toMatchObject({ _tag: "NotAuthentic" })
      }
    })
  )

  it.live("is found in the list of messages, under the same key, over several pages", () =>
    Effect.gen(function* () {
      const { account, adapter, evidence, people, sandbox } = yield* start()
      const { received, url } = yield* openDoor(open(adapter.events))
      yield* sandbox.listen({ account: name, url, publicUrl: "https://sms.example.com/webhooks/fabrikam" })
      const since = yield* Clock.currentTimeMillis
      const [ann = people[0]!, bob = people[1]!] = people
      for (const text of ["STOP", "hello", "UNSTOP"]) yield* sandbox.text({ from: ann, to: sender, text })
      yield* sandbox.text({ from: bob, to: sender, text: "STOP" })
      const told = yield* Effect.forEach([1, 2, 3, 4], () => Queue.take(received))
      const keys = told.flatMap((each) => (each._tag === "Understood" ? each.observations : []))
      const found = yield* evidence(sender, ann, since)
      expect(found.map(({ state }) => state).toSorted()).toEqual(["opted-in", "opted-out"])
      const byWebhook = keys.filter(({ recipient }) => recipient === ann).map(({ key }) => key)
      expect(new Set(found.map(({ key }) => key))).toEqual(new Set(byWebhook))
      // The same list, two rows a page, by Twilio's own client.
      const client = clientFor(account.url, account.credentials)
      const listed = yield* Effect.promise(() => client.messages.list({ to: sender, from: ann, pageSize: 2 }))
      expect(listed.map(({ body, direction }) => [body, direction])).toEqual(
        ["UNSTOP", "hello", "STOP"].map((body) => [body, "inbound"])
      )
    })
  )
})

/** Twilio's client knows its hosts by heart, so its requests are turned round on their way. */
const clientFor = (
  url: string,
  credentials: { readonly accountSid: string; readonly apiKey: string; readonly apiKeySecret: string }
) => {
  const { accountSid, apiKey, apiKeySecret } = credentials
  const httpClient = new twilio.RequestClient({ autoRetry: false })
  httpClient.axios.interceptors.request.use((config) => {
    const { pathname, search } = new URL(config.url ?? "")
    return { ...config, url: `${url}${pathname}${search}` }
  })
  return twilio(apiKey, apiKeySecret, { accountSid, httpClient })
}

describe("Twilio's own client", () => {
  it.live("upserts consents here as it does there", () =>
    Effect.gen(function* () {
      const { account, heldAt, people } = yield* start()
      const client = clientFor(account.url, account.credentials)
      const item = (contact: string, digit: string) => ({
        contact_id: contact,
        correlation_id: digit.repeat(32),
        sender_id: sender,
        date_of_consent: "2025-02-28T10:05:27Z",
        status: "opt-out",
        source: "website"
      })
      const [ann = people[0]!] = people
      const items = [item(ann, "a"), { ...item("+19", "b"), date_of_consent: "2025-03-25" }]
      const { items: answers } = yield* Effect.promise(() => client.accounts.v1.bulkConsents.create({ items }))
      expect(answers.toReversed()).toEqual([
        { correlation_id: "a".repeat(32), error_code: 0, error_messages: [] },
        {
          correlation_id: "b".repeat(32),
          error_code: 30_646,
          error_messages: ["INVALID_CONTACT_ID", "INVALID_DATE_OF_CONSENT"]
        }
      ])
      expect(yield* heldAt(sender)).toEqual([ann])
    })
  )
})
