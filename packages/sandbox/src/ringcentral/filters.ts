/**
 * Event filters: which events a subscription asked for (RingCentral guide:
 * High Volume SMS events).
 */
export interface Happening {
  readonly kind: "opt-outs" | "messages"
  /** One of ours. */
  readonly sender: string
}

export interface EventFilter {
  /** As the subscription shows it: with the account's id in place of `~`. */
  readonly name: string
  readonly matches: (happening: Happening) => boolean
  /** It asks to be reminded before the subscription ends. */
  readonly reminder?: Reminder
}

/** Both in ms. RingCentral calls both approximate. */
interface Reminder {
  /** How long before the end the first one comes. */
  readonly threshold: number
  /** How long after it the next one. */
  readonly interval: number
}

/** Undefined: not an event that is known here. */
export const readFilter = (text: string, accountId: string): EventFilter | undefined => {
  const [path = "", query = ""] = text.split("?")
  const parameters = new URLSearchParams(query)
  const name = text.replace("/account/~/", `/account/${accountId}/`)
  if (path === "/restapi/v1.0/subscription/~") {
    const ms = (parameter: string): number => Number(parameters.get(parameter) ?? Number.NaN) * 1000
    const reminder = { threshold: ms("threshold"), interval: ms("interval") }
    return reminder.threshold > 0 && reminder.interval > 0 ? { name, matches: () => false, reminder } : undefined
  }
  const [, account, kind] = /^\/restapi\/v1\.0\/account\/(~|\d+)\/a2p-sms\/(opt-outs|messages)$/.exec(path) ?? []
  if (account !== "~" && account !== accountId) return undefined
  if (kind === "opt-outs") {
    const from = parameters.get("from")?.trim().replace(/^\+?/, "+")
    return { name, matches: (it) => it.kind === "opt-outs" && (from === undefined || from === it.sender) }
  }
  if (kind === "messages" && parameters.get("direction") === "Inbound") {
    const to = parameters.get("to")?.trim().replace(/^\+?/, "+")
    return { name, matches: (it) => it.kind === "messages" && (to === undefined || to === it.sender) }
  }
  return undefined
}
