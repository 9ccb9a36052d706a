/** How fresh the answers are: looked up every few seconds for all accounts, and never trusted for longer. */
import { Fleet, type Station } from "@stopline/engine"
import { Connection, freshness, type LedgerError } from "@stopline/ledger"
import { Clock, Context, Duration, Effect, Layer } from "effect"
import { defaultLookMs } from "../listen.ts"
import { millis } from "../load.ts"
import { Loaded } from "../open.ts"
import { type CheckedSender, when } from "./shapes.ts"

export type AccountFreshness = Pick<CheckedSender, "events" | "listReadAt">

export class Freshness extends Context.Service<
  Freshness,
  { readonly ofAccounts: Effect.Effect<ReadonlyMap<number, AccountFreshness>, LedgerError> }
>()("@stopline/worker/Freshness") {
  static readonly layer: Layer.Layer<Freshness, never, Fleet | Connection | Loaded> = Layer.effect(
    Freshness,
    Effect.gen(function* () {
      const { stations } = yield* Fleet
      const { content } = yield* Loaded
      const connection = yield* Connection
      // As long as a look at the subscription vouches for the time after it (gap.ts).
      const patienceMs = 3 * millis(content.schedule?.listen, defaultLookMs)
      const look = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const rows = yield* freshness(stations.map(({ account }) => account.id))
        return new Map(
          stations.map((station): [number, AccountFreshness] => {
            const row = rows.find(({ accountId }) => accountId === station.account.id)
            const heard = row?.heardUntil != null && now - row.heardUntil <= patienceMs && !row.lostUnread
            return [station.account.id, { listReadAt: when(row?.listReadAt ?? null), events: eventsOf(station, heard) }]
          })
        )
      }).pipe(Effect.provideService(Connection, connection))
      return Freshness.of({ ofAccounts: yield* Effect.cachedWithTTL(look, Duration.seconds(2)) })
    })
  )
}

const eventsOf = ({ adapter }: Station, heard: boolean): CheckedSender["events"] => {
  if (adapter.events._tag !== "Can" && adapter.stream._tag !== "Can") return "blind"
  if (adapter.stream._tag !== "Can" && adapter.subscription._tag !== "Can") return "unproven"
  return heard ? "heard" : "blind"
}
