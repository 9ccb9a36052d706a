/** Listening by a connection that brings the events, as long as it lasts. */
import { type Connection, lastHearing, type LedgerError, stillHeard } from "@stopline/ledger"
import type { EventStream, ProviderError, Received, StreamPort } from "@stopline/provider"
import { Clock, Effect } from "effect"
import type { Fleet, Station } from "./fleet.ts"
import { accountFor, type ListenReport } from "./gap.ts"
import { type LaneBusy, withLane } from "./lane.ts"
import { paced } from "./pace.ts"

export interface Attending<E> {
  /** How often it is written down that all is heard (ms). */
  readonly everyMs: number
  readonly onReport: (report: ListenReport) => Effect.Effect<void>
  /** Stores what was said. Nobody says it twice, so a failure ends the connection, and what follows is a gap. */
  readonly onEvent: (received: Received) => Effect.Effect<void, E>
}

/** Never succeeds: fails when the connection is lost. One process of all listens. */
export const attend = Effect.fn("attend")(function* <E>(
  station: Station,
  port: StreamPort,
  attending: Attending<E>
): Effect.fn.Return<never, ProviderError | LedgerError | LaneBusy | E, Connection | Fleet> {
  return yield* withLane(`listen:${station.account.name}`, () =>
    Effect.scoped(
      Effect.gen(function* () {
        const stream = yield* paced(station.adapter, "subscribe", port.connect)
        const beganAt = yield* Clock.currentTimeMillis
        const heard = { subscription: stream.subscription, beganAt, unbroken: false, patienceMs: 0 }
        yield* attending.onReport(yield* accountFor(station, port.missed, heard))
        const events = Effect.forever(Effect.flatMap(stream.next, attending.onEvent))
        return yield* Effect.raceFirst(events, vouch(station, stream, attending.everyMs))
      })
    )
  )
})

/** Writes down again and again that the connection stands. */
const vouch = Effect.fnUntraced(function* (station: Station, { subscription }: EventStream, everyMs: number) {
  for (;;) {
    yield* Effect.sleep(everyMs)
    const last = yield* lastHearing(station.account.id)
    if (last?.subscription === subscription.id) yield* stillHeard(last.runId, yield* Clock.currentTimeMillis)
  }
})
