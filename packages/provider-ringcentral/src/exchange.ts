/**
 * One HTTP exchange, bounded.
 *
 * The SDK never sees the network: the `fetch` it is given returns only when the
 * whole body is in memory, so a timeout or an interruption ends everything at
 * once, and nothing the SDK does to a body can hang.
 */
import { neverConnected } from "@stopline/provider"
import { Duration } from "effect"

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

/** No answer came. It holds no URL and no request: they hold numbers and a token. */
export class NoAnswer extends Error {
  /** The connection was never made, so nothing was sent. */
  readonly neverSent: boolean
  constructor(message: string, neverSent: boolean) {
    super(message)
    this.name = "NoAnswer"
    this.neverSent = neverSent
  }
}

/**
 * @param network what the request leaves by
 * @param timeout for the whole exchange, in real time: a socket knows no other clock
 * @param signals whatever else ends it, beside the request's own signal
 */
export const boundedFetch =
  (network: typeof fetch, timeout: Duration.Duration, ...signals: ReadonlyArray<AbortSignal>): typeof fetch =>
  async (input, init) => {
    const request = input instanceof Request ? input : new Request(input, init)
    const late = AbortSignal.timeout(Duration.toMillis(timeout))
    try {
      const response = await follow(network, request, AbortSignal.any([request.signal, late, ...signals]))
      const body = await response.arrayBuffer()
      const { headers, status, statusText } = response
      return new Response(body.byteLength === 0 ? null : body, { headers, status, statusText })
    } catch (cause) {
      // An error of our own, whose message can be set: the SDK sets it, and cannot on the one an abort throws.
      throw late.aborted ? new NoAnswer("no answer came in time", false) : noAnswer(cause)
    }
  }

const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
const mostRedirects = 5

/**
 * RingCentral asks for redirects to be followed (guide: errors). On its own, fetch
 * makes a GET of a write or a search that is moved, whose answer then tells of
 * something that nobody asked; so the request is made again as it was, and at the
 * same server only.
 */
const follow = async (network: typeof fetch, first: Request, signal: AbortSignal): Promise<Response> => {
  let request = first
  for (let hop = 0; hop <= mostRedirects; hop += 1) {
    const again = request.clone()
    const response = await network(request, { signal, redirect: "manual" })
    const location = redirects.has(response.status) ? response.headers.get("location") : null
    if (location === null) return response
    const url = URL.parse(location, request.url)
    if (url === null || url.origin !== new URL(request.url).origin) break
    const { headers, method } = again
    request = new Request(url, { method, headers, ...(again.body !== null && { body: await again.arrayBuffer() }) })
  }
  throw new NoAnswer("RingCentral sends the request on, and nowhere that it may go", false)
}

const noAnswer = (cause: unknown): NoAnswer => {
  if (cause instanceof NoAnswer) return cause
  const code = networkCode(cause)
  return code !== undefined && neverConnected.has(code)
    ? new NoAnswer(`the connection was never made (${code})`, true)
    : new NoAnswer("the connection broke before the answer had come", false)
}

const networkCode = (error: unknown): string | undefined => {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined
}

/** The answer, whatever its status. The SDK throws for a status other than 2xx and hangs the response on the error. */
export const answerOf = async (sent: Promise<Response>): Promise<Answer> => {
  const response = await sent.catch((error: unknown) => {
    if (error instanceof Error && "response" in error && error.response instanceof Response) return error.response
    throw error
  })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
