/** What is dated by this machine's clock alone may not be ahead of what the others heard. */
import type { Attestation } from "@stopline/engine"
import { clockAhead, type Connection, type LedgerError } from "@stopline/ledger"
import { Effect } from "effect"
import { UsageError } from "./exit.ts"

/** Clocks of machines that are kept right differ by less (ms). */
const mostMs = 5_000

/** An opt-in of just now, by a clock that is ahead, would outlast a STOP that is said meanwhile (L3). */
export const needSoundClock = Effect.fnUntraced(function* ({
  state,
  time
}: Attestation): Effect.fn.Return<void, UsageError | LedgerError, Connection> {
  if (state === "opted-out" || time !== undefined) return
  const aheadMs = yield* clockAhead()
  if (aheadMs <= mostMs) return
  const seconds = Math.round(aheadMs / 1000)
  return yield* new UsageError({
    problem: `this machine's clock is ${seconds} s ahead of the database's: set it, or say with --at when the person said it`
  })
})
