/**
 * Writes that a process left behind when it died. Until somebody stands behind
 * them no reading of those pairs can be judged, so they are taken over before
 * anything is read, also where nothing has to be written any more (L12).
 */
import { adoptOrphans, type Connection, type Lane, type LedgerError, openIntents } from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { type Fleet, laneOf, sendersOf, type Station } from "./fleet.ts"
import { whileHeld, withFreeLane } from "./lane.ts"

/** @param open as `openAt` says */
export const adopt = Effect.fn("adopt")(function* (
  station: Station,
  open: ReadonlySet<number>
): Effect.fn.Return<void, LedgerError, Connection | Fleet> {
  for (const sender of sendersOf(station)) {
    if (!open.has(sender.id)) continue
    // Dated when they are taken over: when they were found, a request of this process may have been on its way.
    const takeOver = (lane: Lane) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => whileHeld(lane, adoptOrphans(sender, now)))
    // Held by somebody who lives, here or elsewhere: these are on their way, and the other senders are not to wait for that.
    yield* withFreeLane(laneOf(sender), takeOver)
  }
})

/** The senders of these stations with a write that has no outcome yet, by id, in one statement. */
export const openAt = (stations: ReadonlyArray<Station>): Effect.Effect<ReadonlySet<number>, LedgerError, Connection> =>
  Effect.map(openIntents(stations.flatMap((station) => sendersOf(station))), (ids) => new Set(ids))

/** Looks for them at these stations and takes them over. */
export const adoptAll = Effect.fn("adoptAll")(function* (
  stations: ReadonlyArray<Station>
): Effect.fn.Return<void, LedgerError, Connection | Fleet> {
  const open = yield* openAt(stations)
  for (const station of stations) yield* adopt(station, open)
})
