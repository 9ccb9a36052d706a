import { describe, expect, it } from "@effect/vitest"
import type { RawRequest } from "@stopline/provider"
import { Effect, Redacted } from "effect"
import { makeAzureAdapter } from "../src/index.ts"
import { account, connectionString, portOf } from "./fake.ts"

const secret = "4f1a-made-up-for-these-tests"
const older = "0c2b-made-up-for-these-tests"
const receivedAt = Date.UTC(2026, 10, 21, 9)

const receive = Effect.fn(function* (request: Partial<RawRequest>) {
  const adapter = yield* makeAzureAdapter({
    account,
    connectionString: connectionString("https://contoso.communication.azure.com"),
    webhookSecrets: [Redacted.make(secret), Redacted.make(older)]
  })
  return yield* portOf(adapter.events).receive({
    method: "POST",
    headers: {},
    query: { code: secret },
    body: "[]",
    receivedAt,
    ...request
  })
})

const event = (eventType: string, data: object) => ({ id: "1", eventType, data, eventTime: "2026-11-21T08:59:58Z" })
const validation = event("Microsoft.EventGrid.SubscriptionValidationEvent", {
  validationCode: "made-up-code",
  validationUrl: "https://rp.example:553/validate?id=1"
})

describe("who knocks", () => {
  const authentic: ReadonlyArray<readonly [string, Partial<RawRequest>]> = [
    ["the secret in the URL", { query: { code: secret } }],
    ["the older secret in the URL", { query: { code: older } }],
    ["the secret in a header", { query: {}, headers: { "x-stopline-secret": secret } }],
    ["the header beside another code", { query: { code: "x" }, headers: { "x-stopline-secret": older } }]
  ]
  for (const [what, request] of authentic) {
    it.live(`is let in with ${what}`, () =>
      Effect.gen(function* () {
        expect((yield* receive(request))._tag).toBe("Understood")
      })
    )
  }

  const forged: ReadonlyArray<readonly [string, Partial<RawRequest>]> = [
    ["nothing", { query: {} }],
    ["an empty code", { query: { code: "" } }],
    ["a part of the secret", { query: { code: secret.slice(0, -1) } }],
    ["more than the secret", { query: { code: `${secret} ` } }],
    ["both secrets in one", { query: { code: `${secret},${older}` } }],
    ["the secret by another name", { query: { secret }, headers: { authorization: secret } }]
  ]
  for (const [what, request] of forged) {
    it.live(`is turned away with ${what}, before the body is looked at`, () =>
      Effect.gen(function* () {
        for (const body of [JSON.stringify([validation]), "{", "x".repeat(1_000_000)]) {
          const received = yield* receive({ ...request, body })
          expect(received).toMatchObject({ _tag: "NotAuthentic", reply: { status: 401, body: "" } })
          expect(JSON.stringify(received)).not.toContain(secret)
        }
        const handshake = yield* receive({
          ...request,
          method: "OPTIONS",
          headers: { ...request.headers, "webhook-request-origin": "eventgrid.azure.com" }
        })
        expect(handshake._tag).toBe("NotAuthentic")
      })
    )
  }

  it.live("no secret, no events", () =>
    Effect.gen(function* () {
      const adapter = yield* makeAzureAdapter({
        account,
        connectionString: connectionString("https://contoso.communication.azure.com"),
        webhookSecrets: []
      })
      expect(adapter.events).toMatchObject({ _tag: "NotYet" })
      expect(adapter.events._tag === "NotYet" && adapter.events.reason).toContain(
        "neither a webhook secret nor Entra ID is configured"
      )
    })
  )
})

describe("a handshake", () => {
  it.live("of the Event Grid schema sends the code back", () =>
    Effect.gen(function* () {
      for (const headers of [{ "aeg-event-type": "SubscriptionValidation" }, {}]) {
        const received = yield* receive({ headers, body: JSON.stringify([validation]) })
        expect(received).toEqual({
          _tag: "Handshake",
          reply: {
            status: 200,
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ validationResponse: "made-up-code" })
          }
        })
      }
    })
  )

  it.live("without a code is not understood", () =>
    Effect.gen(function* () {
      const body = JSON.stringify([event("Microsoft.EventGrid.SubscriptionValidationEvent", {})])
      expect(yield* receive({ body })).toMatchObject({ _tag: "NotUnderstood", reply: { status: 400 } })
    })
  )

  it.live("of CloudEvents allows the one who asks", () =>
    Effect.gen(function* () {
      const headers = { "webhook-request-origin": "eventgrid.azure.com", "webhook-request-rate": "120" }
      expect(yield* receive({ method: "OPTIONS", headers, body: "" })).toEqual({
        _tag: "Handshake",
        reply: {
          status: 200,
          headers: { "webhook-allowed-origin": "eventgrid.azure.com", "webhook-allowed-rate": "*", allow: "POST" },
          body: ""
        }
      })
      expect((yield* receive({ method: "OPTIONS", body: "" }))._tag).toBe("NotUnderstood")
    })
  )
})

describe("a body", () => {
  const whole = JSON.stringify([validation])
  const strange: ReadonlyArray<readonly [string, string]> = [
    ["empty", ""],
    ["cut off", whole.slice(0, -20)],
    ["no JSON", "from=%2B12065551000&body=STOP"],
    ["too large to be anything", `{"a":"${"x".repeat(3_000_000)}`],
    ["deep", "[".repeat(100_000)],
    ["a text", '"STOP"'],
    ["a number", "12065551000"],
    ["null", "null"],
    ["an object of another kind", '{"hello":"world"}'],
    ["a list of nothing known", '[1,null,"x",[],{}]']
  ]
  for (const [what, body] of strange) {
    it.live(`that is ${what} is not understood, and never will be`, () =>
      Effect.gen(function* () {
        const received = yield* receive({ body })
        expect(received).toMatchObject({ _tag: "NotUnderstood", reply: { status: 400, body: "" } })
        expect(received._tag === "NotUnderstood" && received.reason).not.toMatch(/\d{4}/)
      })
    )
  }

  it.live("with nothing about consent is understood", () =>
    Effect.gen(function* () {
      const others = [
        event("Microsoft.EventGrid.SubscriptionDeletedEvent", {}),
        event("Microsoft.Communication.ChatMessageReceived", {}),
        event("constructor", {}),
        event("__proto__", {})
      ]
      for (const body of ["[]", JSON.stringify(others)]) {
        expect(yield* receive({ body })).toEqual({
          _tag: "Understood",
          observations: [],
          problems: [],
          reply: { status: 200, headers: { "content-type": "application/json" }, body: "{}" }
        })
      }
    })
  )

  it.live("comes by POST only", () =>
    Effect.gen(function* () {
      for (const method of ["GET", "PUT", "DELETE"]) {
        expect(yield* receive({ method, body: whole })).toMatchObject({
          _tag: "NotUnderstood",
          reply: { status: 405, headers: { allow: "POST" } }
        })
      }
    })
  )
})
