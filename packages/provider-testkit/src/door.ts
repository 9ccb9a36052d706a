/**
 * A webhook on this machine: what comes in is given to the adapter, and
 * answered as the adapter says.
 */
import { createServer, type IncomingMessage } from "node:http"
import type { EventPort, RawRequest, Received } from "@stopline/provider"
import { Clock, Effect, Queue, type Scope } from "effect"
import { listen, textOf } from "./server.ts"

export interface Delivery {
  readonly request: RawRequest
  readonly received: Received
}

export interface Door {
  readonly url: string
  /** In the order they came, handshakes included. */
  readonly deliveries: Queue.Dequeue<Delivery>
}

export const openDoor = Effect.fn("openDoor")(function* (port: EventPort): Effect.fn.Return<Door, never, Scope.Scope> {
  const deliveries = yield* Queue.unbounded<Delivery>()
  const answer = Effect.fnUntraced(function* (message: IncomingMessage) {
    const request = yield* readRequest(message)
    const received = yield* port.receive(request)
    yield* Queue.offer(deliveries, { request, received })
    return received.reply
  })
  const server = createServer((message, response) => {
    Effect.runCallback(answer(message), {
      onExit: (exit) =>
        exit._tag === "Success"
          ? response.writeHead(exit.value.status, exit.value.headers).end(exit.value.body)
          : response.writeHead(500).end()
    })
  })
  const url = yield* listen(server)
  return { url: `${url}/webhook`, deliveries }
})

const readRequest = Effect.fnUntraced(function* (message: IncomingMessage) {
  const { searchParams } = new URL(message.url ?? "/", "http://localhost")
  const request: RawRequest = {
    method: message.method ?? "",
    headers: Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [name, [value].flat().join(", ")])
    ),
    query: Object.fromEntries(searchParams),
    body: yield* Effect.promise(() => textOf(message)),
    receivedAt: yield* Clock.currentTimeMillis
  }
  return request
})
