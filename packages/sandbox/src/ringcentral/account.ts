/**
 * One RingCentral account with High Volume SMS, put together of its parts.
 */
import { Effect } from "effect"
import type { Account, AccountState, Surroundings } from "../account.ts"
import { Faults } from "../fault.ts"
import { OptOutList, type Source } from "../list.ts"
import { RequestLog } from "../log.ts"
import { permissions as everyPermission, type RingCentralOptions } from "../options.ts"
import { strike } from "../strike.ts"
import { type Line, type Listener, type Outcome, type WireRequest, answer, mapResponse } from "../wire.ts"
import { excuses, notFound, notPermitted, tokenExpired, tokenUnknown } from "./answers.ts"
import { Gate, resolveLimits } from "./limits.ts"
import { OAuth } from "./oauth.ts"
import { type Answered, type Route, type Service, findRoute } from "./routes.ts"
import { Sockets } from "./sockets.ts"
import { defaultWebhookTimeout, Subscriptions } from "./subscription.ts"
import { Traffic, everySender } from "./traffic.ts"

export interface RingCentralAccount extends Account {
  readonly vendor: "ringcentral"
  readonly clientId: string
  readonly clientSecret: string
  readonly jwt: string
  /** Somebody connects to the WebSocket gateway; undefined: the token does not open it. */
  readonly connect: (query: string, line: Line) => Listener | undefined
  /** Every WebSocket breaks. Returns how many. */
  readonly hangUp: () => number
  /** Time has passed: sends the reminders that are due. */
  readonly tick: () => void
  /** Gives its webhooks up, as after many failures. Returns how many. */
  readonly blacklist: () => number
  /** Puts a row on the list from before the world began. */
  readonly seed: (sender: string, recipient: string, source: Source, at: number) => void
}

const makeService = (
  options: RingCentralOptions,
  credentials: { readonly clientId: string; readonly clientSecret: string; readonly jwt: string },
  surroundings: Surroundings
): Service => {
  const { now, random } = surroundings
  const accountId = String(400_000_000 + surroundings.secrets.below(99_999_999))
  const ownerId = String(600_000_000 + surroundings.secrets.below(99_999_999))
  const { blacklistAfter = 10, echo = true, keywordTexts = true, optInEvents = true } = options
  const { refreshTokens = false, tokenSeconds = 3600 } = options
  const { permissions = everyPermission, webhookTimeout: timeout = defaultWebhookTimeout } = options
  const faults = new Faults("ringcentral")
  const list = new OptOutList(500_000)
  const subscriptions = new Subscriptions({ accountId, ownerId, blacklistAfter, timeout, random, now })
  const sockets = new Sockets({ accountId, ownerId, random, now })
  let salts = 0
  return {
    accountId,
    senders: options.senders,
    list,
    traffic: new Traffic({ list, faults, subscriptions, sockets, surroundings, echo, keywordTexts, optInEvents }),
    oauth: new OAuth({ ...credentials, ownerId, permissions, tokenSeconds, refreshTokens }, random),
    subscriptions,
    sockets,
    faults,
    permissions,
    only: options.api,
    bare: options.records === "bare",
    coverageNeeded: options.coverageNeeded ?? false,
    tokenOnLastPage: options.tokenOnLastPage ?? false,
    now,
    salt: () => ++salts
  }
}

/** Undefined: the token is good, and the app may do this. */
const whyNot = ({ now, oauth, permissions }: Service, request: WireRequest, { needs, open }: Route) => {
  const token = open ? "valid" : oauth.check(request, now())
  if (token !== "valid") return token === "expired" ? tokenExpired : tokenUnknown
  return needs === undefined || permissions.includes(needs) ? undefined : notPermitted(needs)
}

/** Whoever is over the limit learns that before whoever may not come in; the order is not published. */
const guarded = (service: Service, gate: Gate, request: WireRequest, route: Route): Answered => {
  const { headers, refusal } = gate.admit(route.group, service.now())
  const refused = refusal ?? whyNot(service, request, route)
  const answered = refused === undefined ? route.run() : { outcome: answer(refused) }
  const outcome = mapResponse(answered.outcome, (response) => ({
    ...response,
    headers: { ...headers, ...response.headers }
  }))
  return { ...answered, outcome }
}

const makeHandler = (service: Service, gate: Gate, log: RequestLog, surroundings: Surroundings) => {
  return (request: WireRequest): Outcome => {
    const route = findRoute(service, request)
    if (route === undefined) return answer(notFound)
    const at = service.now()
    let count = route.call.recipients?.length ?? 0
    const { fault, outcome } = strike(service.faults, route.call, excuses, at, () => {
      const answered = guarded(service, gate, request, route)
      count = answered.rows ?? count
      return answered.outcome
    })
    const logged = log.outcome({ at, method: request.method, call: route.call, count, fault }, outcome)
    const own = { date: new Date(at).toUTCString(), rcrequestid: surroundings.random.uuid() }
    return mapResponse(logged, (response) => ({ ...response, headers: { ...own, ...response.headers } }))
  }
}

/** The account-wide rows are shown when there are any, as of the sender `*`. */
const stateOf = (name: string, { list, senders, subscriptions }: Service, only?: string): AccountState => ({
  account: name,
  vendor: "ringcentral",
  senders: [...senders, ...(list.rows(everySender).length > 0 ? [everySender] : [])]
    .filter((sender) => only === undefined || sender === only)
    .map((sender) => ({
      sender,
      optedOut: list.recipients(sender, "OptOut"),
      optedIn: list.recipients(sender, "OptIn"),
      carrierHeld: []
    })),
  subscriptions: subscriptions.all().map(({ blacklisted, id, wish }) => ({
    id,
    url: wish.deliveryMode.address,
    status: blacklisted === undefined ? "Active" : "Blacklisted"
  }))
})

export const makeRingCentralAccount = (options: RingCentralOptions, surroundings: Surroundings): RingCentralAccount => {
  const { now, secrets } = surroundings
  const credentials = {
    clientId: options.clientId ?? `sandbox-${secrets.hex(16)}`,
    clientSecret: options.clientSecret ?? secrets.hex(40),
    jwt: options.jwt ?? `${secrets.hex(24)}.${secrets.hex(48)}.${secrets.hex(32)}`
  }
  const service = makeService(options, credentials, surroundings)
  const { faults, list, sockets, subscriptions, traffic } = service
  const log = new RequestLog()
  return {
    name: options.name,
    vendor: "ringcentral",
    senders: options.senders,
    ...credentials,
    faults,
    log,
    handle: makeHandler(service, new Gate(resolveLimits(options.limits)), log, surroundings),
    receive: (sender, person, text) => traffic.receive(sender, person, text),
    edit: (sender, action, recipients) =>
      Effect.sync(() => {
        const status = action === "opt-out" ? "OptOut" : "OptIn"
        return recipients.filter((person) => list.set(sender, person, status, "Account", now())).length
      }),
    send: (sender, person) => traffic.send(sender, person),
    state: (only) => stateOf(options.name, service, only),
    isOptedOut: (sender, person) => traffic.isOptedOut(sender, person),
    connect: (query, line) => sockets.connect(query, line),
    hangUp: () => sockets.hangUp(),
    tick: () => subscriptions.reminders().forEach(surroundings.deliver),
    blacklist: () => subscriptions.blacklist(),
    seed: (sender, recipient, source, at) => void list.set(sender, recipient, "OptOut", source, at)
  }
}
