/** Why there is no answer. None of these is ever a yes. */
export type ErrorKind =
  /** The key is missing, wrong, revoked or expired. */
  | "unauthorised"
  /** The key's scope does not reach so far. */
  | "forbidden"
  | "not-found"
  /** The plan is another one than was approved. */
  | "conflict"
  | "too-large"
  /** The request is not as it should be; the message says where. */
  | "invalid"
  /** Wait for `retryAfterMs`. */
  | "too-many"
  /** Stopline or its database does not answer; try again. */
  | "unavailable"
  | "timeout"
  | "aborted"
  /** No connection. */
  | "unreachable"
  /** The answer is none that Stopline gives. */
  | "unreadable"

const kinds: Readonly<Record<number, ErrorKind>> = {
  401: "unauthorised",
  403: "forbidden",
  404: "not-found",
  409: "conflict",
  413: "too-large",
  422: "invalid",
  429: "too-many",
  503: "unavailable"
}

export const kindOf = (status: number): ErrorKind => kinds[status] ?? (status >= 500 ? "unavailable" : "unreadable")

/** No key and nobody's number is in its message. */
export class StoplineError extends Error {
  override readonly name = "StoplineError"
  readonly kind: ErrorKind
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined

  constructor(
    kind: ErrorKind,
    message: string,
    more: { readonly status?: number; readonly retryAfterMs?: number | undefined } = {}
  ) {
    super(message)
    this.kind = kind
    this.status = more.status
    this.retryAfterMs = more.retryAfterMs
  }
}
