/**
 * Events by a WebSocket (RingCentral guide: WebSockets; OpenAPI 2026-08-13:
 * oauth/wstoken). It needs no public address. RingCentral ends each connection
 * after a day at most.
 *
 * A connection that was lost is not recovered, though RingCentral would keep up to
 * a hundred events for three minutes: what was missed is read anyway, and then it
 * makes no difference how many there were and how long it took.
 */
import { type EventStream, ProviderError, type StreamPort, Unavailable } from "@stopline/provider"
import { Cause, Clock, Effect, Option, Queue, Schema } from "effect"
import type { Call, Client } from "./client.ts"
import type { ResolvedConfig } from "./config.ts"
import { readEvent } from "./events.ts"
import { readMissed } from "./missed.ts"
import { eventsOf, report, root } from "./subscription.ts"
import { SocketMessage, SocketToken, SubscriptionRecord } from "./wire.ts"

export const makeStreamPort = (client: Client, config: ResolvedConfig): StreamPort => ({
  connect: connect(client, config),
  missed: (span, cursor) => readMissed(client, span, cursor)
})

const call: Call = {
  operation: "subscribe",
  method: "POST",
  path: "/restapi/oauth/wstoken",
  group: "auth",
  writes: false
}

/** When nothing comes for so long, RingCentral is asked whether it is still there; the guide says at least 30 seconds. */
const quiet = "30 seconds"

type Incoming = Queue.Dequeue<SocketMessage, ProviderError>

const connect = Effect.fn("RingCentral.connect")(function* (client: Client, config: ResolvedConfig) {
  const lost = (detail: string) =>
    new ProviderError({
      account: client.account,
      operation: "subscribe",
      reason: new Unavailable({ mayHaveApplied: false }),
      detail
    })
  const token = yield* client.ask(call, SocketToken)
  const url = URL.parse(token.uri)
  if (url === null || !isSafe(url, config.server)) {
    return yield* client.unreadable(call, "the address of the WebSocket is none")
  }
  url.searchParams.set("access_token", token.ws_access_token)
  const { incoming, socket } = yield* openSocket(url, lost)
  const send = (meta: object, body?: object) =>
    Effect.sync(() => socket.send(JSON.stringify(body === undefined ? [meta] : [meta, body])))
  const wait = (wanted: (message: SocketMessage) => boolean) =>
    Effect.timeoutOrElse(waitFor(incoming, wanted, lost), {
      duration: config.timeout,
      orElse: () => Effect.fail(lost("no answer came in time by the WebSocket"))
    })

  yield* wait(([{ type }]) => type === "ConnectionDetails")
  const messageId = crypto.randomUUID()
  yield* send(
    { type: "ClientRequest", messageId, method: "POST", path: root },
    { eventFilters: eventsOf(client), deliveryMode: { transportType: "WebSocket" } }
  )
  const [, answer] = yield* wait(([meta]) => meta.type === "ClientRequest" && meta.messageId === messageId)
  const record = decodeRecord(answer)
  if (Option.isNone(record)) return yield* client.unreadable(call, "the WebSocket gave no subscription")

  const next = Effect.gen(function* () {
    for (let asked = false; ;) {
      const message = yield* Effect.timeoutOption(Queue.take(incoming), quiet)
      if (Option.isNone(message) && asked) return yield* lost("the WebSocket has fallen silent")
      asked = Option.isNone(message)
      if (Option.isNone(message)) {
        yield* send({ type: "Heartbeat", messageId: crypto.randomUUID() })
        continue
      }
      const [meta, body] = message.value
      if (meta.type === "Error") return yield* lost("RingCentral says by the WebSocket that it ends")
      if (meta.type === "ServerNotification") {
        return readEvent(client.account, JSON.stringify(body), yield* Clock.currentTimeMillis)
      }
    }
  })
  return { subscription: report(record.value, eventsOf(client)), next } satisfies EventStream
})

/**
 * The token stands in the URL, so it goes encrypted, or to where requests go without TLS. What a WebSocket cannot be
 * opened at, with a fragment for one, is no address either: the constructor would throw.
 */
const isSafe = (url: URL, server: URL): boolean =>
  url.hash === "" &&
  (url.protocol === "wss:" || (url.protocol === "ws:" && server.protocol === "http:" && url.host === server.host))

/** Everything that comes, in order, until the connection breaks. */
const openSocket = Effect.fnUntraced(function* (url: URL, lost: (detail: string) => ProviderError) {
  const incoming = yield* Queue.unbounded<SocketMessage, ProviderError>()
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() => new WebSocket(url)),
    (socket) => Effect.sync(() => socket.close())
  )
  socket.addEventListener("message", ({ data }) => {
    const message = decodeMessage(data)
    if (Option.isSome(message)) Queue.offerUnsafe(incoming, message.value)
  })
  const broke = () => void Queue.failCauseUnsafe(incoming, Cause.fail(lost("the WebSocket is closed")))
  socket.addEventListener("close", broke)
  socket.addEventListener("error", broke)
  return { incoming, socket }
})

const waitFor = Effect.fnUntraced(function* (
  incoming: Incoming,
  wanted: (message: SocketMessage) => boolean,
  lost: (detail: string) => ProviderError
) {
  for (;;) {
    const message = yield* Queue.take(incoming)
    if (message[0].type === "Error") return yield* lost("RingCentral refuses by the WebSocket")
    if (wanted(message)) return message
  }
})

const decodeMessage = Schema.decodeUnknownOption(SocketMessage)
const decodeRecord = Schema.decodeUnknownOption(SubscriptionRecord)
