/** A webhook request as any server has it, and what it told. */
import type { Basis, ConsentState, Observation, Origin } from "@stopline/consent"
import type { RawRequest, Received, Reply, RowProblem } from "./adapter.ts"

export interface WebhookRequest {
  readonly method?: string | undefined
  /** With its query; the origin may be missing, as it is in `IncomingMessage`. */
  readonly url?: string | undefined
  /** Of `IncomingMessage`, or of a `Request`. */
  readonly headers:
    | Iterable<readonly [string, string]>
    | Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
  /** As it came in, not parsed. */
  readonly body: string
}

/** One thing the provider told. Keep it before you send the reply: it is not told again. */
export interface Fact {
  /** `*`: every sender of the account. */
  readonly sender: string
  /** The person's. */
  readonly number: string
  readonly state: ConsentState
  /** Who wanted it so: `recipient` for a person's own words. */
  readonly origin: Origin
  /** How the provider knows: by a `message`, by an `event`, by a `send-error`. */
  readonly basis: Basis
  /** When it happened, not earlier and not later (ISO timestamps). */
  readonly notBefore?: string
  readonly notAfter: string
  /** The same for the same fact, however often it is delivered. */
  readonly key: string | null
  /** The word that was recognised. */
  readonly keyword?: string
}

export interface Webhook {
  /** `not-authentic`: somebody else sent it. */
  readonly kind: "understood" | "handshake" | "not-authentic" | "not-understood"
  readonly facts: ReadonlyArray<Fact>
  readonly problems: ReadonlyArray<RowProblem>
  /** Why it was not believed or not understood. */
  readonly reason?: string
  /** To be sent once the facts are kept. */
  readonly reply: Reply
}

/** @param receivedAt ms since the epoch */
export const readRequest = ({ body, headers, method, url }: WebhookRequest, receivedAt: number): RawRequest => {
  const pairs: Iterable<readonly [string, string | ReadonlyArray<string> | undefined]> =
    Symbol.iterator in headers ? headers : Object.entries(headers)
  const flat: Record<string, string> = {}
  for (const [name, value] of pairs) if (value !== undefined) flat[name.toLowerCase()] = [value].flat().join(", ")
  return {
    method: method ?? "POST",
    headers: flat,
    // Not by `URL`, which throws where somebody asks for `//`: who may ask for that is anybody.
    query: Object.fromEntries(new URLSearchParams(/\?([^#]*)/.exec(url ?? "")?.[1])),
    body,
    receivedAt
  }
}

const kindOf = ({ _tag }: Received): Webhook["kind"] => {
  if (_tag === "Handshake") return "handshake"
  if (_tag === "NotAuthentic") return "not-authentic"
  return _tag === "NotUnderstood" ? "not-understood" : "understood"
}

export const toWebhook = (received: Received): Webhook => ({
  kind: kindOf(received),
  facts: received._tag === "Understood" ? received.observations.map(toFact) : [],
  problems: received._tag === "Understood" ? received.problems : [],
  ...("reason" in received && { reason: received.reason }),
  reply: received.reply
})

const toFact = ({ basis, evidence, key, origin, recipient, sender, state, time }: Observation): Fact => ({
  sender,
  number: recipient,
  state,
  origin,
  basis,
  ...(Number.isFinite(time.notBefore) && { notBefore: new Date(time.notBefore).toISOString() }),
  notAfter: new Date(time.notAfter).toISOString(),
  key,
  ...(evidence.keyword !== undefined && { keyword: evidence.keyword })
})
