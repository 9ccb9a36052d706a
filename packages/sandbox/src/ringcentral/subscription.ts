/**
 * Webhook subscriptions: made after a handshake, delivered once, blacklisted
 * after repeated failures (RingCentral OpenAPI 2026-08-13; guide: webhooks).
 *
 * No retry of an event is documented, so none is made. When a webhook is
 * blacklisted is not documented either; here it is a count, and for good.
 */
import { Result, Schema } from "effect"
import { jsonReader } from "../decode.ts"
import type { Delivery } from "../courier.ts"
import type { Random } from "../random.ts"
import {
  type OutgoingAnswer,
  type OutgoingRequest,
  type Outcome,
  type WireRequest,
  type WireResponse,
  answer,
  json
} from "../wire.ts"
import { refusePlatform } from "./answers.ts"
import { type EventFilter, type Happening, readFilter } from "./filters.ts"

const readRequest = jsonReader(
  Schema.Struct({
    eventFilters: Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1)),
    deliveryMode: Schema.Struct({
      transportType: Schema.Literal("WebHook"),
      address: Schema.String.check(Schema.isPattern(/^https?:\/\//)),
      verificationToken: Schema.optionalKey(Schema.String)
    }),
    expiresIn: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
  })
)
type Wish = Result.Result.Success<ReturnType<typeof readRequest>>

const week = 604_800
const tenYears = 315_360_000
const mostSubscriptions = 30
/** A webhook has to answer within (ms). */
export const defaultWebhookTimeout = 3_000
/** The answer to the handshake, headers and body together, in bytes. */
const mostHandshake = 1_024

interface Subscription {
  readonly id: string
  readonly wish: Wish
  readonly filters: ReadonlyArray<EventFilter>
  readonly disabled: ReadonlyArray<string>
  readonly createdAt: number
  expiresAt: number
  remindedAt: number
  failures: number
  blacklisted: { readonly reason: string; readonly at: number } | undefined
}

export interface SubscriptionsOptions {
  readonly accountId: string
  readonly ownerId: string
  readonly blacklistAfter: number
  /** For a webhook to answer (ms). */
  readonly timeout: number
  readonly random: Random
  readonly now: () => number
}

const iso = (at: number): string => new Date(at).toISOString()

const notFound: WireResponse = refusePlatform(404, "SUB-507", "Subscription is not found or expired")

/** Undefined when the webhook proved itself. */
const handshakeProblem = (answer: OutgoingAnswer, token: string): string | undefined => {
  if (answer._tag === "Unreachable") return `WebHook is not reachable: ${answer.reason}`
  if (answer.status !== 200) return `WebHook responds with incorrect HTTP status. HTTP status is ${answer.status}`
  if (answer.headers["validation-token"] !== token) return "WebHook does not return the Validation-Token header"
  if (!(answer.headers["content-type"] ?? "").startsWith("application/json")) {
    return "WebHook response has to have the content type application/json"
  }
  const headers = Object.entries(answer.headers).reduce(
    (size, [name, value]) => size + name.length + value.length + 4,
    0
  )
  return headers + answer.body.length > mostHandshake ? "WebHook response exceeds maximum size" : undefined
}

export class Subscriptions {
  readonly #options: SubscriptionsOptions
  readonly #byId = new Map<string, Subscription>()

  constructor(options: SubscriptionsOptions) {
    this.#options = options
  }

  all(): ReadonlyArray<Subscription> {
    const now = this.#options.now()
    for (const [id, { expiresAt }] of this.#byId) if (now >= expiresAt) this.#byId.delete(id)
    return [...this.#byId.values()]
  }

  create(request: WireRequest): Outcome {
    const body = readRequest(request.body)
    if (Result.isFailure(body)) {
      const { field } = body.failure
      return answer(refusePlatform(400, "CMN-101", `Parameter [${field}] value is invalid.`, { parameterName: field }))
    }
    const wish = body.success
    const { accountId, random } = this.#options
    const filters = wish.eventFilters.flatMap((text) => readFilter(text, accountId) ?? [])
    const disabled = wish.eventFilters.filter((text) => readFilter(text, accountId) === undefined)
    if (filters.length === 0) return answer(refusePlatform(400, "SUB-508", "Event filters are not valid"))
    if (this.all().length >= mostSubscriptions) {
      return answer(refusePlatform(403, "SUB-505", "Subscriptions limit exceeded"))
    }
    const token = random.uuid()
    return {
      _tag: "Ask",
      request: {
        method: "POST",
        url: wish.deliveryMode.address,
        headers: { "validation-token": token },
        body: "",
        timeout: this.#options.timeout
      },
      answered: (said) => {
        const problem = handshakeProblem(said, token)
        if (problem !== undefined) return answer(refusePlatform(400, "SUB-525", problem))
        const now = this.#options.now()
        const id = random.uuid()
        const expiresAt = now + Math.min(wish.expiresIn ?? week, tenYears) * 1000
        const subscription: Subscription = {
          id,
          wish,
          filters,
          disabled,
          createdAt: now,
          expiresAt,
          remindedAt: Number.NEGATIVE_INFINITY,
          failures: 0,
          blacklisted: undefined
        }
        this.#byId.set(id, subscription)
        return answer(json(200, this.#info(subscription, request)))
      }
    }
  }

  list(request: WireRequest): WireResponse {
    const uri = `http://${request.headers["host"] ?? ""}/restapi/v1.0/subscription`
    return json(200, { uri, records: this.all().map((subscription) => this.#info(subscription, request)) })
  }

  read(id: string, request: WireRequest): WireResponse {
    const subscription = this.#find(id)
    return subscription === undefined ? notFound : json(200, this.#info(subscription, request))
  }

  /** Lasts as long again as it was asked to. A blacklisted one stays so. */
  renew(id: string, request: WireRequest): WireResponse {
    const subscription = this.#find(id)
    if (subscription === undefined) return notFound
    subscription.expiresAt = this.#options.now() + Math.min(subscription.wish.expiresIn ?? week, tenYears) * 1000
    return json(200, this.#info(subscription, request))
  }

  remove(id: string): WireResponse {
    const known = this.#find(id) !== undefined
    this.#byId.delete(id)
    return known ? { status: 204, headers: {}, body: "" } : notFound
  }

  /** One delivery for each subscription that asked for it. */
  deliveries(happening: Happening, body: unknown): ReadonlyArray<Delivery> {
    return this.all().flatMap((subscription) => {
      const filter = subscription.filters.find(({ matches }) => matches(happening))
      return filter === undefined || subscription.blacklisted !== undefined
        ? []
        : [this.#delivery(subscription, filter, body)]
    })
  }

  /** The reminders that are due: one when the end is near, and one more after each interval. */
  reminders(): ReadonlyArray<Delivery> {
    const now = this.#options.now()
    return this.all().flatMap((subscription) => {
      const filter = subscription.filters.find(({ reminder }) => reminder !== undefined)
      if (filter?.reminder === undefined || subscription.blacklisted !== undefined) return []
      const { interval, threshold } = filter.reminder
      if (now < subscription.expiresAt - threshold || now < subscription.remindedAt + interval) return []
      subscription.remindedAt = now
      // What its body holds is not published beyond the subscription's own description.
      const { expiresAt, id } = subscription
      return [this.#delivery(subscription, filter, { id, expirationTime: iso(expiresAt) })]
    })
  }

  /** What RingCentral does after a webhook has failed for long, done at once to all of them. */
  blacklist(): number {
    const active = this.all().filter(({ blacklisted }) => blacklisted === undefined)
    for (const subscription of active) {
      subscription.blacklisted = { reason: "HTTP status is 503", at: this.#options.now() }
    }
    return active.length
  }

  #find(id: string): Subscription | undefined {
    return this.all().find((subscription) => subscription.id === id)
  }

  #delivery(subscription: Subscription, filter: EventFilter, body: unknown): Delivery {
    const { now, ownerId, random } = this.#options
    const { address, verificationToken } = subscription.wish.deliveryMode
    const request: OutgoingRequest = {
      method: "POST",
      url: address,
      headers: {
        "content-type": "application/json; charset=utf-8",
        ...(verificationToken !== undefined && { "verification-token": verificationToken })
      },
      body: JSON.stringify({
        uuid: random.uuid(),
        event: filter.name,
        timestamp: iso(now()),
        subscriptionId: subscription.id,
        ownerId,
        body
      }),
      timeout: this.#options.timeout
    }
    return {
      request: () => request,
      settle: (said) => {
        this.#judge(subscription, said)
        return undefined
      }
    }
  }

  #judge(subscription: Subscription, said: OutgoingAnswer): void {
    if (said._tag === "Answered" && said.status >= 200 && said.status < 300) {
      subscription.failures = 0
      return
    }
    subscription.failures += 1
    if (subscription.failures < this.#options.blacklistAfter || subscription.blacklisted !== undefined) return
    const reason =
      said._tag === "Answered" ? `HTTP status is ${said.status}` : `I/O operation is failed. Details: ${said.reason}`
    subscription.blacklisted = { reason, at: this.#options.now() }
  }

  #info(subscription: Subscription, request: WireRequest): object {
    const { blacklisted, createdAt, disabled, expiresAt, filters, id, wish } = subscription
    return {
      uri: `http://${request.headers["host"] ?? ""}/restapi/v1.0/subscription/${id}`,
      id,
      creationTime: iso(createdAt),
      status: blacklisted === undefined ? "Active" : "Blacklisted",
      eventFilters: filters.map(({ name }) => name),
      ...(disabled.length > 0 && {
        disabledFilters: disabled.map((filter) => ({
          filter,
          reason: "NotSupported",
          message: "The event is not available to this application"
        }))
      }),
      expirationTime: iso(expiresAt),
      expiresIn: Math.max(1, Math.floor((expiresAt - this.#options.now()) / 1000)),
      deliveryMode: { transportType: "WebHook", encryption: false, address: wish.deliveryMode.address },
      ...(blacklisted !== undefined && {
        blacklistedData: { reason: blacklisted.reason, blacklistedAt: iso(blacklisted.at) }
      })
    }
  }
}
