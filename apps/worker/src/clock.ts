/** Whether this machine's clock can be gone by. */
import { clockSlack } from "@stopline/consent"
import { clockAhead, type Connection, type LedgerError } from "@stopline/ledger"
import { Effect } from "effect"

/**
 * By how many whole seconds this machine's clock is ahead of the database's, negative where it is behind; 0 while that is
 * no more than clocks differ.
 */
export const clockOff = Effect.fn("clockOff")(function* (): Effect.fn.Return<number, LedgerError, Connection> {
  const aheadMs = yield* clockAhead()
  return Math.abs(aheadMs) > clockSlack ? Math.round(aheadMs / 1000) : 0
})

/** In words, and what to do about it. */
export const clockWords = (seconds: number): string =>
  `this machine's clock is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"} the database's: set it`
