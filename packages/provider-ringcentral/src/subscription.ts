/**
 * The webhook subscription at RingCentral (RingCentral OpenAPI 2026-08-13: subscription).
 *
 * RingCentral gives a webhook up that fails for a while, and then says nothing
 * any more; so the subscription is looked at again and again, and each look
 * leaves one that works.
 */
import type { ProviderError, Subscription, SubscriptionPort } from "@stopline/provider"
import { Clock, Effect, Option, Redacted, Schema } from "effect"
import type { Call, Client } from "./client.ts"
import type { Group } from "./limits.ts"
import { readMissed } from "./missed.ts"
import { SubscriptionCreated, SubscriptionList, SubscriptionRecord } from "./wire.ts"

export const root = "/restapi/v1.0/subscription"

/** Ten years, the most RingCentral grants a webhook. Left out, or put one level deeper, it becomes a week without a word. */
const lifetime = 315_360_000

/** Asks RingCentral for an event when three days are left, and every twelve hours then. Both are approximate, it says. */
const reminder = `${root}/~?threshold=259200&interval=43200`

/** Prolonged when so much is left (s): earlier than the first reminder, so that a reminder always finds something to do. */
const renewFrom = 6 * 86_400

export const makeSubscriptionPort = (client: Client, token: Redacted.Redacted): SubscriptionPort => {
  // What RingCentral left out of a new subscription it would leave out of the next one, too.
  const made = new Set<string>()
  const told = new Set<string>()
  return {
    ensure: (url) => ensure({ client, token, url, made, told }),
    missed: (span, cursor) => readMissed(client, span, cursor)
  }
}

interface Wish {
  readonly client: Client
  readonly token: Redacted.Redacted
  readonly url: string
  /** Subscriptions that this process has made. */
  readonly made: Set<string>
  /** Other addresses that this process has told of. */
  readonly told: Set<string>
}

/**
 * Finds the subscription for this URL, or makes it. One that RingCentral has
 * blacklisted, or that does not hear everything, is replaced; one near its end
 * is prolonged. Whether a filter that was disabled comes to life when the
 * permission is granted: not found. So each process tries once to do better
 * than what it finds: grant the permission, and start the worker again.
 */
const ensure = Effect.fn("RingCentral.subscribe")(function* (
  wish: Wish
): Effect.fn.Return<Subscription, ProviderError> {
  const { client, made, url } = wish
  const events = eventsOf(client)
  const filters = [...events, reminder]
  const hooks = (yield* client.ask(call("GET", root, "light"), SubscriptionList)).records
    .flatMap((record) => Option.toArray(decodeSubscription(record)))
    .filter(({ deliveryMode }) => deliveryMode.transportType === "WebHook")
  yield* tellOfOthers(wish, hooks)
  const found = hooks.filter(({ deliveryMode }) => deliveryMode.address === url)
  const listens = (record: SubscriptionRecord) =>
    made.has(record.id) || filters.every((filter) => hears(record, filter))
  const good = found.find((record) => record.status === "Active" && listens(record))
  const kept = good === undefined ? undefined : yield* prolong(client, good)
  const old = found.filter((record) => record !== good || kept === undefined)
  const remove = Effect.forEach(old, ({ id }) => unsubscribe(client, id))
  if (kept !== undefined) {
    yield* remove
    return report(kept, events)
  }
  // One that works is removed only when the next one works, so that no event falls between them.
  const silent = old.every(({ status }) => status !== "Active")
  if (silent) yield* remove
  const next = yield* subscribe(wish, filters)
  made.add(next.id)
  if (!silent) yield* remove
  return report(next, events)
})

/**
 * A subscription of before, made for ten years, goes on sending numbers, texts and the token to an address that may be
 * somebody else's by now. It may as well be another deployment's: that only a person knows.
 */
const tellOfOthers = Effect.fnUntraced(function* (
  { client, told, url }: Wish,
  hooks: ReadonlyArray<SubscriptionRecord>
) {
  for (const { deliveryMode, eventFilters, id } of hooks) {
    const address = deliveryMode.address ?? ""
    const ours = URL.canParse(address) && new URL(address).pathname.endsWith(`/webhooks/${client.account}`)
    const listens = eventFilters.some((filter) => sameFilter(filter, optOutsOf(client)))
    if (address === url || !ours || !listens || told.has(address)) continue
    told.add(address)
    yield* Effect.logWarning(
      "RingCentral sends this account's opt-outs to another address, too. If it is not yours any more, delete that subscription at RingCentral, and set a new verification token",
      { account: client.account, host: new URL(address).host, subscription: id }
    )
  }
})

const optOutsOf = ({ a2p }: Client): string => `${a2p}/opt-outs`

/** What Stopline wants to hear. */
export const eventsOf = (client: Client): ReadonlyArray<string> => [
  optOutsOf(client),
  `${client.a2p}/messages?direction=Inbound`
]

const subscribe = ({ client, token, url }: Wish, filters: ReadonlyArray<string>) => {
  const body = {
    eventFilters: filters,
    deliveryMode: {
      transportType: "WebHook",
      address: url,
      verificationToken: Redacted.value(token)
    },
    expiresIn: lifetime
  }
  return client.ask({ ...call("POST", root, "medium"), body }, SubscriptionCreated)
}

/** Undefined: it ended while it was looked at. */
const prolong = Effect.fnUntraced(function* (client: Client, record: SubscriptionRecord) {
  if (secondsLeft(record, yield* Clock.currentTimeMillis) > renewFrom) return record
  return yield* client
    .ask(call("POST", `${root}/${encodeURIComponent(record.id)}/renew`, "light"), SubscriptionCreated)
    .pipe(Effect.catchIf(isGone, () => Effect.undefined))
})

/** By RingCentral's clock where it counts the seconds itself. */
const secondsLeft = ({ expirationTime, expiresIn }: SubscriptionRecord, now: number): number => {
  if (typeof expiresIn === "number") return expiresIn
  const ends = Date.parse(expirationTime ?? "")
  // Of one whose end is not known, only RingCentral's reminder can tell.
  return Number.isNaN(ends) ? Number.POSITIVE_INFINITY : (ends - now) / 1000
}

const unsubscribe = (client: Client, id: string) =>
  Effect.catchIf(client.send(call("DELETE", `${root}/${encodeURIComponent(id)}`, "medium")), isGone, () => Effect.void)

const isGone = ({ reason }: ProviderError): boolean => reason._tag === "Refused" && reason.status === 404

const call = (method: Call["method"], path: string, group: Group): Call => ({
  operation: "subscribe",
  method,
  path,
  group,
  writes: method !== "GET"
})

const decodeSubscription = Schema.decodeUnknownOption(SubscriptionRecord)

/** RingCentral answers with the account's id where it was asked with `~`; of a reminder only the path is compared. */
const sameFilter = (a: string, b: string): boolean => plain(a) === plain(b)
const plain = (filter: string): string =>
  filter.startsWith(`${root}/`) ? root : filter.replace(/\/account\/[^/]+\//, "/account/~/")

const isDisabled = (record: SubscriptionRecord, filter: string) =>
  record.disabledFilters?.find((disabled) => sameFilter(disabled.filter, filter))

const hears = (record: SubscriptionRecord, filter: string): boolean =>
  record.eventFilters.some((has) => sameFilter(has, filter)) && isDisabled(record, filter) === undefined

/** A reminder that RingCentral does not send is nobody's loss: each look prolongs. */
export const report = (record: SubscriptionRecord, events: ReadonlyArray<string>): Subscription => ({
  id: record.id,
  ...(typeof record.expirationTime === "string" && { expiresAt: record.expirationTime }),
  missing: events.flatMap((filter) => {
    const disabled = isDisabled(record, filter)
    if (disabled !== undefined) return [{ filter, reason: disabled.reason ?? "RingCentral names no reason" }]
    return hears(record, filter) ? [] : [{ filter, reason: "RingCentral does not list it" }]
  })
})
