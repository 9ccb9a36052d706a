/** Errors of the plain face: ordinary classes, with everything that is known in ordinary fields. */
import { Duration } from "effect"
import { mayHaveApplied, type ProviderError, retryAfter } from "./error.ts"

/**
 * A call failed, named by what to do next.
 *
 * - `Throttled`: too many requests; nothing was done. Send nothing for `retryAfter` milliseconds, if it is there.
 * - `Unavailable`: no answer, or one that says "not now". Try again later.
 * - `Denied`: the credentials may not do this. A person has to mend it.
 * - `Refused`: the request is wrong, and will be wrong again.
 * - `Unreadable`: an answer came that cannot be believed. Nothing may be concluded from it.
 * - `Unsupported`: this provider, or this configuration, cannot do it; the message says why.
 */
export class ProviderCallError extends Error {
  override readonly name = "ProviderCallError"
  readonly account: string
  readonly operation: string
  readonly reason: ProviderError["reason"]["_tag"] | "Unsupported"
  /** Whether a write may have been done although no good answer came. */
  readonly mayHaveApplied: boolean
  /** Milliseconds; absent where the provider named no time. */
  readonly retryAfter: number | undefined
  /** The HTTP status, where there was one. */
  readonly status: number | undefined
  /** The provider's own code, where there was one. */
  readonly code: string | undefined

  constructor(fields: Omit<ProviderCallError, keyof Error> & { readonly message: string }) {
    super(fields.message)
    this.account = fields.account
    this.operation = fields.operation
    this.reason = fields.reason
    this.mayHaveApplied = fields.mayHaveApplied
    this.retryAfter = fields.retryAfter
    this.status = fields.status
    this.code = fields.code
  }
}

/** The provider cannot be set up like this. The message names the place of the mistake, and no secret. */
export class ProviderConfigError extends Error {
  override readonly name = "ProviderConfigError"
}

export const plainError = (error: ProviderError): ProviderCallError => {
  const { account, message, operation, reason } = error
  const wait = retryAfter(error)
  return new ProviderCallError({
    account,
    message,
    operation,
    reason: reason._tag,
    mayHaveApplied: mayHaveApplied(error),
    retryAfter: wait === undefined ? undefined : Duration.toMillis(wait),
    status: "status" in reason ? reason.status : undefined,
    code: "code" in reason ? reason.code : undefined
  })
}

export const unsupported = (account: string, operation: string, why: string): ProviderCallError =>
  new ProviderCallError({
    account,
    message: `${account}: ${operation}: ${why}`,
    operation,
    reason: "Unsupported",
    mayHaveApplied: false,
    retryAfter: undefined,
    status: undefined,
    code: undefined
  })
