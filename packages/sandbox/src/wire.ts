/**
 * HTTP without sockets: what comes in, what goes out, and what may happen
 * instead of an answer. The core speaks only this, so that the same world runs
 * behind a port, or without one in virtual time.
 */
export interface WireRequest {
  readonly method: string
  /** As sent, without the query: `/sms/optouts:add`. */
  readonly path: string
  /** As sent, without the question mark: signatures are made over these very characters. */
  readonly query: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface WireResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A request that a vendor makes: a webhook. */
export interface OutgoingRequest {
  readonly method: "POST" | "OPTIONS"
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** How long the vendor waits for an answer (ms). */
  readonly timeout: number
}

/** What a WebSocket can do. */
export interface Line {
  readonly send: (text: string) => void
  readonly close: () => void
}

/** Who hears what comes by it. */
export interface Listener {
  readonly message: (text: string) => void
  readonly closed: () => void
}

export type OutgoingAnswer =
  | ({ readonly _tag: "Answered" } & WireResponse)
  | { readonly _tag: "Unreachable"; readonly reason: string }

/** What a vendor does with a request. */
export type Outcome =
  | { readonly _tag: "Answer"; readonly response: WireResponse }
  /** The answer is held back for so long (ms). */
  | { readonly _tag: "Later"; readonly after: number; readonly outcome: Outcome }
  /** The connection is cut without an answer. */
  | { readonly _tag: "Drop" }
  /** No answer ever comes. */
  | { readonly _tag: "Hang" }
  /** The vendor asks somebody first: a webhook has to prove itself before it is subscribed. */
  | { readonly _tag: "Ask"; readonly request: OutgoingRequest; readonly answered: (answer: OutgoingAnswer) => Outcome }

export const answer = (response: WireResponse): Outcome => ({ _tag: "Answer", response })

export const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): WireResponse => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8", ...headers },
  body: JSON.stringify(body)
})

export const html = (status: number, body: string, headers: Readonly<Record<string, string>> = {}): WireResponse => ({
  status,
  headers: { "content-type": "text/html; charset=utf-8", ...headers },
  body
})

/** The response of an outcome changed, wherever in it the response is. */
export const mapResponse = (outcome: Outcome, change: (response: WireResponse) => WireResponse): Outcome => {
  switch (outcome._tag) {
    case "Answer":
      return { _tag: "Answer", response: change(outcome.response) }
    case "Later":
      return { ...outcome, outcome: mapResponse(outcome.outcome, change) }
    case "Ask":
      return { ...outcome, answered: (answer) => mapResponse(outcome.answered(answer), change) }
    default:
      return outcome
  }
}
