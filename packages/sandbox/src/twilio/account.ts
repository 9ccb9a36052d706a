/**
 * One Twilio account, put together of its parts. The service has an origin for
 * each of its APIs; here all of them are at one.
 */
import { Effect } from "effect"
import type { Account, AccountState, Surroundings } from "../account.ts"
import { Holdings } from "../azure/holdings.ts"
import { SandboxError } from "../error.ts"
import { type Call, Faults } from "../fault.ts"
import { RequestLog } from "../log.ts"
import type { TwilioOptions } from "../options.ts"
import { strike } from "../strike.ts"
import { type Outcome, type WireRequest, type WireResponse, answer } from "../wire.ts"
import { excuses, notFound, tooMany, unauthorized } from "./answers.ts"
import { answerConsents, askConsents } from "./consents.ts"
import { answerInbox, askInbox } from "./inbox.ts"
import { type Service, sid, type TwilioCredentials } from "./service.ts"
import { Traffic } from "./traffic.ts"

export interface TwilioAccount extends Account {
  readonly vendor: "twilio"
  readonly credentials: TwilioCredentials & { readonly messagingService?: string }
  readonly traffic: Pick<Traffic, "listen">
}

const noAccountWide = new SandboxError({
  problem: "Twilio has no account-wide opt-out.",
  cure: "Name one of the account's senders."
})

interface Route {
  readonly call: Call
  readonly run: () => { readonly response: WireResponse; readonly count: number }
}

const findRoute = (service: Service, traffic: Traffic, request: WireRequest): Route | undefined => {
  if (request.method === "POST" && request.path === "/v1/Consents/Bulk") {
    const asked = askConsents(service, request)
    const count = asked.consents.length
    return { call: asked.call, run: () => ({ response: answerConsents(service, asked), count }) }
  }
  if (request.method === "GET" && request.path === `/2010-04-01/Accounts/${service.accountSid}/Messages.json`) {
    return { call: askInbox(request), run: () => answerInbox(service, traffic.messages, request) }
  }
  return undefined
}

/** An API key, or the account's own SID and Auth Token (Twilio docs, API keys). */
const mayEnter = (service: Service, request: WireRequest): boolean => {
  const pairs = [`${service.apiKey}:${service.apiKeySecret}`, `${service.accountSid}:${service.authToken}`]
  return pairs.some((pair) => request.headers["authorization"] === `Basic ${Buffer.from(pair).toString("base64")}`)
}

/** Twilio docs, Consent Management API: 100 requests per minute. Of the Messages list nothing is found. */
const makeGate = (limit: number | undefined) => {
  let passed: ReadonlyArray<number> = []
  return (call: Call, now: number): boolean => {
    if (limit === undefined || call.operation !== "consents") return true
    passed = passed.filter((at) => at > now - 60_000)
    if (passed.length >= limit) return false
    passed = [...passed, now]
    return true
  }
}

const makeHandler = (service: Service, traffic: Traffic, log: RequestLog, limit: number | undefined) => {
  const gate = makeGate(limit)
  return (request: WireRequest): Outcome => {
    const route = findRoute(service, traffic, request)
    if (route === undefined) return answer(notFound)
    const at = service.surroundings.now()
    let count = 0
    const { fault, outcome } = strike(service.faults, route.call, excuses, at, () => {
      if (!mayEnter(service, request)) return answer(unauthorized)
      if (!gate(route.call, at)) return answer(tooMany)
      const answered = route.run()
      count = answered.count
      return answer(answered.response)
    })
    return log.outcome({ at, method: request.method, call: route.call, count, fault }, outcome)
  }
}

const stateOf = (name: string, service: Service, traffic: Traffic, only?: string): AccountState => ({
  account: name,
  vendor: "twilio",
  senders: [...service.senders, ...(service.messagingService === undefined ? [] : [service.messagingService])]
    .filter((sender) => only === undefined || sender === only)
    .map((sender) => ({
      sender,
      optedOut: service.holdings.listed(sender),
      optedIn: [],
      carrierHeld: service.holdings.carrierHeld(sender)
    })),
  subscriptions: traffic.webhooks()
})

export const makeTwilioAccount = (options: TwilioOptions, surroundings: Surroundings): TwilioAccount => {
  const { now, secrets } = surroundings
  const credentials = {
    accountSid: sid("AC", secrets),
    apiKey: sid("SK", secrets),
    apiKeySecret: secrets.hex(32),
    authToken: secrets.hex(32)
  }
  const messagingService = options.messagingService === true ? sid("MG", secrets) : undefined
  const service: Service = {
    ...credentials,
    senders: options.senders,
    messagingService,
    advancedOptOut: options.advancedOptOut ?? messagingService !== undefined,
    holdings: new Holdings(),
    faults: new Faults("twilio"),
    surroundings
  }
  const traffic = new Traffic(service)
  const log = new RequestLog()
  const limit = options.limits === true ? 100 : options.limits === false ? undefined : options.limits
  return {
    name: options.name,
    vendor: "twilio",
    senders: options.senders,
    credentials: { ...credentials, ...(messagingService !== undefined && { messagingService }) },
    faults: service.faults,
    log,
    traffic,
    handle: makeHandler(service, traffic, log, limit),
    receive: (sender, person, text) => traffic.receive(sender, person, text),
    edit: (sender, action, recipients) => {
      if (sender === "*") return Effect.fail(noAccountWide)
      const change = (person: string): boolean =>
        action === "opt-out"
          ? service.holdings.optOut(sender, person, "Account", now())
          : service.holdings.release(sender, person, now())
      return Effect.sync(() => recipients.filter(change).length)
    },
    send: (sender, person) => traffic.send(sender, person),
    state: (only) => stateOf(options.name, service, traffic, only),
    isOptedOut: (sender, person) => traffic.isOptedOut(sender, person)
  }
}
