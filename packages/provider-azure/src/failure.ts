/**
 * What an answer or a broken connection means, in terms of what to do next.
 *
 * Nothing an answer says in its own sentences gets through, since a sentence can
 * quote a number: only a code, a field name and a status do, letters alone.
 */
import { isRestError, type PipelineResponse } from "@azure/core-rest-pipeline"
import {
  BatchRefused,
  Denied,
  type Operation,
  type ProviderFailure,
  ProviderError,
  readRetryAfter,
  Refused,
  Throttled,
  Unavailable,
  Unreadable
} from "@stopline/provider"
import { Duration, Option, Schema } from "effect"
import { ErrorBody } from "./wire.ts"

/** Whose request it was. A read applies nothing, whatever becomes of it. */
export interface Subject {
  readonly account: string
  readonly operation: Operation
  readonly writes: boolean
}

const failure = (subject: Subject, reason: ProviderFailure, detail: string): ProviderError =>
  new ProviderError({ account: subject.account, operation: subject.operation, reason, detail })

export const unreadable = (subject: Subject): ProviderError =>
  failure(
    subject,
    new Unreadable({ mayHaveApplied: subject.writes }),
    "Azure answered with success, but its answer is no list of recipients"
  )

/** An answer other than 2xx. @param now our own clock (ms) */
export const fromResponse = (
  subject: Subject,
  response: PipelineResponse,
  now: number
): ProviderError | BatchRefused => {
  const { headers, status } = response
  const body = Schema.decodeUnknownOption(ErrorBody)(response.bodyAsText ?? "")
  const code = Option.getOrUndefined(Option.flatMap(body, readCode))
  const named = code === undefined ? {} : { code }
  const said = `Azure answered ${status}${code === undefined ? "" : ` (${code})`}`
  if (status === 401 || status === 403) {
    const skew = clockSkew(headers.get("date"), now)
    const reason = new Denied({ status, ...named, ...(skew !== undefined && { clockSkewMs: skew }) })
    return failure(subject, reason, `${said}: ${deniedBecause(skew)}`)
  }
  if (status === 429) {
    const wait = retryAfter(headers, now)
    return failure(subject, new Throttled(wait === undefined ? {} : { retryAfter: wait }), said)
  }
  if (status === 408 || status >= 500) {
    const wait = retryAfter(headers, now)
    const named = wait === undefined ? {} : { retryAfter: wait }
    return failure(subject, new Unavailable({ status, mayHaveApplied: subject.writes, ...named }), said)
  }
  const fields = Option.match(body, { onNone: () => [], onSome: readFields })
  const where = fields.length === 0 ? "" : `: it does not accept ${fields.slice(0, 3).join(", ")}`
  const refused = failure(subject, new Refused({ status, ...named }), said + where)
  // Azure's published example of a field error names `From`. Nobody has published one that names a recipient.
  const overRecipient = code === "InvalidInput" || fields.some((field) => /recipients|^to$/i.test(field))
  const overRequest = code?.includes("ApiVersion") === true || fields.some((field) => /^from$/i.test(field))
  // Any other word for it could be over one recipient as well.
  return (status === 400 || status === 422) && (overRecipient || !overRequest)
    ? new BatchRefused({ error: refused, overRecipient })
    : refused
}

/** No answer. @param departed whether the request was handed to the network */
export const fromCause = (subject: Subject, cause: unknown, departed: boolean): ProviderError => {
  if (!departed) return fromCredential(subject, cause)
  const code = isRestError(cause) ? cause.code : undefined
  const unreached = code !== undefined && neverConnected.has(code)
  return failure(
    subject,
    new Unavailable({ mayHaveApplied: subject.writes && !unreached }),
    unreached
      ? `the connection was never made (${code})`
      : isRestError(cause)
        ? "the connection broke before the answer had come"
        : "no answer came in time"
  )
}

/** Before these, nothing was sent. Any other break may have come after the request had arrived. */
const neverConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH"
])

/** Entra ID gave no token. With an access key nothing can fail before the request leaves. */
const fromCredential = (subject: Subject, cause: unknown): ProviderError => {
  const told = Schema.decodeUnknownOption(CredentialFailure)(cause)
  return Option.match(told, {
    onNone: () =>
      failure(subject, new Unavailable({ mayHaveApplied: false }), "no Entra ID token could be had in time"),
    onSome: ({ name, statusCode }) =>
      failure(
        subject,
        new Denied({ status: statusCode ?? 401, code: name }),
        "Entra ID gave no token for this credential"
      )
  })
}

/** The errors by which `@azure/identity` says that trying again is of no use. */
const CredentialFailure = Schema.Struct({
  name: Schema.Literals([
    "AuthenticationError",
    "AggregateAuthenticationError",
    "AuthenticationRequiredError",
    "CredentialUnavailableError"
  ]),
  statusCode: Schema.optional(Schema.Literals([400, 401, 403]))
})

/** A code is letters; anything else is no code, and could be a number or a key. */
const readCode = (body: ErrorBody): Option.Option<string> =>
  "error" in body && /^[A-Za-z]{1,60}$/.test(body.error.code) ? Option.some(body.error.code) : Option.none()

/** Names such as `From`, `Recipients[].To` or `$.recipients[].to`; what does not look like a name is left out. */
const readFields = (body: ErrorBody): ReadonlyArray<string> =>
  "errors" in body
    ? Object.keys(body.errors ?? {})
        .map((field) => field.replace(/\[\d{1,3}\]/g, "[]"))
        .filter((field) => /^(\$\.)?[A-Za-z]{1,20}(\[\])?(\.[A-Za-z]{1,20})?$/.test(field))
    : []

/** Ours minus theirs (ms), when it is so large that a signature can fail over it. How much Azure tolerates is not published. */
const clockSkew = (date: string | undefined, now: number): number | undefined => {
  const theirs = Date.parse(date ?? "")
  const skew = now - theirs
  return Math.abs(skew) > Duration.toMillis(Duration.minutes(4)) ? skew : undefined
}

const deniedBecause = (skew: number | undefined): string =>
  skew === undefined
    ? "the key or token is not accepted, or the sender is no number of this resource"
    : `the clock of this machine is ${Math.round(Math.abs(skew) / 60_000)} minutes ${skew > 0 ? "ahead of" : "behind"} Azure's`

/** Azure documents none of these headers for SMS; they are honoured if it sends one. */
const retryAfter = (headers: PipelineResponse["headers"], now: number): Duration.Duration | undefined => {
  const millis = headers.get("retry-after-ms") ?? headers.get("x-ms-retry-after-ms")
  if (millis !== undefined && /^[1-9]\d{0,8}$/.test(millis)) return Duration.millis(Number(millis))
  return readRetryAfter(headers.get("retry-after") ?? "", headers.get("date"), now)
}
