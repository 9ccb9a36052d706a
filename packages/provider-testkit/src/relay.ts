/**
 * A relay in front of a fake's server. It passes everything on unchanged, knows
 * which requests are neither answered nor given up, and can do what a server
 * finds hard: shut the door, or answer in another's place.
 */
import { createServer, type IncomingMessage, request as send, type ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { Effect, type Scope } from "effect"
import { listen, shut } from "./server.ts"

export interface Relay {
  /** What the adapter is told to speak to. Without a slash at the end. */
  readonly url: string
  /** Method and path of each request, without its query: there may be numbers in it. */
  readonly log: Effect.Effect<ReadonlyArray<string>>
  /** WebSockets that are open count, too. */
  readonly inFlight: Effect.Effect<number>
  /** Breaks every WebSocket. */
  readonly hangUp: Effect.Effect<void>
  /** From now on no connection can be made. */
  readonly close: Effect.Effect<void>
  /** Answers the next request itself, in the fake's place. */
  readonly answerNext: (status: number) => Effect.Effect<void>
}

export const openRelay = Effect.fn("openRelay")(function* (
  target: string
): Effect.fn.Return<Relay, never, Scope.Scope> {
  const log: Array<string> = []
  let inFlight = 0
  let next: number | undefined
  const server = createServer((message, response) => {
    inFlight += 1
    log.push(`${message.method} ${message.url?.split("?", 1)[0]}`)
    response.once("close", () => (inFlight -= 1))
    const status = next
    next = undefined
    if (status === undefined) pass(target, message, response)
    else
      message.resume().once("end", () => response.writeHead(status, { "content-type": "application/json" }).end("{}"))
  })
  const sockets = new Set<Duplex>()
  server.on("upgrade", (message, socket: Duplex, head: Buffer) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
    passSocket(target, message, socket, head)
  })
  const hangUp = Effect.sync(() => sockets.forEach((socket) => socket.destroy()))
  yield* Effect.addFinalizer(() => hangUp)
  const url = yield* listen(server)
  return {
    url,
    log: Effect.sync(() => [...log]),
    inFlight: Effect.sync(() => inFlight + sockets.size),
    hangUp,
    close: shut(server),
    answerNext: (status) => Effect.sync(() => void (next = status))
  }
})

/** The host stays the relay's: a signature may be made over it. */
const pass = (target: string, message: IncomingMessage, response: ServerResponse): void => {
  const { headers, method, url } = message
  const onward = send(`${target}${url ?? ""}`, { method: method ?? "GET", headers, agent: false })
  onward.once("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
    answer.once("error", () => message.socket.destroy())
  })
  onward.once("error", () => message.socket.destroy())
  response.once("close", () => onward.destroy())
  message.pipe(onward)
}

const passSocket = (target: string, { headers, url }: IncomingMessage, socket: Duplex, head: Buffer): void => {
  const onward = send(`${target}${url ?? ""}`, { headers, agent: false })
  const part = () => {
    onward.destroy()
    socket.destroy()
  }
  socket.once("close", part).once("error", part)
  onward.once("error", part).once("response", part)
  onward.once("upgrade", (answer, other: Duplex, first: Buffer) => {
    const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`)
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`)
    other.unshift(first)
    other.write(head)
    other.once("close", part).once("error", part)
    socket.once("close", () => other.destroy())
    other.pipe(socket)
    socket.pipe(other)
  })
  onward.end()
}
