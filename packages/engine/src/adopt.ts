/**
 * Writes that a process left behind when it died. Until somebody stands behind
 * them no reading of those pairs can be judged, so they are taken over before
 * anything is read, also where nothing has to be written any more (L12).
 */
import { adoptOrphans, type Connection, type LedgerError, openIntents } from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { type Fleet, laneOf, sendersOf, type Station } from "./fleet.ts"
import { whileHeld, withLane } from "./lane.ts"

/** @param open the senders with a write that has no outcome yet, by id */
export const adopt = Effect.fn("adopt")(function* (
  station: Station,
  open: ReadonlySet<number>
): Effect.fn.Return<void, LedgerError, Connection | Fleet> {
  for (const sender of sendersOf(station)) {
    if (!open.has(sender.id)) continue
    const now = yield* Clock.currentTimeMillis
    yield* withLane(laneOf(sender), (lane) => whileHeld(lane, adoptOrphans(sender, now)), 0).pipe(
      // Held by a process that lives: these are on their way.
      Effect.catchTag("LaneBusy", () => Effect.void)
    )
  }
})

/** Looks for them at these stations, in one statement, and takes them over. */
export const adoptAll = Effect.fn("adoptAll")(function* (
  stations: ReadonlyArray<Station>
): Effect.fn.Return<void, LedgerError, Connection | Fleet> {
  const open = new Set(yield* openIntents(stations.flatMap((station) => sendersOf(station))))
  for (const station of stations) yield* adopt(station, open)
})
