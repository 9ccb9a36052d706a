/** Looking after a subscription whose events come by webhook. */
import type { Connection, LedgerError } from "@stopline/ledger"
import type { ProviderError, SubscriptionPort } from "@stopline/provider"
import { Clock, Effect } from "effect"
import type { Fleet, Station } from "./fleet.ts"
import { accountFor, type Heard, type ListenReport } from "./gap.ts"
import { type LaneBusy, withLane } from "./lane.ts"
import { paced } from "./pace.ts"

export interface Looking extends Pick<Heard, "unbroken" | "patienceMs"> {
  /** Where the provider is to send its events. */
  readonly url: string
}

/** One look: afterwards the subscription works, or it is said why not. */
export const listen = Effect.fn("listen")(function* (
  station: Station,
  port: SubscriptionPort,
  looking: Looking
): Effect.fn.Return<ListenReport, ProviderError | LedgerError | LaneBusy, Connection | Fleet> {
  const { account, adapter } = station
  // Two processes that look at once would each find none, and make two.
  return yield* withLane(`listen:${account.name}`, () =>
    Effect.gen(function* () {
      const beganAt = yield* Clock.currentTimeMillis
      const subscription = yield* paced(adapter, "subscribe", port.ensure(looking.url))
      return yield* accountFor(station, port.missed, { ...looking, subscription, beganAt })
    })
  )
})
