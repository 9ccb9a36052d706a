/**
 * Azure's side of the wire as a script: each test says what is answered. It
 * checks every signature with an HMAC written out by hand, apart from the
 * vendor's package that made it.
 */
import { createHash, createHmac } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { AccountName, Recipient, SenderAddress } from "@stopline/consent"
import { type Capability, ProviderError } from "@stopline/provider"
import { assert } from "@effect/vitest"
import { Duration, Effect, Redacted, Schema } from "effect"
import { type AzureSettings, makeAzureAdapter } from "../src/index.ts"

export const accessKey = Buffer.from("a key made up for these tests").toString("base64")
export const account = Schema.decodeSync(AccountName)("contoso")
export const sender = Schema.decodeSync(SenderAddress)("+14255550100")
export const tollFree = Schema.decodeSync(SenderAddress)("+18005550100")
export const shortCode = Schema.decodeSync(SenderAddress)("20500")
export const recipient = Schema.decodeSync(Recipient)

/** `count` different people. */
export const people = (count: number): ReadonlyArray<Recipient> =>
  Array.from({ length: count }, (_, index) => recipient(`+1206555${String(1000 + index)}`))

export interface Heard {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage["headers"]
  readonly body: { readonly from: string; readonly recipients: ReadonlyArray<{ readonly to: string }> }
  /** Settles when the connection of this request is gone or its answer was sent. */
  readonly closed: Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** `hang`: say nothing. `reset`: break the connection. `torn`: break it in the middle of a body. */
export type Behaviour = (request: Heard, turn: number) => Answer | "hang" | "reset" | "torn"

export interface Fake {
  readonly endpoint: string
  readonly heard: Array<Heard>
  behave: Behaviour
}

/** Answers 200 for everybody: not opted out. */
export const agreeable: Behaviour = (request) => ({ status: 200, body: { value: items(request) } })

export const items = (request: Heard): ReadonlyArray<Record<string, unknown>> =>
  request.body.recipients.map(({ to }) => ({
    to,
    httpStatusCode: 200,
    ...(request.url.includes("check") && { isOptedOut: false })
  }))

/** The refusal of recorded traffic: one of the recipients is not liked, and nobody says which. */
export const invalidInput: Answer = {
  status: 400,
  body: { error: { code: "InvalidInput", message: "Request parameter   is invalid.", target: "" } }
}

export const startFake = (behave: Behaviour = agreeable) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<Fake & { readonly stop: () => Promise<void> }>((resolve) => {
          const server = createServer((request, response) => {
            void serve(fake, request, response)
          })
          const stop = () =>
            new Promise<void>((done) => {
              server.close(() => done())
              server.closeAllConnections()
            })
          const fake = { endpoint: "", heard: [] as Array<Heard>, behave, stop }
          server.listen(0, "127.0.0.1", () => {
            const address = server.address()
            fake.endpoint = `http://127.0.0.1:${typeof address === "object" ? address?.port : address}`
            resolve(fake)
          })
        })
    ),
    (fake) => Effect.promise(() => fake.stop())
  )

const serve = async (fake: Fake, request: IncomingMessage, response: ServerResponse) => {
  const closed = new Promise<void>((done) => response.once("close", done))
  let text = ""
  for await (const chunk of request) text += String(chunk)
  if (!isSigned(request, text)) {
    const message = "Request 'x-ms-content-sha256' differs from generated content hash."
    return send(response, { status: 401, body: { error: { code: "Denied", message } } })
  }
  const heard: Heard = {
    method: request.method ?? "",
    url: request.url ?? "",
    headers: request.headers,
    body: JSON.parse(text),
    closed
  }
  fake.heard.push(heard)
  const answer = fake.behave(heard, fake.heard.length)
  if (answer === "hang") return
  if (answer === "reset") return request.socket.resetAndDestroy()
  if (answer === "torn") {
    response.writeHead(200, { "content-length": "1000", "content-type": "application/json" })
    response.write('{"value":[')
    return setImmediate(() => request.socket.destroy())
  }
  send(response, answer)
}

const send = (response: ServerResponse, answer: Answer) => {
  response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers })
  response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body ?? ""))
}

/** By Microsoft's description of the scheme: verb, path with query, then date, host and content hash. */
const isSigned = (request: IncomingMessage, body: string): boolean => {
  const date = request.headers["x-ms-date"]
  const hash = createHash("sha256").update(body, "utf8").digest("base64")
  const text = `${request.method}\n${request.url}\n${String(date)};${request.headers.host};${hash}`
  const signature = createHmac("sha256", Buffer.from(accessKey, "base64")).update(text, "utf8").digest("base64")
  return (
    request.headers["x-ms-content-sha256"] === hash &&
    request.headers.authorization ===
      `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`
  )
}

export type Settings = Partial<
  Omit<typeof AzureSettings.Type, "account"> & { readonly connectionString: Redacted.Redacted }
>

export const connectionString = (endpoint: string, key = accessKey) =>
  Redacted.make(`endpoint=${endpoint}/;accesskey=${key}`)

export const adapterFor = (fake: Pick<Fake, "endpoint">, settings: Settings = {}) =>
  makeAzureAdapter({
    account,
    connectionString: connectionString(fake.endpoint),
    timeout: Duration.seconds(10),
    ...settings
  })

/** A fake, and an adapter that speaks to it. */
export const startPair = Effect.fn(function* (behave: Behaviour = agreeable, settings: Settings = {}) {
  const fake = yield* startFake(behave)
  const adapter = yield* adapterFor(fake, settings)
  return {
    fake,
    adapter,
    check: portOf(adapter.check).check,
    optOut: portOf(adapter.write.optOut).write,
    optIn: portOf(adapter.write.optIn).write
  }
})

export const portOf = <Port>(capability: Capability<Port>): Port => {
  if (capability._tag !== "Can") return assert.fail(`cannot: ${capability.reason}`)
  return capability.port
}

/** The error that an effect must end with. */
export const failureOf = <A>(effect: Effect.Effect<A, ProviderError>) =>
  Effect.map(Effect.flip(effect), (error) => {
    assert.instanceOf(error, ProviderError)
    return error
  })
