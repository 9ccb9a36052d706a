/**
 * Callers without sockets, a webhook with one, and patience.
 */
import { Clock, Effect, type Scope } from "effect"
import { createHash, createHmac } from "node:crypto"
import { type IncomingMessage, type ServerResponse, createServer } from "node:http"
import {
  type AnyAccount,
  type Outcome,
  type Post,
  type Sandbox,
  type SandboxAccount,
  type WireRequest,
  type WireResponse,
  type World
} from "../src/index.ts"

type Of<A, Vendor> = Extract<A, { readonly vendor: Vendor }>

export const azureOf = (world: World): Of<AnyAccount, "azure"> => {
  const account = world.accounts.find((account) => account.vendor === "azure")
  if (account?.vendor !== "azure") throw new Error("no Azure account")
  return account
}

export const ringCentralOf = (world: World): Of<AnyAccount, "ringcentral"> => {
  const account = world.accounts.find((account) => account.vendor === "ringcentral")
  if (account?.vendor !== "ringcentral") throw new Error("no RingCentral account")
  return account
}

export const openAzure = (sandbox: Sandbox): Of<SandboxAccount, "azure"> => {
  const account = sandbox.accounts.find((account) => account.vendor === "azure")
  if (account?.vendor !== "azure") throw new Error("no Azure account")
  return account
}

export const openRingCentral = (sandbox: Sandbox): Of<SandboxAccount, "ringcentral"> => {
  const account = sandbox.accounts.find((account) => account.vendor === "ringcentral")
  if (account?.vendor !== "ringcentral") throw new Error("no RingCentral account")
  return account
}

/** The response of an outcome that is one. */
export const responseOf = (outcome: Outcome): WireResponse => {
  if (outcome._tag !== "Answer") throw new Error(`expected an answer, got ${outcome._tag}`)
  return outcome.response
}

export const bodyOf = (outcome: Outcome): any => JSON.parse(responseOf(outcome).body)

export const statusOf = (outcome: Outcome): number => responseOf(outcome).status

export interface Signing {
  readonly version?: string | undefined
  readonly key?: string
  readonly at?: number
  /** What is sent in place of the body that was signed. */
  readonly sent?: string
}

/** Signs by hand, so that the sandbox is not checked against itself. */
const signed = (operation: string, body: string, key: string, at: number, version?: string): WireRequest => {
  const path = `/sms/optouts:${operation}`
  const query = version === undefined ? "" : `api-version=${version}`
  const date = new Date(at).toUTCString()
  const hash = createHash("sha256").update(body).digest("base64")
  const target = query === "" ? path : `${path}?${query}`
  const signature = createHmac("sha256", Buffer.from(key, "base64"))
    .update(`POST\n${target}\n${date};contoso.example;${hash}`)
    .digest("base64")
  return {
    method: "POST",
    path,
    query,
    headers: {
      host: "contoso.example",
      "x-ms-date": date,
      "x-ms-content-sha256": hash,
      authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`
    },
    body
  }
}

/** One opt-outs call, properly signed unless told otherwise. */
export const callAzure = Effect.fnUntraced(function* (
  world: World,
  operation: string,
  body: unknown,
  signing: Signing = {}
) {
  const account = azureOf(world)
  const now = yield* Clock.currentTimeMillis
  const text = typeof body === "string" ? body : JSON.stringify(body)
  const version = "version" in signing ? signing.version : "2026-01-23"
  const request = signed(operation, text, signing.key ?? account.accessKey, signing.at ?? now, version)
  return account.handle({ ...request, body: signing.sent ?? text })
})

/** The body of an opt-outs request. */
export const about = (from: string, ...recipients: ReadonlyArray<string>) => ({
  from,
  recipients: recipients.map((to) => ({ to }))
})

/** One call to RingCentral; a target may carry a query. */
export const callRingCentral = (
  world: World,
  method: string,
  target: string,
  options: { readonly token?: string; readonly body?: unknown } = {}
): Outcome => {
  const [path = "", query = ""] = target.split("?")
  const headers = {
    host: "acme.example",
    "content-type": "application/json",
    ...(options.token !== undefined && { authorization: `Bearer ${options.token}` })
  }
  const body =
    options.body === undefined ? "" : typeof options.body === "string" ? options.body : JSON.stringify(options.body)
  return ringCentralOf(world).handle({ method, path, query, headers, body })
}

export const jwtGrant = "urn:ietf:params:oauth:grant-type:jwt-bearer"

export const requestToken = (world: World, form: Record<string, string>, secret?: string): Outcome => {
  const { clientId, clientSecret, handle } = ringCentralOf(world)
  return handle({
    method: "POST",
    path: "/restapi/oauth/token",
    query: "",
    headers: {
      host: "acme.example",
      "content-type": "application/x-www-form-urlencoded",
      authorization: `Basic ${Buffer.from(`${clientId}:${secret ?? clientSecret}`).toString("base64")}`
    },
    body: new URLSearchParams(form).toString()
  })
}

export const login = (world: World): string =>
  bodyOf(requestToken(world, { grant_type: jwtGrant, assertion: ringCentralOf(world).jwt })).access_token

export const optOutsPath = "/restapi/v1.0/account/~/a2p-sms/opt-outs"

/** Everything that the world sends to webhooks, as it is sent and before anything can happen to it. */
export const listen = (world: World): Array<any> => {
  const sent: Array<any> = []
  world.onDelivery((delivery) => sent.push(JSON.parse(delivery.request(0).body)))
  return sent
}

/** Subscribes to RingCentral's events with a webhook that proves itself. */
export const subscribeRingCentral = (world: World, token: string, ...eventFilters: ReadonlyArray<string>): any => {
  const deliveryMode = { transportType: "WebHook", address: "http://engine.example/hook" }
  const outcome = callRingCentral(world, "POST", "/restapi/v1.0/subscription", {
    token,
    body: { eventFilters, deliveryMode }
  })
  if (outcome._tag !== "Ask") throw new Error(`expected a handshake, got ${outcome._tag}`)
  const headers = {
    "content-type": "application/json",
    "validation-token": outcome.request.headers["validation-token"] ?? ""
  }
  return bodyOf(outcome.answered({ _tag: "Answered", status: 200, headers, body: "" }))
}

/** Takes every event, and gives Event Grid's handshake its due. */
export const obedientPost: Post = ({ body, headers }) =>
  Effect.succeed({
    _tag: "Answered",
    status: 200,
    headers: {},
    body:
      headers["aeg-event-type"] === "SubscriptionValidation"
        ? JSON.stringify({ validationResponse: JSON.parse(body)[0].data.validationCode })
        : ""
  })

export interface Received {
  readonly method: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

export interface Webhook {
  readonly url: string
  readonly received: Array<Received>
}

/** A webhook on loopback that notes everything and answers as told. */
export const webhook = (
  reply: (received: Received, response: ServerResponse, count: number) => void
): Effect.Effect<Webhook, never, Scope.Scope> =>
  Effect.gen(function* () {
    const received: Array<Received> = []
    const server = createServer((request, response) => {
      let body = ""
      request.on("data", (chunk: Buffer) => {
        body += chunk.toString()
      })
      request.on("end", () => {
        const one = { method: request.method ?? "", headers: request.headers, body }
        received.push(one)
        reply(one, response, received.length)
      })
    })
    yield* Effect.acquireRelease(
      Effect.callback<void>((resume) => {
        server.listen(0, "127.0.0.1", () => resume(Effect.void))
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    const address = server.address()
    if (typeof address !== "object" || address === null) throw new Error("the webhook has no port")
    return { url: `http://127.0.0.1:${address.port}/hook`, received }
  })

/** Answers every handshake rightly, and every event with `status`. */
export const obedient =
  (status: (count: number) => number = () => 200) =>
  (received: Received, response: ServerResponse, count: number): void => {
    const token = received.headers["validation-token"]
    if (received.method === "OPTIONS") {
      response.writeHead(200, { "webhook-allowed-origin": "*", allow: "POST" }).end()
    } else if (token !== undefined) {
      response.writeHead(200, { "validation-token": String(token), "content-type": "application/json" }).end()
    } else if (received.headers["aeg-event-type"] === "SubscriptionValidation") {
      const validationResponse = JSON.parse(received.body)[0].data.validationCode
      response.writeHead(200).end(JSON.stringify({ validationResponse }))
    } else {
      response.writeHead(status(count)).end()
    }
  }

/** Waits until it holds; a test's own timeout ends the wait. */
export const eventually = <E>(holds: Effect.Effect<boolean, E>): Effect.Effect<void, E> =>
  Effect.flatMap(holds, (held) => (held ? Effect.void : Effect.andThen(Effect.sleep("2 millis"), eventually(holds))))

export const until = (holds: () => boolean): Effect.Effect<void> => eventually(Effect.sync(holds))
