/**
 * The webhook subscription at RingCentral (RingCentral OpenAPI 2026-08-13: subscription).
 */
import type { ProviderError, Subscription, SubscriptionPort } from "@stopline/provider"
import { Effect, Option, Redacted, Schema } from "effect"
import type { Call, Client } from "./client.ts"
import { SubscriptionCreated, SubscriptionList, SubscriptionRecord } from "./wire.ts"

const root = "/restapi/v1.0/subscription"

/** Ten years, the most RingCentral grants a webhook. Left out, or put one level deeper, it becomes a week without a word. */
const lifetime = 315_360_000

export const makeSubscriptionPort = (client: Client, token: Redacted.Redacted): SubscriptionPort => ({
  ensure: (url) => ensure(client, token, url)
})

/**
 * Finds the subscription for this URL, or makes it. One that RingCentral has
 * blacklisted, or that listens to something else, is replaced.
 */
const ensure = Effect.fn("RingCentral.subscribe")(function* (
  client: Client,
  token: Redacted.Redacted,
  url: string
): Effect.fn.Return<Subscription, ProviderError> {
  const filters = [`${client.a2p}/opt-outs`, `${client.a2p}/messages?direction=Inbound`]
  const found = (yield* client.ask(call("GET", root), SubscriptionList)).records
    .flatMap((record) => Option.toArray(decodeSubscription(record)))
    .filter(({ deliveryMode }) => deliveryMode.transportType === "WebHook" && deliveryMode.address === url)
  const good = found.find((record) => record.status === "Active" && filters.every((filter) => covers(record, filter)))
  const old = found.filter((record) => record !== good)
  const remove = Effect.forEach(old, ({ id }) => unsubscribe(client, id))
  if (good !== undefined) {
    yield* remove
    return report(good, filters)
  }
  // One that works is removed only when the next one works, so that no event falls between them.
  const silent = old.every(({ status }) => status !== "Active")
  if (silent) yield* remove
  const body = {
    eventFilters: filters,
    deliveryMode: {
      transportType: "WebHook",
      address: url,
      verificationToken: Redacted.value(token)
    },
    expiresIn: lifetime
  }
  const made = yield* client.ask({ ...call("POST", root), body }, SubscriptionCreated)
  if (!silent) yield* remove
  return report(made, filters)
})

const unsubscribe = (client: Client, id: string) =>
  Effect.catchIf(
    client.send(call("DELETE", `${root}/${encodeURIComponent(id)}`)),
    ({ reason }) => reason._tag === "Refused" && reason.status === 404,
    () => Effect.void
  )

const call = (method: Call["method"], path: string): Call => ({
  operation: "subscribe",
  method,
  path,
  writes: method !== "GET"
})

const decodeSubscription = Schema.decodeUnknownOption(SubscriptionRecord)

/** RingCentral answers with the account's id where it was asked with `~`. */
const sameFilter = (a: string, b: string): boolean => anyAccount(a) === anyAccount(b)
const anyAccount = (filter: string): string => filter.replace(/\/account\/[^/]+\//, "/account/~/")

const isDisabled = (record: SubscriptionRecord, filter: string) =>
  record.disabledFilters?.find((disabled) => sameFilter(disabled.filter, filter))

const covers = (record: SubscriptionRecord, filter: string): boolean =>
  record.eventFilters.some((has) => sameFilter(has, filter)) || isDisabled(record, filter) !== undefined

const report = (record: SubscriptionRecord, filters: ReadonlyArray<string>): Subscription => ({
  id: record.id,
  ...(typeof record.expirationTime === "string" && { expiresAt: record.expirationTime }),
  missing: filters.flatMap((filter) => {
    const disabled = isDisabled(record, filter)
    if (disabled !== undefined) return [{ filter, reason: disabled.reason ?? "RingCentral names no reason" }]
    return covers(record, filter) ? [] : [{ filter, reason: "RingCentral does not list it" }]
  })
})
