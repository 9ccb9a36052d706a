/**
 * What an answer or a broken connection means, in terms of what to do next.
 *
 * Nothing an answer says in its own sentences gets through, since a sentence can
 * quote a number: only a status, a code and the request id do, each by its form.
 */
import {
  Denied,
  type ProviderError,
  type ProviderFailure,
  readRetryAfter,
  Refused,
  Throttled,
  Unavailable,
  Unreadable
} from "@stopline/provider"
import { Duration, Option, Schema } from "effect"
import { type Answer, NoAnswer } from "./exchange.ts"
import { ErrorBody } from "./wire.ts"

/** Why something failed, before it is known for which operation. */
export interface Fault {
  readonly reason: ProviderFailure
  readonly detail: string
}

/**
 * An answer other than 2xx.
 *
 * @param writes whether the request could have changed something
 * @param now our own clock (ms)
 */
export const fromAnswer = ({ headers, status, text }: Answer, writes: boolean, now: number): Fault => {
  const code = Option.getOrUndefined(Option.flatMap(decodeError(text), codeOf))
  const named = code === undefined ? {} : { code }
  const id = headers.get("rcrequestid") ?? ""
  const detail = [
    `RingCentral answered ${status}`,
    ...(code === undefined ? [] : [code]),
    // RingCentral's support asks for it.
    ...(requestId.test(id) ? [`(request ${id})`] : [])
  ].join(" ")
  if (status === 401 || status === 403) return { reason: new Denied({ status, ...named }), detail }
  if (status === 429) {
    const wait = retryAfter(headers, now)
    return { reason: new Throttled(wait === undefined ? {} : { retryAfter: wait }), detail }
  }
  if (status === 408 || status >= 500) {
    const wait = retryAfter(headers, now)
    const named = wait === undefined ? {} : { retryAfter: wait }
    return { reason: new Unavailable({ status, mayHaveApplied: writes, ...named }), detail }
  }
  return { reason: new Refused({ status, ...named }), detail }
}

/** The exchange threw. Anything but a missing answer means that the SDK could not make sense of one. */
export const fromCause = (cause: unknown, writes: boolean): Fault =>
  cause instanceof NoAnswer
    ? { reason: new Unavailable({ mayHaveApplied: writes && !cause.neverSent }), detail: cause.message }
    : unreadable(writes, "the SDK could not read the answer")

export const unreadable = (writes: boolean, detail: string): Fault => ({
  reason: new Unreadable({ mayHaveApplied: writes }),
  detail
})

const decodeError = Schema.decodeUnknownOption(ErrorBody)

/** What was asked for is not there, or not for these credentials: asking again changes nothing. */
export const isClosed = ({ reason }: ProviderError): boolean =>
  (reason._tag === "Refused" && reason.status === 404) || (reason._tag === "Denied" && reason.status === 403)

/** `CMN-101` and `SMS-RC-413` from the API, `invalid_grant` from OAuth; anything else is no code, and could be a number. */
const codeOf = (body: ErrorBody): Option.Option<string> =>
  Option.firstSomeOf([body.errorCode, body.errors?.[0]?.errorCode, body.error].map((code) => readCode(code)))

export const readCode = Schema.decodeUnknownOption(
  Schema.String.check(Schema.isPattern(/^([A-Z]{2,4}(-[A-Z]{2,4})?-\d{1,4}|[a-z_]{3,40})$/))
)

/** What the form of it is, nobody has published. Anything but a UUID could be something else. */
const requestId = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

/** RingCentral guide: seconds "in most cases". HTTP allows a date, and a 429 may come without the header. */
export const retryAfter = (headers: Headers, now: number): Duration.Duration | undefined =>
  readRetryAfter(headers.get("retry-after") ?? "", headers.get("date") ?? undefined, now)
