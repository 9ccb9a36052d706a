/** Adapters that mishear, each in one way, and the law that is about it. */
import { can, type EventPort, type EventStream, Refused, type StreamPort } from "@stopline/provider"
import { Effect, Scope } from "effect"
import { type Lie, portOf, type Told, withReason } from "./lies.ts"
import { secret } from "./memory-events.ts"

const hearing =
  (change: (receive: EventPort["receive"]) => EventPort["receive"]): Lie =>
  (adapter) => ({ ...adapter, events: can({ receive: change(portOf(adapter.events).receive) }) })

const streaming =
  (change: (next: EventStream["next"]) => EventStream["next"]): Lie =>
  (adapter) => {
    const { connect, missed } = portOf(adapter.stream)
    const changed = Effect.map(connect, (stream) => ({ ...stream, next: change(stream.next) }))
    return { ...adapter, stream: can({ connect: changed, missed }) }
  }

const none: StreamPort["missed"] = () => Effect.succeed({ observations: [], problems: [], next: { _tag: "End" } })

export const eventLies: ReadonlyArray<Told> = [
  [
    "hears nothing",
    /STOP is an opt-out/,
    hearing(
      (receive) => (request) =>
        Effect.map(receive(request), (received) =>
          received._tag === "Understood"
            ? { ...received, observations: received.observations.map((told) => ({ ...told, key: null })) }
            : received
        )
    )
  ],
  [
    "takes a repeated event for another",
    /repeated event/,
    hearing(
      (receive) => (request) =>
        Effect.map(receive(request), (received) =>
          received._tag === "Understood"
            ? {
                ...received,
                observations: received.observations.map((told) => ({
                  ...told,
                  key: `${told.key} at ${request.receivedAt}`
                }))
              }
            : received
        )
    )
  ],
  [
    "believes everybody",
    /forged/,
    hearing((receive) => (request) => receive({ ...request, headers: { ...request.headers, secret } }))
  ],
  [
    "breaks on nonsense",
    /makes no sense/,
    hearing(
      (receive) => (request) =>
        Effect.tap(receive(request), () => Effect.sync(() => JSON.parse(request.body) as unknown))
    )
  ],
  [
    "keeps what was written",
    /not kept/,
    hearing(
      (receive) => (request) =>
        Effect.map(receive(request), (received) =>
          received._tag === "Understood"
            ? {
                ...received,
                observations: received.observations.map((told) => ({ ...told, evidence: { note: request.body } }))
              }
            : received
        )
    )
  ],
  [
    "shakes hands once",
    /handshake/,
    (adapter, fake) => {
      let times = 0
      return hearing(
        (receive) => (request) =>
          Effect.map(receive(request), (received) =>
            received._tag === "Handshake" && times++ > 0
              ? { ...received, reply: { ...received.reply, headers: {} } }
              : received
          )
      )(adapter, fake)
    }
  ],
  [
    "subscribes anew each time",
    /asked for again/,
    (adapter) => {
      const { ensure, missed } = portOf(adapter.subscription)
      let times = 0
      const anew = (url: string) => Effect.map(ensure(url), (made) => ({ ...made, id: `${times++}` }))
      return { ...adapter, subscription: can({ ensure: anew, missed }) }
    }
  ],
  [
    "finds nothing of what was missed",
    /may have been lost/,
    (adapter) => ({
      ...adapter,
      subscription: can({ ...portOf(adapter.subscription), missed: none }),
      stream: can({ ...portOf(adapter.stream), missed: none })
    })
  ],
  [
    "streams facts without a name",
    /come by the stream/,
    streaming((next) =>
      Effect.map(next, (received) =>
        received._tag === "Understood"
          ? { ...received, observations: received.observations.map((told) => ({ ...told, key: null })) }
          : received
      )
    )
  ],
  [
    "gives up when a connection breaks",
    /connection that breaks is an error to/,
    streaming((next) => Effect.mapError(next, (error) => withReason(error, new Refused({ status: 400 }))))
  ],
  [
    "never hangs up",
    /hangs up/,
    (adapter) => {
      const { connect, missed } = portOf(adapter.stream)
      const kept = Scope.makeUnsafe()
      return { ...adapter, stream: can({ connect: Scope.provide(connect, kept), missed }) }
    }
  ]
]
