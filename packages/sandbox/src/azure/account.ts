/**
 * One Azure Communication Services resource, put together of its parts. Its
 * event subscriptions are made over the control port, as the real ones are made
 * at Azure Resource Manager and not at the resource.
 */
import { Effect } from "effect"
import type { Account, AccountState, Surroundings } from "../account.ts"
import { SandboxError } from "../error.ts"
import { Faults } from "../fault.ts"
import { RequestLog } from "../log.ts"
import type { AzureOptions } from "../options.ts"
import { strike } from "../strike.ts"
import { type Outcome, type WireRequest, answer, mapResponse } from "../wire.ts"
import { excuses, notFound } from "./answers.ts"
import { defaultRetryDelays } from "./events.ts"
import { Holdings } from "./holdings.ts"
import { type OptOuts, answerOptOuts, ask, azureOperations, versionHeader } from "./optouts.ts"
import { dateTolerance } from "./signature.ts"
import { Traffic } from "./traffic.ts"

export interface AzureAccount extends Account {
  readonly vendor: "azure"
  readonly accessKey: string
  readonly traffic: Pick<Traffic, "offer" | "confirm" | "unsubscribe">
}

const noAccountWide = new SandboxError({
  problem: "Azure has no account-wide opt-out.",
  cure: "Name one of the account's senders."
})

const makeHandler = (optOuts: OptOuts, log: RequestLog) => {
  return (request: WireRequest): Outcome => {
    const operation = azureOperations.find((name) => request.path === `/sms/optouts:${name}`)
    if (operation === undefined || request.method !== "POST") return answer(notFound)
    const asked = ask(operation, request)
    const { call } = asked
    const at = optOuts.surroundings.now()
    const { fault, outcome } = strike(optOuts.faults, call, excuses, at, () => answer(answerOptOuts(optOuts, asked)))
    const seen = { at, method: request.method, call, count: call.recipients?.length ?? 0, fault }
    return mapResponse(log.outcome(seen, outcome), (response) => ({
      ...response,
      headers: { ...versionHeader, date: new Date(at).toUTCString(), ...response.headers }
    }))
  }
}

const stateOf = (
  { name, senders }: AzureOptions,
  holdings: Holdings,
  traffic: Traffic,
  only?: string
): AccountState => ({
  account: name,
  vendor: "azure",
  senders: senders
    .filter((sender) => only === undefined || sender === only)
    .map((sender) => ({
      sender,
      optedOut: holdings.listed(sender),
      optedIn: [],
      carrierHeld: holdings.carrierHeld(sender)
    })),
  subscriptions: traffic.subscriptions()
})

export const makeAzureAccount = (options: AzureOptions, surroundings: Surroundings): AzureAccount => {
  const { actsAt = "every", name, retryDelays = defaultRetryDelays, senders } = options
  const { dateTolerance: tolerance = dateTolerance } = options
  const { now, secrets } = surroundings
  const accessKey = options.accessKey ?? secrets.base64(64)
  const topic = `/subscriptions/${secrets.uuid()}/resourcegroups/sandbox/providers/microsoft.communication/communicationservices/${name}`
  const faults = new Faults("azure")
  const log = new RequestLog()
  const holdings = new Holdings()
  const traffic = new Traffic({ topic, actsAt, holdings, faults, retryDelays, surroundings })
  return {
    name,
    vendor: "azure",
    senders,
    accessKey,
    faults,
    log,
    traffic,
    handle: makeHandler({ senders, accessKey, dateTolerance: tolerance, faults, holdings, surroundings }, log),
    receive: (sender, person, text) => traffic.receive(sender, person, text),
    edit: (sender, action, recipients) => {
      if (sender === "*") return Effect.fail(noAccountWide)
      const change = (person: string): boolean =>
        action === "opt-out"
          ? holdings.optOut(sender, person, "Account", now())
          : holdings.release(sender, person, now())
      return Effect.sync(() => recipients.filter(change).length)
    },
    send: (sender, person) => traffic.send(sender, person),
    state: (only) => stateOf(options, holdings, traffic, only),
    isOptedOut: (sender, person) => holdings.isOptedOut(sender, person)
  }
}
