/**
 * A request that a provider refuses may be wrong over somebody in it, or wrong
 * whoever is in it, and often nobody can tell. One refusal is taken for theirs:
 * whoever comes behind them has their turn all the same (L9). Several in a row,
 * and nobody taken in between, are taken for the request's own, for this time: the next one begins behind them.
 */
import type { LedgerError } from "@stopline/ledger"
import type { ProviderError } from "@stopline/provider"

const mostInARow = 2

/** The provider answered, did nothing, and would answer the same again. */
export const isRefusal = (error: ProviderError | LedgerError): boolean =>
  error._tag === "ProviderError" && error.reason._tag === "Refused"

/**
 * Whether nothing more is to be sent: something failed that the next request would meet as well, or too many were refused.
 *
 * @param told what became of the requests so far, in their order; `undefined`: somebody was taken
 */
export const isOver = (told: ReadonlyArray<ProviderError | LedgerError | undefined>): boolean => {
  if (told.some((error) => error !== undefined && !isRefusal(error))) return true
  const last = told.slice(-mostInARow)
  return last.length === mostInARow && last.every((error) => error !== undefined)
}
