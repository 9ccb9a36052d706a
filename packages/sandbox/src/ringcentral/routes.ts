/**
 * Which request is which, and what group of limits it draws on (RingCentral
 * OpenAPI 2026-08-13: x-throttling-group).
 */
import type { Call, Faults } from "../fault.ts"
import type { OptOutList } from "../list.ts"
import type { Permission } from "../options.ts"
import { type Outcome, type WireRequest, type WireResponse, answer } from "../wire.ts"
import { answerAmendment, describeAmendment } from "./amend.ts"
import { accountUnknown } from "./answers.ts"
import { answerExport, answerHistory, answerSearch, describeHistory, describeSearch } from "./consents.ts"
import type { Group } from "./limits.ts"
import { answerMessages, describeMessages } from "./messages.ts"
import type { OAuth } from "./oauth.ts"
import { answerAssignment, answerList, describeAssignment, describeList } from "./optouts.ts"
import type { Sockets } from "./sockets.ts"
import type { Subscriptions } from "./subscription.ts"
import type { Traffic } from "./traffic.ts"

export interface Service {
  readonly accountId: string
  readonly senders: ReadonlyArray<string>
  readonly list: OptOutList
  readonly traffic: Traffic
  readonly oauth: OAuth
  readonly subscriptions: Subscriptions
  readonly sockets: Sockets
  readonly faults: Faults
  /** What the app may do. */
  readonly permissions: ReadonlyArray<Permission>
  /** The one generation of the opt-out API that is served; undefined: both. */
  readonly only: "v1" | "v2" | undefined
  readonly bare: boolean
  readonly coverageNeeded: boolean
  readonly tokenOnLastPage: boolean
  readonly now: () => number
  /** A number that never came before: it tells two tokens of one place apart. */
  readonly salt: () => number
}

/** A request that is understood and not yet carried out. */
export interface Route {
  readonly call: Call
  readonly group: Group
  /** No access token is needed. */
  readonly open: boolean
  /** The permission that the app needs. */
  readonly needs?: Permission
  readonly run: () => Answered
}

export interface Answered {
  readonly outcome: Outcome
  /** Rows answered, where it is a list. */
  readonly rows?: number
}

const plain = (response: WireResponse): Answered => ({ outcome: answer(response) })
const counted = ({ count, response }: { response: WireResponse; count: number }): Answered => ({
  outcome: answer(response),
  rows: count
})

const ofMessages = { group: "light", open: false, needs: "A2PSMS" } as const
const ofConsents = { group: "light", open: false, needs: "SMS" } as const

const smsRoute = (service: Service, request: WireRequest, rest: string): Route | undefined => {
  if (service.only === "v2" && rest.startsWith("opt-outs")) return undefined
  switch (`${request.method} ${rest}`) {
    case "GET opt-outs": {
      const call = describeList(request)
      return { ...ofMessages, call, run: () => counted(answerList(service, call, request)) }
    }
    case "POST opt-outs/bulk-assign": {
      const assignment = describeAssignment(request)
      return { ...ofMessages, call: assignment.call, run: () => plain(answerAssignment(service, assignment)) }
    }
    case "GET messages": {
      const call = describeMessages(request)
      return { ...ofMessages, call, run: () => counted(answerMessages(service, call, request)) }
    }
    default:
      return undefined
  }
}

const consentRoute = (service: Service, request: WireRequest, rest: string): Route | undefined => {
  if (service.only === "v1") return undefined
  switch (`${request.method} ${rest}`) {
    case "POST consents/search": {
      const search = describeSearch(request)
      return { ...ofConsents, call: search.call, run: () => counted(answerSearch(service, search)) }
    }
    case "PATCH consents": {
      const amendment = describeAmendment(request)
      return { ...ofConsents, call: amendment.call, run: () => plain(answerAmendment(service, amendment)) }
    }
    case "GET consents/history": {
      const call = describeHistory(request)
      return { ...ofConsents, call, run: () => counted(answerHistory(service, call, request)) }
    }
    case "GET consents/export":
      return { ...ofConsents, call: { operation: "export" }, run: () => counted(answerExport(service)) }
    default:
      return undefined
  }
}

const subscriptionRoute = (service: Service, request: WireRequest, id: string, verb: string): Route | undefined => {
  const { subscriptions } = service
  const route = (group: Group, run: () => WireResponse): Route => ({
    call: { operation: "subscription" },
    group,
    open: false,
    run: () => plain(run())
  })
  switch (`${request.method} ${id === "" ? "all" : "one"}${verb}`) {
    case "POST all":
      return {
        call: { operation: "subscribe" },
        group: "medium",
        open: false,
        needs: "SubscriptionWebhook",
        run: () => ({ outcome: subscriptions.create(request) })
      }
    case "GET all":
      return route("light", () => subscriptions.list(request))
    case "GET one":
      return route("light", () => subscriptions.read(id, request))
    case "DELETE one":
      return route("medium", () => subscriptions.remove(id))
    case "POST one/renew":
      return route("light", () => subscriptions.renew(id, request))
    default:
      return undefined
  }
}

/** What lies below an account, in either generation of its paths. */
const ofAccounts = [
  [/^\/restapi\/v1\.0\/account\/([^/]+)\/a2p-sms\/(.+)$/, smsRoute],
  [/^\/restapi\/v2\/accounts\/([^/]+)\/sms\/(.+)$/, consentRoute]
] as const

/** Undefined: nothing here. */
export const findRoute = (service: Service, request: WireRequest): Route | undefined => {
  const { accountId, now, oauth, sockets } = service
  const login = { call: { operation: "token" }, group: "auth", open: true } as const
  switch (`${request.method} ${request.path}`) {
    case "POST /restapi/oauth/token":
      return { ...login, run: () => plain(oauth.token(request, now())) }
    case "POST /restapi/oauth/revoke":
      return { ...login, run: () => plain(oauth.revoke(request)) }
    case "POST /restapi/oauth/wstoken":
      return {
        call: { operation: "subscribe" },
        group: "auth",
        open: false,
        needs: "WebSocketsSubscription",
        run: () => plain(sockets.token(request.headers["host"] ?? ""))
      }
  }
  for (const [below, routeFor] of ofAccounts) {
    const [, account, rest] = below.exec(request.path) ?? []
    if (account === undefined || rest === undefined) continue
    const route = routeFor(service, request, rest)
    return route && account !== "~" && account !== accountId ? { ...route, run: () => plain(accountUnknown) } : route
  }
  const [whole, id = "", verb = ""] =
    /^\/restapi\/v1\.0\/subscription(?:\/([^/]+))?(\/renew)?$/.exec(request.path) ?? []
  return whole === undefined ? undefined : subscriptionRoute(service, request, id, verb)
}
