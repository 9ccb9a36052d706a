/**
 * What follows when a provider speaks: stored, answered, and what a person said
 * themselves carried to every other sender at once.
 */
import {
  Fleet,
  type HeardRequest,
  hearRequest,
  keeping,
  type Kept,
  pushing,
  type Station,
  storeReceived
} from "@stopline/engine"
import { mask } from "@stopline/consent"
import { type Connection, type LedgerError, toRecipient } from "@stopline/ledger"
import type { EventPort, RawRequest, Received, Reply } from "@stopline/provider"
import { Clock, Context, Effect, FiberSet, Layer, Queue } from "effect"
import { Listener } from "./listen.ts"
import { countCarried, countEvent } from "./truth/events.ts"

/** A STOP that was carried. */
export interface Carried {
  /** Masked. */
  readonly recipient: string
  readonly from: string
  /** Pairs written, by account. */
  readonly to: Readonly<Record<string, number>>
  /** From the request's arrival to the last provider's answer (ms). */
  readonly ms: number
}

export class Carrier extends Context.Service<
  Carrier,
  {
    /** Receives a webhook request: everything in it is committed before the reply is given. */
    readonly receive: (station: Station, port: EventPort, request: RawRequest) => Effect.Effect<Reply, LedgerError>
    /** The same for an event that came another way. */
    readonly take: (station: Station, received: Received) => Effect.Effect<void, LedgerError>
    /** Told of each STOP that was carried. */
    readonly carried: Queue.Dequeue<Carried>
    /** Something else changed: a round without reading would find work. */
    readonly nudges: Queue.Dequeue<void>
  }
>()("@stopline/worker/Carrier") {
  static readonly layer: Layer.Layer<Carrier, never, Fleet | Connection | Listener> = Layer.effect(
    Carrier,
    Effect.gen(function* () {
      const context = yield* Effect.context<Fleet | Connection>()
      const { stations } = yield* Fleet
      const listener = yield* Listener
      const carried = yield* Queue.sliding<Carried>(1000)
      const nudges = yield* Queue.sliding<void>(1)
      const inBackground = yield* FiberSet.make<void>()

      const push = yield* pushing
      const keeps = new Map(
        yield* Effect.forEach(stations, ({ account }) =>
          Effect.map(keeping(account), (keep) => [account.name, keep] as const)
        )
      )

      const spread = Effect.fn("Carrier.spread")(function* (station: Station, { recorded }: Kept, receivedAt: number) {
        const optedOut = recorded.filter((row) => row.observation.state === "opted-out")
        if (optedOut.length < recorded.length) yield* Queue.offer(nudges, undefined)
        // A START, too, may be news of a block that has gone, which a STOP said since has to put back.
        const to = yield* push(recorded.map((row) => row.recipient))
        const endedAt = yield* Clock.currentTimeMillis
        const [first] = optedOut
        if (first === undefined || Object.keys(to).length === 0) return
        yield* countCarried(station.account.name, endedAt - receivedAt)
        yield* Queue.offer(carried, {
          recipient: mask(toRecipient(first.recipient)),
          from: `${station.account.name}/${first.observation.sender}`,
          to,
          ms: endedAt - receivedAt
        })
      })

      const receive = Effect.fn("Carrier.receive")(function* (station: Station, port: EventPort, request: RawRequest) {
        const { name } = station.account
        // Not every provider sends again what could not be stored.
        const heard = yield* Effect.tapError(hearRequest(station, port, request, keeps.get(name)), () =>
          Effect.andThen(listener.refused(name), countEvent(name, undefined))
        )
        yield* countEvent(name, heard.received)
        if (heard.received === "Ending") yield* listener.ending(name)
        yield* follow(station, heard, request.receivedAt)
        return heard.reply
      }, Effect.provideContext(context))

      const take = Effect.fn("Carrier.take")(function* (station: Station, received: Received) {
        const now = yield* Clock.currentTimeMillis
        const { name } = station.account
        const heard = yield* Effect.tapError(storeReceived(station, received, now, keeps.get(name)), () =>
          countEvent(name, undefined)
        )
        yield* countEvent(name, heard.received)
        yield* follow(station, heard, now)
      }, Effect.provideContext(context))

      const follow = Effect.fnUntraced(function* (station: Station, { ingested }: HeardRequest, receivedAt: number) {
        if (ingested === undefined || ingested.recorded.length === 0) return
        // It goes on when the request has been answered, and stays part of its trace.
        yield* FiberSet.run(
          inBackground,
          spread(station, ingested, receivedAt).pipe(
            // What could not be pushed now is a difference that the next round finds.
            Effect.catch((error) => Effect.logError(error.message)),
            Effect.provideContext(context)
          )
        )
      })

      return Carrier.of({ receive, take, carried, nudges })
    })
  )
}
