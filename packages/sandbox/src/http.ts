/**
 * Sockets: a server for each origin, and the client that brings webhooks. All of
 * it on 127.0.0.1, and all of it gone when the scope closes.
 */
import { Effect, FiberSet, type Scope } from "effect"
import { type IncomingMessage, type Server, type ServerResponse, createServer, request as requestHttp } from "node:http"
import { request as requestHttps } from "node:https"
import type { Post } from "./courier.ts"
import { SandboxError } from "./error.ts"
import { Dropped } from "./perform.ts"
import { WebSocketServer } from "ws"
import type { Line, Listener, OutgoingAnswer, OutgoingRequest, WireRequest, WireResponse } from "./wire.ts"

const host = "127.0.0.1"

const flatten = (headers: IncomingMessage["headers"]): Record<string, string> => {
  const flat: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value
  }
  return flat
}

const readBody = (message: IncomingMessage): Effect.Effect<string, Dropped> =>
  Effect.callback<string, Dropped>((resume) => {
    const chunks: Array<Buffer> = []
    message.on("data", (chunk: Buffer) => chunks.push(chunk))
    message.on("end", () => resume(Effect.succeed(Buffer.concat(chunks).toString())))
    message.on("error", () => resume(Effect.fail(new Dropped())))
    return Effect.sync(() => message.destroy())
  })

const readRequest = Effect.fnUntraced(function* (message: IncomingMessage) {
  const target = message.url ?? "/"
  const mark = target.indexOf("?")
  const request: WireRequest = {
    method: message.method ?? "GET",
    path: mark < 0 ? target : target.slice(0, mark),
    query: mark < 0 ? "" : target.slice(mark + 1),
    headers: flatten(message.headers),
    body: yield* readBody(message)
  }
  return request
})

const write = (response: ServerResponse, answer: WireResponse): void => {
  response.writeHead(answer.status, { ...answer.headers, "content-length": String(Buffer.byteLength(answer.body)) })
  response.end(answer.body)
}

const listen = (server: Server, port: number): Effect.Effect<number, SandboxError> =>
  Effect.callback<number, SandboxError>((resume) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const problem =
        error.code === "EADDRINUSE"
          ? `Port ${port} on ${host} is in use.`
          : `Port ${port} cannot be opened: ${error.message}.`
      resume(Effect.fail(new SandboxError({ problem, cure: "Choose another with --port, or 0 for any free one." })))
    })
    server.listen(port, host, () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

type Connect = (query: string, line: Line) => Listener | undefined

/** Takes WebSockets at /ws, until the scope closes. */
const takeSockets = (server: Server, connect: Connect): Effect.Effect<void, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new WebSocketServer({ noServer: true })),
      (sockets) => Effect.sync(() => sockets.clients.forEach((socket) => socket.terminate()))
    ),
    (sockets) => {
      server.on("upgrade", (message, stream, head) => {
        const [path, query = ""] = (message.url ?? "").split("?")
        if (path !== "/ws") return stream.destroy()
        sockets.handleUpgrade(message, stream, head, (socket) => {
          const line = { send: (text: string) => socket.send(text), close: () => socket.close() }
          const listener = connect(query, line)
          if (listener === undefined) return socket.close()
          socket.on("message", (data: Buffer) => listener.message(data.toString()))
          socket.on("close", listener.closed)
        })
      })
    }
  )

/** Answers requests at an origin of its own until the scope closes. Returns the origin, without a slash. */
export const serve = Effect.fnUntraced(function* (
  port: number,
  respond: (request: WireRequest) => Effect.Effect<WireResponse, Dropped>,
  connect?: Connect
): Effect.fn.Return<string, SandboxError, Scope.Scope> {
  const run = yield* FiberSet.makeRuntime()
  const exchange = (message: IncomingMessage, response: ServerResponse): Effect.Effect<void> =>
    readRequest(message).pipe(
      Effect.flatMap(respond),
      Effect.map((answer) => write(response, answer)),
      Effect.catch(() => Effect.sync(() => message.socket.destroy()))
    )
  const server = createServer((message, response) => {
    const fiber = run(exchange(message, response))
    // Nobody waits any more: what hangs need not hang on.
    response.once("close", () => fiber.interruptUnsafe())
  })
  if (connect !== undefined) yield* takeSockets(server, connect)
  const actual = yield* Effect.acquireRelease(listen(server, port), () => close(server))
  return `http://${host}:${actual}`
})

type Unreachable = Extract<OutgoingAnswer, { readonly _tag: "Unreachable" }>

const unreachable = (reason: string): Unreachable => ({ _tag: "Unreachable", reason })

/** Sends a request and waits for the head of its answer. */
const send = ({ body, headers, method, url }: OutgoingRequest): Effect.Effect<IncomingMessage, Unreachable> =>
  Effect.callback<IncomingMessage, Unreachable>((resume) => {
    const request = (url.startsWith("https:") ? requestHttps : requestHttp)(url, {
      method,
      agent: false,
      headers: { ...headers, "content-length": String(Buffer.byteLength(body)) }
    })
    request.on("error", (error: NodeJS.ErrnoException) => resume(Effect.fail(unreachable(error.code ?? error.message))))
    request.on("response", (response) => resume(Effect.succeed(response)))
    request.end(body)
    return Effect.sync(() => request.destroy())
  })

/** One request to a webhook, no redirect followed, no connection kept. */
export const post: Post = (outgoing) =>
  send(outgoing).pipe(
    Effect.flatMap((response) =>
      Effect.map(readBody(response), (body): OutgoingAnswer => ({
        _tag: "Answered",
        status: response.statusCode ?? 0,
        headers: flatten(response.headers),
        body
      }))
    ),
    Effect.timeout(outgoing.timeout),
    Effect.catchTags({
      Unreachable: (answer) => Effect.succeed(answer),
      Dropped: () => Effect.succeed(unreachable("The answer broke off")),
      TimeoutError: () => Effect.succeed(unreachable("Read timed out"))
    })
  )
