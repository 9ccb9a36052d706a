/** What one process can vouch for: it was there since its last look, and no event of the account was refused. */
import type { AccountName } from "@stopline/consent"
import type { Connection, LedgerError } from "@stopline/ledger"
import type { ProviderError, SubscriptionPort } from "@stopline/provider"
import { Effect } from "effect"
import type { Fleet, Station } from "./fleet.ts"
import type { ListenReport } from "./gap.ts"
import type { LaneBusy } from "./lane.ts"
import { listen, type Looking } from "./listen.ts"

export interface Looks {
  readonly look: (
    station: Station,
    port: SubscriptionPort,
    looking: Omit<Looking, "unbroken">
  ) => Effect.Effect<ListenReport, ProviderError | LedgerError | LaneBusy, Connection | Fleet>
  /** An event of this account could not be stored, and may not come again. */
  readonly refused: (account: AccountName) => Effect.Effect<void>
}

/** The looks of a process that has just started. */
export const makeLooks = (): Looks => {
  const unbroken = new Set<AccountName>()
  return {
    look: Effect.fnUntraced(function* (station, port, looking) {
      const { name } = station.account
      const trusted = unbroken.has(name)
      // An event that is refused while this look goes on breaks it again.
      unbroken.add(name)
      const forget = Effect.sync(() => trusted || unbroken.delete(name))
      return yield* Effect.tapError(listen(station, port, { ...looking, unbroken: trusted }), () => forget)
    }),
    refused: (account) => Effect.sync(() => void unbroken.delete(account))
  }
}
