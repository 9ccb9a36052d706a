/**
 * What can go wrong at a provider, named by what to do next.
 *
 * An error is of the request; what is wrong with one recipient is an outcome
 * (see adapter.ts) and never an error.
 */
import { Duration, Schema } from "effect"

/** Too many requests. Nothing was done. Send nothing before `retryAfter` has passed. */
export class Throttled extends Schema.TaggedError<Throttled>()("Throttled", {
  /** Absent when the provider named no time. */
  retryAfter: Schema.optionalKey(Schema.Duration)
}) {}

/** The provider or the way to it failed. Try again later. */
export class Unavailable extends Schema.TaggedError<Unavailable>()("Unavailable", {
  status: Schema.optionalKey(Schema.Int),
  /** A write may have been done although no answer came. */
  mayHaveApplied: Schema.Boolean,
  /** Absent when the provider named no time. */
  retryAfter: Schema.optionalKey(Schema.Duration)
}) {}

/** These credentials may not do this. Nobody but a person can mend it. */
export class Denied extends Schema.TaggedError<Denied>()("Denied", {
  status: Schema.Int,
  /** The provider's own code: `CMN-401`, `Unauthorized`. */
  code: Schema.optionalKey(Schema.String),
  /** How far our clock is from the provider's, where the answer told and it matters (ms). */
  clockSkewMs: Schema.optionalKey(Schema.Number)
}) {}

/** The request itself is wrong and will be wrong again. */
export class Refused extends Schema.TaggedError<Refused>()("Refused", {
  status: Schema.Int,
  code: Schema.optionalKey(Schema.String)
}) {}

/** The answer is not what the provider's contract promises. Never to be read as an empty one (L5). */
export class Unreadable extends Schema.TaggedError<Unreadable>()("Unreadable", {
  /** A write may have been done: the answer came, but cannot be read. */
  mayHaveApplied: Schema.Boolean
}) {}

export type ProviderFailure = Throttled | Unavailable | Denied | Refused | Unreadable

export class ProviderError extends Schema.TaggedError<ProviderError>()("ProviderError", {
  account: Schema.String,
  operation: Schema.String,
  reason: Schema.Union([Throttled, Unavailable, Denied, Refused, Unreadable]),
  /** One sentence for a person. No number, no key, no body (L14). */
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.account}: ${this.operation}: ${this.reason._tag}: ${this.detail}`
  }
}

/** Whether a write that ended in this error may nevertheless have been done. */
export const mayHaveApplied = (error: ProviderError): boolean =>
  (error.reason._tag === "Unavailable" || error.reason._tag === "Unreadable") && error.reason.mayHaveApplied

/** How long the provider asked us to wait. */
export const retryAfter = (error: ProviderError): Duration.Duration | undefined =>
  error.reason._tag === "Throttled" || error.reason._tag === "Unavailable" ? error.reason.retryAfter : undefined
