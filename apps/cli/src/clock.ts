/** What is dated by this machine alone is dated by a clock that is right, or not at all. */
import type { Attestation } from "@stopline/engine"
import type { Connection, LedgerError } from "@stopline/ledger"
import { clockOff, clockWords } from "@stopline/worker"
import { Effect } from "effect"
import { UsageError } from "./exit.ts"

/**
 * An opt-in of just now, by a clock that is ahead, would outlast a STOP that is said meanwhile; an opt-out, by one that is
 * behind, would be outlasted by a START of before (L1, L3).
 */
export const needSoundClock = Effect.fnUntraced(function* ({
  state,
  time
}: Attestation): Effect.fn.Return<void, UsageError | LedgerError, Connection> {
  if (time !== undefined) return
  const seconds = yield* clockOff()
  if (state === "opted-in" && seconds > 0) {
    return yield* new UsageError({ problem: `${clockWords(seconds)}, or say with --at when the person said it` })
  }
  if (state === "opted-out" && seconds < 0) return yield* new UsageError({ problem: clockWords(seconds) })
})
