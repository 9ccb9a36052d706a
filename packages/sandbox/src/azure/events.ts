/**
 * Event Grid: subscriptions with their handshake, the two events that speak of
 * SMS, and delivery at least once (Azure docs: telephony and SMS events,
 * endpoint validation, delivery and retry).
 */
import { Schema } from "effect"
import type { Delivery } from "../courier.ts"
import { SandboxError } from "../error.ts"
import type { Random } from "../random.ts"
import type { OutgoingAnswer, OutgoingRequest } from "../wire.ts"

export const EventGridSubscription = Schema.Struct({
  account: Schema.String,
  /** Plain HTTP on loopback is fine here; the service itself insists on HTTPS. */
  url: Schema.String.check(Schema.isPattern(/^https?:\/\//, { message: "Expected an http or https URL" })),
  schema: Schema.optionalKey(Schema.Literals(["EventGrid", "CloudEvents"])),
  /** Sent with every delivery: Event Grid's way of carrying a secret. */
  headers: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  /** Published samples show both casings of the keys of `data`. Default camel. */
  casing: Schema.optionalKey(Schema.Literals(["camel", "pascal"])),
  /** Published samples show numbers with and without their plus. Default false. */
  plus: Schema.optionalKey(Schema.Boolean)
})
export type EventGridSubscription = typeof EventGridSubscription.Type

/** From 10 s to 12 h at the service; short here, so that a demo can watch it. */
export const defaultRetryDelays: ReadonlyArray<number> = [500, 2_000, 5_000, 10_000, 30_000, 60_000]

/** Dropped, never tried again. */
const final = new Set([400, 401, 403, 413])
const timeout = 30_000

export interface GridEvent {
  readonly type: "SMSReceived" | "SMSDeliveryReportReceived"
  readonly id: string
  /** Whom the event is about. */
  readonly person: string
  /** ms since the epoch. */
  readonly at: number
  /** In camel case; `from` and `to` are numbers with their plus. */
  readonly data: Readonly<Record<string, unknown>>
}

export interface Subscriber {
  readonly name: string
  readonly wish: EventGridSubscription
}

const pascal = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(pascal)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key.charAt(0).toUpperCase() + key.slice(1), pascal(inner)])
  )
}

const bare = (number: unknown): string => String(number).replace(/^\+/, "")

const dataFor = (wish: EventGridSubscription, event: GridEvent): unknown => {
  const { from, to } = event.data
  const data = wish.plus === true ? event.data : { ...event.data, from: bare(from), to: bare(to) }
  return wish.casing === "pascal" ? pascal(data) : data
}

const cloudEvents = (wish: EventGridSubscription): boolean => wish.schema === "CloudEvents"

const envelope = (wish: EventGridSubscription, topic: string, event: GridEvent): unknown => {
  const type = `Microsoft.Communication.${event.type}`
  const subject = `/phonenumber/${bare(event.person)}`
  const time = new Date(event.at).toISOString()
  const data = dataFor(wish, event)
  return cloudEvents(wish)
    ? { source: topic, subject, type, time, id: event.id, data, specversion: "1.0" }
    : [
        {
          id: event.id,
          topic,
          subject,
          data,
          eventType: type,
          dataVersion: "1.0",
          metadataVersion: "1",
          eventTime: time
        }
      ]
}

const post = (
  wish: EventGridSubscription,
  body: unknown,
  kind: "Notification" | "SubscriptionValidation",
  name: string,
  attempt: number
): OutgoingRequest => ({
  method: "POST",
  url: wish.url,
  headers: {
    "content-type": `application/${cloudEvents(wish) ? "cloudevents+json" : "json"}; charset=utf-8`,
    "aeg-event-type": kind,
    "aeg-subscription-name": name,
    "aeg-delivery-count": String(attempt),
    "aeg-data-version": "1.0",
    "aeg-metadata-version": "1",
    ...wish.headers
  },
  body: JSON.stringify(body),
  timeout
})

export const deliveryTo = (
  subscriber: Subscriber,
  topic: string,
  event: GridEvent,
  retryDelays: ReadonlyArray<number>
): Delivery => ({
  request: (attempt) =>
    post(subscriber.wish, envelope(subscriber.wish, topic, event), "Notification", subscriber.name, attempt),
  settle: (answer, attempt) => {
    if (answer._tag === "Answered" && ((answer.status >= 200 && answer.status <= 204) || final.has(answer.status))) {
      return undefined
    }
    return retryDelays[attempt]
  }
})

const ValidationResponse = Schema.fromJsonString(Schema.Struct({ validationResponse: Schema.String }))
const isValidation = Schema.decodeUnknownOption(ValidationResponse)

export interface Handshake {
  readonly request: OutgoingRequest
  /** What is wrong with the answer; undefined: the webhook proved itself. */
  readonly judge: (answer: OutgoingAnswer) => SandboxError | undefined
}

const unproven = (answer: OutgoingAnswer, cure: string): SandboxError =>
  new SandboxError({
    problem: `The webhook did not prove itself: ${answer._tag === "Answered" ? `it answered ${answer.status}` : answer.reason}.`,
    cure
  })

const origin = "eventgrid.azure.net"

const cloudEventsHandshake = (wish: EventGridSubscription): Handshake => ({
  request: {
    method: "OPTIONS",
    url: wish.url,
    headers: { "webhook-request-origin": origin, "webhook-request-rate": "120", ...wish.headers },
    body: "",
    timeout
  },
  judge: (answer) => {
    const allowed = answer._tag === "Answered" && answer.status === 200 ? answer.headers["webhook-allowed-origin"] : ""
    return allowed === "*" || allowed === origin
      ? undefined
      : unproven(
          answer,
          "Answer OPTIONS with 200 and the header WebHook-Allowed-Origin, either * or the origin asked for."
        )
  }
})

const eventGridHandshake = (wish: EventGridSubscription, topic: string, now: number, random: Random): Handshake => {
  const validationCode = random.uuid()
  const event = {
    id: random.uuid(),
    topic,
    subject: "",
    data: { validationCode },
    eventType: "Microsoft.EventGrid.SubscriptionValidationEvent",
    eventTime: new Date(now).toISOString(),
    metadataVersion: "1",
    dataVersion: "1"
  }
  return {
    request: post(wish, [event], "SubscriptionValidation", "validation", 0),
    judge: (answer) => {
      const echoed = answer._tag === "Answered" && answer.status === 200 ? isValidation(answer.body) : undefined
      return echoed?._tag === "Some" && echoed.value.validationResponse === validationCode
        ? undefined
        : unproven(answer, 'Answer the validation event with 200 and {"validationResponse": "<its validationCode>"}.')
    }
  }
}

/** The service's other way, opening `validationUrl` by hand, is not offered here. */
export const handshake = (wish: EventGridSubscription, topic: string, now: number, random: Random): Handshake =>
  cloudEvents(wish) ? cloudEventsHandshake(wish) : eventGridHandshake(wish, topic, now, random)
