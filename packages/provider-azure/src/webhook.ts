/**
 * The door through which Event Grid comes in: who knocks, the two handshakes,
 * and what is answered.
 *
 * It drops an event for good when it is answered 400, 401, 403 or 413, so these
 * are for what will never get better; a fault that is ours, or that may pass, is
 * answered 503. Source: Event Grid guides on delivery and retry, and validation.
 */
import {
  type Capability,
  can,
  type EventPort,
  notYet,
  type RawRequest,
  type Received,
  type Reply
} from "@stopline/provider"
import { Effect, Option, Schema } from "effect"
import type { AzureEventSource } from "./config.ts"
import { type Envelope, readEnvelope, readEvents, type Teller } from "./events.ts"
import { makeProver, type Proofs } from "./proof.ts"
import { anyCase } from "./wire.ts"

/** @param source where Event Grid puts the events */
export const eventPort = (teller: Teller, proofs: Proofs, source: AzureEventSource): Capability<EventPort> => {
  if (source !== "webhook") {
    return notYet(
      `events are read from a webhook only. What waits in a ${source} queue is the same events, and a reader of the queue ` +
        "would hand each message to the same port; until there is one, subscribe the webhook as well"
    )
  }
  if (proofs.secrets.length === 0 && proofs.entra === undefined) {
    return notYet(
      "neither a webhook secret nor Entra ID is configured: without a proof, anybody who finds the URL could opt people in"
    )
  }
  const prove = makeProver(proofs)
  return can({
    receive: Effect.fn("Azure.receive")(function* (request: RawRequest) {
      const proof = yield* prove(request)
      if (proof._tag === "Proven") return receive(teller, request)
      const status = proof._tag === "Forged" ? 401 : 503
      return { _tag: "NotAuthentic", reason: proof.reason, reply: reply(status) } as const
    })
  })
}

const receive = (teller: Teller, request: RawRequest): Received => {
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
  const { contacts, ...heard } = readEvents(teller, envelopes, receivedAt)
  return {
    _tag: "Understood",
    ...heard,
    ...(contacts.length > 0 && { contacts }),
    reply: reply(200, {})
  }
}

const isValidation = (event: Envelope): boolean =>
  event.kind.toLowerCase() === "microsoft.eventgrid.subscriptionvalidationevent"

/**
 * The handshake of the Event Grid schema: the code goes back, with 200 and
 * nothing else. The event also names a URL that would do the same if it were
 * opened; a server that opens the URLs it is sent can be sent anywhere, so it is not.
 */
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

const notUnderstood = (reason: string, status = 400, headers: Reply["headers"] = {}): Received => ({
  _tag: "NotUnderstood",
  reason,
  reply: { status, headers, body: "" }
})

const reply = (status: number, body?: object): Reply =>
  body === undefined
    ? { status, headers: {}, body: "" }
    : { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
