/** One request, and what its answer means. Nothing is tried again: whoever asks knows how long the answer is of use. */
import { kindOf, StoplineError } from "./error.ts"

export interface Asking {
  readonly url: string
  readonly key: string
  /** How long one request may take (ms). */
  readonly timeoutMs: number
  readonly fetch: typeof globalThis.fetch
}

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface Call {
  readonly method: "GET" | "POST"
  readonly path: string
  readonly body?: string
  readonly contentType?: string
}

/** The JSON of a 200; whatever else comes is a StoplineError. */
export const send = async (asking: Asking, call: Call, { signal }: CallOptions = {}): Promise<unknown> => {
  const timeout = AbortSignal.timeout(asking.timeoutMs)
  try {
    const response = await asking.fetch(asking.url + call.path, {
      method: call.method,
      headers: {
        accept: "application/json",
        authorization: `Bearer ${asking.key}`,
        ...(call.body !== undefined && { "content-type": call.contentType ?? "application/json" })
      },
      // The key must not follow to another address.
      redirect: "error",
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(call.body !== undefined && { body: call.body })
    })
    const text = await response.text()
    if (response.status !== 200) throw problem(response, text)
    return parse(text)
  } catch (cause) {
    if (cause instanceof StoplineError) throw cause
    if (signal?.aborted === true) throw new StoplineError("aborted", "the request was aborted")
    if (timeout.aborted) throw new StoplineError("timeout", `Stopline did not answer within ${asking.timeoutMs} ms`)
    // What fetch says of it may hold the URL and more.
    throw new StoplineError("unreachable", "Stopline cannot be reached at its url")
  }
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new StoplineError("unreadable", "the answer is no JSON; is this the url of a Stopline worker?")
  }
}

const problem = (response: Response, text: string): StoplineError => {
  const { status } = response
  const seconds = Number(response.headers.get("retry-after") ?? "none")
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : undefined
  return new StoplineError(kindOf(status), detailOf(text) ?? `Stopline answered ${status}`, { status, retryAfterMs })
}

/** The sentence of a problem (RFC 9457). */
const detailOf = (text: string): string | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    const detail = typeof value === "object" && value !== null && "detail" in value ? value.detail : undefined
    return typeof detail === "string" ? detail : undefined
  } catch {
    return undefined
  }
}
