/**
 * The door through which Event Grid comes in: who knocks, the two handshakes,
 * and what is answered.
 *
 * Event Grid does not sign its deliveries; a secret in the webhook's URL (`code`)
 * or in a delivery header of ours is the proof. It drops an event for good when
 * it is answered 400, 401, 403 or 413, so these are for what will never get
 * better; a fault of our own is the caller's to answer, with 503.
 * Source: Event Grid guides on authentication, delivery and retry, and validation.
 */
import { createHash, timingSafeEqual } from "node:crypto"
import {
  type Capability,
  can,
  type EventPort,
  notYet,
  type RawRequest,
  type Received,
  type Reply
} from "@stopline/provider"
import { Effect, Option, Redacted, Schema } from "effect"
import { type Envelope, readEnvelope, readEvents, type Teller } from "./events.ts"
import { anyCase } from "./wire.ts"

/** Where the secret may be: a query parameter of the URL, or a header that the subscription adds. */
const parameter = "code"
const header = "x-stopline-secret"

export const eventPort = (teller: Teller, secrets: ReadonlyArray<Redacted.Redacted>): Capability<EventPort> =>
  secrets.length === 0
    ? notYet("no webhook secret is configured: without one, anybody who finds the URL could opt people in")
    : can({ receive: (request) => Effect.sync(() => receive(teller, secrets, request)) })

const receive = (teller: Teller, secrets: ReadonlyArray<Redacted.Redacted>, request: RawRequest): Received => {
  if (!isAuthentic(request, secrets)) {
    return { _tag: "NotAuthentic", reason: "the webhook secret is missing or wrong", reply: reply(401) }
  }
  const method = request.method.toUpperCase()
  if (method === "OPTIONS") return greet(request)
  if (method !== "POST") return notUnderstood("Event Grid sends POST and OPTIONS, nothing else", 405, { allow: "POST" })
  return Option.match(readBody(request.body), {
    onNone: () => notUnderstood("the body is not JSON"),
    onSome: (body) => hear(teller, Array.isArray(body) ? body : [body], request.receivedAt)
  })
}

const readBody = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** One event (CloudEvents) or several (Event Grid schema, or a CloudEvents batch). */
const hear = (teller: Teller, elements: ReadonlyArray<unknown>, receivedAt: number): Received => {
  const envelopes = elements.map(readEnvelope)
  if (elements.length > 0 && envelopes.every(Option.isNone)) {
    return notUnderstood("the body is neither in the Event Grid schema nor a CloudEvent")
  }
  const [only] = envelopes
  if (envelopes.length === 1 && only !== undefined && Option.isSome(only) && isValidation(only.value)) {
    return validate(only.value)
  }
  const { observations, problems } = readEvents(teller, envelopes, receivedAt)
  return { _tag: "Understood", observations, problems, reply: reply(200, {}) }
}

const isValidation = (event: Envelope): boolean =>
  event.kind.toLowerCase() === "microsoft.eventgrid.subscriptionvalidationevent"

/** The handshake of the Event Grid schema: the code goes back, with 200 and nothing else. */
const validate = (event: Envelope): Received =>
  Option.match(Schema.decodeUnknownOption(ValidationData)(event.data), {
    onNone: () => notUnderstood("the validation event holds no code"),
    onSome: ({ validationcode }) => ({
      _tag: "Handshake",
      reply: reply(200, { validationResponse: validationcode })
    })
  })

const ValidationData = anyCase({ validationcode: Schema.NonEmptyString })

/** The handshake of CloudEvents: whoever asks may send, at any rate. */
const greet = (request: RawRequest): Received => {
  const origin = request.headers["webhook-request-origin"]
  if (origin === undefined) return notUnderstood("the handshake names no origin")
  const headers = { "webhook-allowed-origin": origin, "webhook-allowed-rate": "*", allow: "POST" }
  return { _tag: "Handshake", reply: { status: 200, headers, body: "" } }
}

/** Every secret is compared with every claim, whatever the first ones gave, and by hashes: the time it takes tells nothing. */
const isAuthentic = (request: RawRequest, secrets: ReadonlyArray<Redacted.Redacted>): boolean => {
  const claims = [request.query[parameter], request.headers[header]].filter((claim) => claim !== undefined).map(digest)
  const matches = secrets.flatMap((secret) => {
    const expected = digest(Redacted.value(secret))
    return claims.map((claim) => timingSafeEqual(claim, expected))
  })
  return matches.includes(true)
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest()

const notUnderstood = (reason: string, status = 400, headers: Reply["headers"] = {}): Received => ({
  _tag: "NotUnderstood",
  reason,
  reply: { status, headers, body: "" }
})

const reply = (status: number, body?: object): Reply =>
  body === undefined
    ? { status, headers: {}, body: "" }
    : { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
