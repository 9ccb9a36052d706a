/**
 * A person's opt-out is carried at once, without waiting for a round and
 * whatever a guard says (L2, L8). It takes the same path as everything else,
 * for its own recipients only.
 */
import type { Connection, LedgerError } from "@stopline/ledger"
import { Effect } from "effect"
import { type ApplyOptions, applyTo, type ApplyReport } from "./apply.ts"
import { type FirstPages, firstPages, speakingFor } from "./differing.ts"
import { Fleet, type Station } from "./fleet.ts"

/** Writes what these recipients said themselves wherever it is not yet held. */
export const push = Effect.fn("push")(function* (
  recipients: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<ApplyReport>, LedgerError, Connection | Fleet> {
  const { stations } = yield* Fleet
  const first = yield* unheld(recipients)
  return yield* Effect.forEach(stations, (station) => pushTo(station, recipients, { first }), {
    concurrency: "unbounded"
  })
})

/** Where these recipients differ, at every account, in one statement. */
export const unheld = Effect.fn("unheld")(function* (
  recipients: ReadonlyArray<number>
): Effect.fn.Return<FirstPages, LedgerError, Connection | Fleet> {
  const { settings, stations } = yield* Fleet
  return yield* firstPages(stations.flatMap(speakingFor), settings, [...new Set(recipients)])
})

/** The same at one account. */
export const pushTo = Effect.fn("pushTo")(function* (
  station: Station,
  recipients: ReadonlyArray<number>,
  known: Pick<ApplyOptions, "first" | "onHeld"> = {}
): Effect.fn.Return<ApplyReport, LedgerError, Connection | Fleet> {
  const { settings } = yield* Fleet
  const only = [...new Set(recipients)]
  return yield* applyTo(station, { heldBack: new Set<never>(), confirmMs: settings.confirmMs, only, ...known })
})
