/**
 * A person's opt-out is carried at once, without waiting for a round and
 * whatever a guard says (L2, L8). It takes the same path as everything else,
 * for its own recipients only.
 */
import type { Connection, LedgerError } from "@stopline/ledger"
import { Effect } from "effect"
import { applyTo, type ApplyReport } from "./apply.ts"
import { firstPages, speakingFor } from "./differing.ts"
import { Fleet } from "./fleet.ts"

/** Writes what these recipients said themselves wherever it is not yet held. */
export const push = Effect.fn("push")(function* (
  recipients: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<ApplyReport>, LedgerError, Connection | Fleet> {
  const { settings, stations } = yield* Fleet
  const only = [...new Set(recipients)]
  const first = yield* firstPages(stations.flatMap(speakingFor), settings.policy, only)
  const options = { heldBack: new Set<never>(), confirmMs: settings.confirmMs, only, first }
  return yield* Effect.forEach(stations, (station) => applyTo(station, options), { concurrency: "unbounded" })
})
