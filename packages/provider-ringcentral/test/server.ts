/**
 * A server on loopback that answers as a test tells it, and below it as little
 * of RingCentral's OAuth as an adapter needs to get in.
 */
import * as http from "node:http"
import { Effect, Redacted, type Scope } from "effect"
import { type WebSocket, WebSocketServer } from "ws"
import { RingCentralConfig } from "../src/index.ts"

export interface Seen {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** `hang`: nothing comes. `reset`: the connection is cut. `stall`: half an answer comes. */
export type Answer =
  | "hang"
  | "reset"
  | "stall"
  | { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown }

export interface Server {
  readonly url: string
  readonly seen: ReadonlyArray<Seen>
  /** Requests whose connection was closed from the other side before they were answered. */
  readonly aborted: () => number
}

/** @param hold an answer is made when its request arrives, and sent when this is done */
export const startServer = (
  answer: (seen: Seen) => Answer,
  hold: (seen: Seen) => Promise<void> | undefined = () => undefined,
  onSocket?: (socket: WebSocket) => void
): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.gen(function* () {
    const seen: Array<Seen> = []
    let aborted = 0
    const server = http.createServer((request, response) => {
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        const url = new URL(request.url ?? "/", "http://localhost")
        const body = Buffer.concat(chunks).toString()
        const entry: Seen = {
          method: request.method ?? "",
          path: url.pathname,
          query: url.searchParams,
          headers: request.headers,
          body
        }
        seen.push(entry)
        response.on("close", () => {
          if (!response.writableFinished) aborted += 1
        })
        const made = answer(entry)
        void Promise.resolve(hold(entry)).then(() => reply(response, made))
      })
    })
    const sockets = new WebSocketServer({ server })
    if (onSocket !== undefined) sockets.on("connection", onSocket)
    yield* Effect.acquireRelease(
      Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
      () =>
        Effect.promise(
          () =>
            new Promise<void>((resolve) => {
              for (const socket of sockets.clients) socket.terminate()
              server.close(() => resolve())
              server.closeAllConnections()
            })
        )
    )
    const address = server.address()
    if (address === null || typeof address === "string") return yield* Effect.die("no port")
    return { url: `http://127.0.0.1:${address.port}`, seen, aborted: () => aborted }
  })

const reply = (response: http.ServerResponse, answer: Answer): void => {
  if (answer === "hang") return
  if (answer === "reset") return void response.destroy()
  if (answer === "stall") {
    response.writeHead(200, { "content-type": "application/json", "content-length": "1000" })
    response.write('{"records":')
    return
  }
  const { body = "", headers = {}, status = 200 } = answer
  const text = typeof body === "string" ? body : JSON.stringify(body)
  response.writeHead(status, { "content-type": "application/json", ...headers })
  response.end(text)
}

export interface RingCentralServer extends Server {
  /** How many requests for a token there were. */
  readonly logins: () => number
  /** Every request that was not for a token. */
  readonly calls: () => ReadonlyArray<Seen>
  /** From now on every token given so far is refused. */
  readonly revoke: () => void
}

export interface ServerOptions {
  /** Lifetime of a token (s). */
  readonly expiresIn?: number
  /** Instead of a token; undefined gives one. */
  readonly login?: (attempt: number) => Answer | undefined
  readonly hold?: (seen: Seen) => Promise<void> | undefined
  /** A WebSocket was opened, at whatever path. */
  readonly onSocket?: (socket: WebSocket) => void
}

export const tokenPath = "/restapi/oauth/token"

export const startRingCentral = (
  answer: (seen: Seen) => Answer,
  { expiresIn = 3600, hold, login, onSocket }: ServerOptions = {}
): Effect.Effect<RingCentralServer, never, Scope.Scope> =>
  Effect.gen(function* () {
    let given = 0
    let attempts = 0
    let good = new Set<string>()
    const server = yield* startServer(
      (seen) => {
        if (seen.path === tokenPath) {
          attempts += 1
          const instead = login?.(attempts)
          if (instead !== undefined) return instead
          given += 1
          const token = `given-${given}-${given}${given}`
          good.add(`bearer ${token}`)
          return {
            body: { access_token: token, token_type: "bearer", expires_in: expiresIn, scope: "", session_id: "s" }
          }
        }
        if (!good.has(seen.headers.authorization ?? "")) {
          return { status: 401, body: { errorCode: "OAU-128", message: "Access token expired" } }
        }
        return answer(seen)
      },
      hold,
      onSocket
    )
    return {
      ...server,
      logins: () => attempts,
      calls: () => server.seen.filter(({ path }) => path !== tokenPath),
      revoke: () => {
        good = new Set()
      }
    }
  })

export const secrets = {
  clientSecret: "hushhush-client-secret",
  jwt: "eyJhush.hushhush-assertion.hush",
  verificationToken: "hushhush-verification-token"
}

export const configFor = (url: string, more: Partial<RingCentralConfig> = {}): RingCentralConfig => ({
  account: RingCentralConfig.fields.account.make("acme"),
  server: url,
  clientId: "app-1",
  clientSecret: Redacted.make(secrets.clientSecret),
  jwt: Redacted.make(secrets.jwt),
  verificationToken: Redacted.make(secrets.verificationToken),
  // What is tested of one generation is not to begin with the choice of it.
  api: "v1",
  ...more
})

export const emptyList = { records: [], paging: { perPage: 1000 } }
