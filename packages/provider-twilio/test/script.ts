/**
 * Twilio's side of the wire as a script: each test says what is answered.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { AccountName, Recipient, SenderAddress } from "@stopline/consent"
import { type Capability, ProviderError } from "@stopline/provider"
import { assert } from "@effect/vitest"
import { Effect, Redacted, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { makeTwilioAdapter, type TwilioConfig } from "../src/index.ts"

export const account = AccountName.make("fabrikam")
export const sender = SenderAddress.make("+14255550100")
export const otherSender = SenderAddress.make("+14255550101")
export const tollFree = SenderAddress.make("+18005550100")
export const accountSid = `AC${"0".repeat(32)}`
export const apiKey = `SK${"1".repeat(32)}`
export const messagingService = `MG${"2".repeat(32)}`
export const apiKeySecret = "a-key-made-up-for-these-tests"
export const authToken = "a-token-made-up-for-these-tests"

/** `count` different people. */
export const people = (count: number): ReadonlyArray<Recipient> =>
  Array.from({ length: count }, (_, index) => Recipient.make(`+1206555${String(1000 + index)}`))

const Item = Schema.Struct({
  contact_id: Schema.String,
  correlation_id: Schema.String,
  sender_id: Schema.String,
  status: Schema.String,
  source: Schema.String
})
export type Item = typeof Item.Type

export interface Seen {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingMessage["headers"]
  /** Of a bulk upsert. */
  readonly items: ReadonlyArray<Item>
  /** Settles when the connection of this request is gone or its answer was sent. */
  readonly closed: Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export type Behaviour = (request: Seen, turn: number) => Answer | "hang" | "reset"

export const done = (item: Item, code = 0, messages: ReadonlyArray<string> = []) => ({
  correlation_id: item.correlation_id,
  error_code: code,
  error_messages: messages
})

export const agreeable: Behaviour = ({ items }) => ({ status: 201, body: { items: items.map((item) => done(item)) } })

const readItem = Schema.decodeUnknownSync(Schema.fromJsonString(Item))

const serve = async (seen: Array<Seen>, behave: Behaviour, request: IncomingMessage, response: ServerResponse) => {
  const closed = new Promise<void>((resolve) => response.once("close", resolve))
  let text = ""
  for await (const chunk of request) text += String(chunk)
  const heard: Seen = {
    method: request.method ?? "",
    url: new URL(request.url ?? "", "http://localhost"),
    headers: request.headers,
    items: new URLSearchParams(text).getAll("Items").map((item) => readItem(item)),
    closed
  }
  seen.push(heard)
  const answer = behave(heard, seen.length)
  if (answer === "hang") return
  if (answer === "reset") return request.socket.resetAndDestroy()
  response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers })
  response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? {}))
}

const startServer = (behave: Behaviour) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<{ readonly url: string; readonly seen: Array<Seen>; readonly stop: () => void }>((resolve) => {
          const seen: Array<Seen> = []
          const server = createServer((request, response) => void serve(seen, behave, request, response))
          const stop = () => server.close().closeAllConnections()
          server.listen(0, "127.0.0.1", () => {
            const address = server.address()
            resolve({ url: `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`, seen, stop })
          })
        })
    ),
    ({ stop }) => Effect.sync(stop)
  )

type Settings = Partial<TwilioConfig>

export const adapterAt = (url: string, settings: Settings = {}) =>
  makeTwilioAdapter({
    account,
    accountSid,
    apiKey,
    apiKeySecret: Redacted.make(apiKeySecret),
    senders: [sender],
    accountsUrl: url,
    apiUrl: url,
    ...settings
  }).pipe(Effect.provide(FetchHttpClient.layer))

/** A server, and an adapter that speaks to it. */
export const startPair = Effect.fn(function* (behave: Behaviour = agreeable, settings: Settings = {}) {
  const { seen, url } = yield* startServer(behave)
  const adapter = yield* adapterAt(url, settings)
  return {
    seen,
    adapter,
    optOut: open(adapter.write.optOut).write,
    optIn: open(adapter.write.optIn).write,
    evidence: open(adapter.evidence).since
  }
})

export const open = <Port>(capability: Capability<Port>): Port => {
  if (capability._tag !== "Can") return assert.fail(`cannot: ${capability.reason}`)
  return capability.port
}

/** The error that an effect must end with. */
export const failureOf = <A>(effect: Effect.Effect<A, ProviderError>) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.instanceOf(error, ProviderError)
    return error
  })
