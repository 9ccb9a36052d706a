/** The token of Entra ID: real signatures, and a key server on this machine that can fail. */
import { createServer, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import type { RawRequest } from "@stopline/provider"
import { Effect, Redacted } from "effect"
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from "jose"
import { type AzureEntra, makeAzureAdapter } from "../src/index.ts"
import { account, connectionString, portOf } from "./fake.ts"

const receivedAt = Date.UTC(2026, 10, 21, 9)
const issuer = "https://login.microsoftonline.com/made-up-tenant/v2.0"
const oldIssuer = "https://sts.windows.net/made-up-tenant/"
const audience = "api://stopline"
const role = "AzureEventGridSecureWebhookSubscriber"
const secret = "4f1a-made-up-for-these-tests"

const newKey = Effect.promise(() => generateKeyPair("RS256", { extractable: true }))

interface KeyServer {
  readonly url: string
  readonly asked: () => number
  /** What it publishes, by key id. */
  readonly published: Map<string, CryptoKey>
  /** In place of the keys. */
  readonly instead: (answer: ((response: ServerResponse) => void) | undefined) => void
}

const startKeyServer = Effect.acquireRelease(
  Effect.promise(
    () =>
      new Promise<KeyServer & { readonly stop: () => void }>((resolve) => {
        const published = new Map<string, CryptoKey>()
        let asked = 0
        let answer: ((response: ServerResponse) => void) | undefined
        const server = createServer((_, response) => {
          asked += 1
          if (answer !== undefined) return answer(response)
          const keys = [...published].map(async ([kid, key]) => ({ ...(await exportJWK(key)), kid, use: "sig" }))
          void Promise.all(keys).then((keys) => response.end(JSON.stringify({ keys })))
        })
        server.listen(0, "127.0.0.1", () => {
          const { port } = server.address() as AddressInfo
          resolve({
            url: `http://127.0.0.1:${port}/discovery/keys`,
            asked: () => asked,
            published,
            instead: (other) => void (answer = other),
            stop: () => {
              server.close()
              server.closeAllConnections()
            }
          })
        })
      })
  ),
  (server) => Effect.sync(server.stop)
)

interface Claims {
  readonly kid?: string
  readonly iss?: string
  readonly aud?: string
  readonly roles?: unknown
  /** Seconds from now. */
  readonly from?: number
  readonly until?: number | undefined
}

const sign = (key: CryptoKey, claims: Claims = {}) =>
  Effect.promise(() => {
    const now = receivedAt / 1000
    const token = new SignJWT({ roles: "roles" in claims ? claims.roles : [role] })
      .setProtectedHeader({ alg: "RS256", kid: claims.kid ?? "one", typ: "JWT" })
      .setIssuer(claims.iss ?? issuer)
      .setAudience(claims.aud ?? audience)
      .setNotBefore(now + (claims.from ?? -60))
    return (
      "until" in claims && claims.until === undefined ? token : token.setExpirationTime(now + (claims.until ?? 3600))
    ).sign(key)
  })

const start = Effect.fn(function* (
  given: Partial<AzureEntra> & { readonly webhookSecrets?: ReadonlyArray<string> } = {}
) {
  const { webhookSecrets = [], ...entra } = given
  const server = yield* startKeyServer
  const { privateKey, publicKey } = yield* newKey
  server.published.set("one", publicKey)
  const adapter = yield* makeAzureAdapter({
    account,
    connectionString: connectionString("https://contoso.communication.azure.com"),
    webhookSecrets: webhookSecrets.map((text) => Redacted.make(text)),
    entra: { keys: server.url, issuers: [issuer], audiences: [audience], ...entra }
  })
  const knock = (request: Partial<RawRequest>) =>
    portOf(adapter.events).receive({ method: "POST", headers: {}, query: {}, body: "[]", receivedAt, ...request })
  const show = (token: string, request: Partial<RawRequest> = {}) =>
    Effect.map(knock({ headers: { authorization: `Bearer ${token}` }, ...request }), ({ _tag, reply }) => [
      _tag,
      reply.status
    ])
  return { server, knock, show, key: privateKey }
})

const letIn = ["Understood", 200]
const forged = ["NotAuthentic", 401]
const later = ["NotAuthentic", 503]

describe("a token of Entra ID", () => {
  it.live("is a proof, and its keys are fetched once", () =>
    Effect.gen(function* () {
      const { key, server, show } = yield* start()
      const token = yield* sign(key)
      for (let i = 0; i < 5; i++) expect(yield* show(token)).toEqual(letIn)
      expect(yield* show(yield* sign(key, { until: 7200 }))).toEqual(letIn)
      expect(server.asked()).toBe(1)
    })
  )

  it.live("may be for the old or the new audience, by the old or the new issuer", () =>
    Effect.gen(function* () {
      const { key, show } = yield* start({ audiences: [audience, "new"], issuers: [issuer, oldIssuer] })
      for (const aud of [audience, "new"]) {
        for (const iss of [issuer, oldIssuer]) expect(yield* show(yield* sign(key, { aud, iss }))).toEqual(letIn)
      }
    })
  )

  const wrong: ReadonlyArray<readonly [string, Claims]> = [
    ["another issuer", { iss: oldIssuer }],
    ["another audience", { aud: "api://somebody-else" }],
    ["no role", { roles: undefined }],
    ["another role", { roles: ["Reader"] }],
    ["a role that only contains ours", { roles: [`${role}2`] }],
    ["its role as a text", { roles: role }],
    ["no end", { until: undefined }]
  ]
  for (const [what, claims] of wrong) {
    it.live(`with ${what} is forged`, () =>
      Effect.gen(function* () {
        const { key, show } = yield* start()
        expect(yield* show(yield* sign(key, claims))).toEqual(forged)
      })
    )
  }

  it.live("that another key signed, nobody signed, or that is none, is forged, and costs no more than one fetch", () =>
    Effect.gen(function* () {
      const { key, server, show } = yield* start()
      const stranger = yield* newKey
      expect(yield* show(yield* sign(stranger.privateKey))).toEqual(forged)
      const [head = "", body = "", signature = ""] = (yield* sign(key)).split(".")
      const none = Buffer.from('{"alg":"none"}').toString("base64url")
      const shared = Buffer.from('{"alg":"HS256","kid":"one"}').toString("base64url")
      const tokens = [
        `${none}.${body}.`,
        `${shared}.${body}.${signature}`,
        `${head}.${body}`,
        `${head}..${signature}`,
        "x",
        "a.b.c"
      ]
      for (const token of tokens) expect([token.slice(0, 9), yield* show(token)]).toEqual([token.slice(0, 9), forged])
      expect(server.asked()).toBe(1)
    })
  )

  it.live("that was right at another time may be right again, for it may be our clock that is wrong", () =>
    Effect.gen(function* () {
      const { key, show } = yield* start()
      expect(yield* show(yield* sign(key, { from: -7200, until: -600 }))).toEqual(later)
      expect(yield* show(yield* sign(key, { from: 600 }))).toEqual(later)
      // Within five minutes clocks may differ.
      expect(yield* show(yield* sign(key, { from: -7200, until: -200 }))).toEqual(letIn)
      expect(yield* show(yield* sign(key, { from: 200 }))).toEqual(letIn)
    })
  )

  it.live("proves the handshakes as well, and nothing gets in without one", () =>
    Effect.gen(function* () {
      const { key, knock, show } = yield* start()
      const greeting = { method: "OPTIONS", headers: { "webhook-request-origin": "eventgrid.azure.com" }, body: "" }
      expect(yield* knock(greeting)).toMatchObject({ _tag: "NotAuthentic", reply: { status: 401 } })
      const authorization = `bearer ${yield* sign(key)}`
      expect((yield* knock({ ...greeting, headers: { ...greeting.headers, authorization } }))._tag).toBe("Handshake")
      const body = JSON.stringify([
        { eventType: "Microsoft.EventGrid.SubscriptionValidationEvent", data: { validationCode: "made-up" } }
      ])
      expect(yield* show(yield* sign(key), { body })).toEqual(["Handshake", 200])
      expect(yield* knock({ body })).toMatchObject({ reply: { status: 401 } })
      expect(yield* knock({ body, query: { code: "guess" } })).toMatchObject({ reply: { status: 401 } })
    })
  )

  it.live("beside a secret: either suffices, so that one can take the other's place", () =>
    Effect.gen(function* () {
      const { key, knock, server, show } = yield* start({ webhookSecrets: [secret] })
      expect((yield* knock({ query: { code: secret } }))._tag).toBe("Understood")
      expect(server.asked()).toBe(0)
      expect(yield* show(yield* sign(key))).toEqual(letIn)
      expect(yield* show("x", { query: { code: "guess" } })).toEqual(forged)
    })
  )
})

describe("the keys of Entra ID", () => {
  const broken: ReadonlyArray<readonly [string, (response: ServerResponse) => void]> = [
    ["are answered with an error", (response) => response.writeHead(500).end("{}")],
    ["are not found", (response) => response.writeHead(404).end()],
    ["are no keys", (response) => response.end("<html>")],
    ["are moved elsewhere", (response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end()],
    ["never come", () => undefined],
    ["break off", (response) => response.socket?.destroy()]
  ]
  for (const [what, answer] of broken) {
    it.live(
      `that ${what} are our fault: the event is to come again, and then is let in`,
      () =>
        Effect.gen(function* () {
          const { key, server, show } = yield* start()
          server.instead(answer)
          const token = yield* sign(key)
          expect(yield* show(token)).toEqual(later)
          server.instead(undefined)
          expect(yield* show(token)).toEqual(letIn)
        }),
      // A server that says nothing is waited for.
      20_000
    )
  }

  it.live("that are newer than ours are fetched when a token names one, and until then nothing is called forged", () =>
    Effect.gen(function* () {
      const { key, server, show } = yield* start()
      // Entra ID may sign with a key before all of its servers publish it.
      expect(yield* show(yield* sign(key, { kid: "two" }))).toEqual(later)
      expect(yield* show(yield* sign(key))).toEqual(letIn)
      const next = yield* newKey
      server.published.set("two", next.publicKey)
      // The keys were fetched a moment ago, so this cannot be told from a guess yet.
      expect(yield* show(yield* sign(next.privateKey, { kid: "two" }))).toEqual(later)
      expect(yield* show(yield* sign(key))).toEqual(letIn)
      expect(server.asked()).toBe(1)
    })
  )
})

describe("events that go elsewhere", () => {
  for (const events of ["service-bus", "storage-queue"] as const) {
    it.live(`${events}: not yet, with what would have to be done`, () =>
      Effect.gen(function* () {
        const adapter = yield* makeAzureAdapter({
          account,
          connectionString: connectionString("https://contoso.communication.azure.com"),
          webhookSecrets: [Redacted.make(secret)],
          events
        })
        expect(adapter.events).toMatchObject({ _tag: "NotYet", reason: expect.stringContaining(`${events} queue`) })
      })
    )
  }
})
