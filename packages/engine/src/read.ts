/** Reading every account: walks where there is a list, sweeps where there is none, evidence where messages are kept. */
import type { Connection, LedgerError } from "@stopline/ledger"
import type { ProviderError } from "@stopline/provider"
import { Effect } from "effect"
import { adopt, adoptAll, openAt } from "./adopt.ts"
import { seekEvidence } from "./evidence.ts"
import { Fleet, type Station } from "./fleet.ts"
import type { LaneBusy } from "./lane.ts"
import { sweep, type SweepBudget, type SweepReport } from "./sweep.ts"
import { walk, type WalkReport } from "./walk.ts"

export interface ReadReport {
  readonly account: string
  readonly walks: ReadonlyArray<WalkReport>
  readonly sweeps: ReadonlyArray<SweepReport>
  readonly error?: ProviderError | LaneBusy
}

/** Reads one account. */
export const readAccount = Effect.fn("readAccount")(function* (
  station: Station,
  sweepBudget: SweepBudget,
  startedBy: string
): Effect.fn.Return<ReadReport, LedgerError, Connection | Fleet> {
  yield* adoptAll([station])
  return yield* readOne(station, sweepBudget, startedBy)
})

/** Reads every account, side by side. What one provider cannot answer does not keep the others from being read. */
export const readAll = Effect.fn("readAll")(function* (
  sweepBudget: SweepBudget,
  startedBy: string
): Effect.fn.Return<ReadonlyArray<ReadReport>, LedgerError, Connection | Fleet> {
  const { stations } = yield* Fleet
  const open = yield* openAt(stations)
  return yield* Effect.forEach(
    stations,
    (station) => Effect.andThen(adopt(station, open), readOne(station, sweepBudget, startedBy)),
    { concurrency: "unbounded" }
  )
})

/** Walks what can be listed; asks about the rest. */
const readOne = Effect.fnUntraced(function* (station: Station, sweepBudget: SweepBudget, startedBy: string) {
  const { adapter } = station
  const name = station.account.name
  const reading: Effect.Effect<
    Pick<ReadReport, "walks" | "sweeps">,
    ProviderError | LaneBusy | LedgerError,
    Connection | Fleet
  > = adapter.list._tag === "Can"
    ? Effect.map(walk(station, adapter.list.port, undefined, { kind: "walk", startedBy, unguarded: false }), (one) => ({
        walks: [one],
        sweeps: []
      }))
    : adapter.check._tag === "Can"
      ? Effect.map(sweep(station, adapter.check.port, sweepBudget, startedBy), (one) => ({ walks: [], sweeps: [one] }))
      : Effect.succeed({ walks: [], sweeps: [] })
  const { evidence } = adapter
  return yield* reading.pipe(
    Effect.tap(() => (evidence._tag === "Can" ? seekEvidence(station, evidence.port) : Effect.void)),
    Effect.map((read): ReadReport => ({ account: name, ...read })),
    Effect.catchTag(["ProviderError", "LaneBusy"], (error) =>
      Effect.as(Effect.logError(error.message), { account: name, walks: [], sweeps: [], error } satisfies ReadReport)
    )
  )
})
