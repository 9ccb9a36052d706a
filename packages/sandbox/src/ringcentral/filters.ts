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
}

/** Undefined: not an event that is known here. Reminders to renew are accepted and never sent. */
export const readFilter = (text: string, accountId: string): EventFilter | undefined => {
  const [path = "", query = ""] = text.split("?")
  const parameters = new URLSearchParams(query)
  const name = text.replace("/account/~/", `/account/${accountId}/`)
  if (path === "/restapi/v1.0/subscription/~") return { name, matches: () => false }
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
