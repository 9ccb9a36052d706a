/** Holding a lane while something is done on it, first within this process and then between processes (L12). */
import { claimLane, type Connection, type Lane, laneOwner, type LedgerError, releaseLane } from "@stopline/ledger"
import { Clock, Effect, Schema } from "effect"
import { Fleet } from "./fleet.ts"

/** Another process is at work on the lane and does not let go. */
export class LaneBusy extends Schema.TaggedError<LaneBusy>()("LaneBusy", {
  lane: Schema.String,
  owner: Schema.String
}) {
  override get message(): string {
    return `${this.lane} is held by ${this.owner}; it goes on there, or try again when that process has ended`
  }
}

const pollMs = 50

const claim = Effect.fnUntraced(function* (key: string) {
  const { owner, settings } = yield* Fleet
  const since = yield* Clock.currentTimeMillis
  for (;;) {
    const now = yield* Clock.currentTimeMillis
    const lane = yield* claimLane(key, owner, now, settings.leaseMs)
    if (lane !== undefined) return lane
    if (now - since >= settings.patienceMs) {
      return yield* new LaneBusy({ lane: key, owner: (yield* laneOwner(key)) ?? "nobody" })
    }
    yield* Effect.sleep(pollMs)
  }
})

/** Claims a lane, uses it, and lets go, however the use ends. */
export const withLane = <A, E, R>(
  key: string,
  use: (lane: Lane) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | LedgerError | LaneBusy, R | Connection | Fleet> =>
  Effect.flatMap(Fleet, (fleet) =>
    fleet.gate(key).withPermits(1)(
      // A lane that could not be released is free when its lease ends.
      Effect.acquireUseRelease(claim(key), use, (lane) => Effect.ignore(releaseLane(lane)))
    )
  )
