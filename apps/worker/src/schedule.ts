/** Rounds, again and again; and one at once when an event gave it work, or when events may have been lost. */
import { Fleet, round, type RoundReport } from "@stopline/engine"
import type { Connection } from "@stopline/ledger"
import { Effect, Queue } from "effect"
import { Carrier } from "./carry.ts"
import { Listener } from "./listen.ts"

export interface Schedule {
  readonly everyMs: number
  readonly sweepBudget: number
  readonly sweepPerHour: number
}

export const defaultSchedule: Schedule = { everyMs: 60_000, sweepBudget: 500, sweepPerHour: 30_000 }

/** Runs rounds until interrupted. A round that fails is told of and does not end the next one. */
export const rounds = Effect.fn("rounds")(function* (
  schedule: Schedule,
  onRound: (report: RoundReport) => Effect.Effect<void>
): Effect.fn.Return<never, never, Fleet | Connection | Carrier | Listener> {
  const { settings } = yield* Fleet
  const { nudges } = yield* Carrier
  const { reads } = yield* Listener
  const once = (read: boolean) =>
    round({
      read,
      write: true,
      sweepBudget: schedule.sweepBudget,
      sweepPerHour: schedule.sweepPerHour,
      startedBy: "schedule",
      confirmMs: settings.confirmMs
    }).pipe(
      Effect.flatMap(onRound),
      Effect.catch((error) => Effect.logError("a round failed; the next one tries again", { error: error.message }))
    )
  for (;;) {
    yield* once(true)
    // Until the next round with reading, nudges start rounds without it.
    const nudged = Effect.forever(Effect.andThen(Queue.take(nudges), once(false)))
    yield* Effect.raceFirst(nudged, Queue.take(reads)).pipe(Effect.timeoutOption(schedule.everyMs))
  }
})
