/** How fresh the answers are: looked up every few seconds for all accounts, and never trusted for longer. */
import { Fleet, type Station } from "@stopline/engine"
import { Connection, lately, type LedgerError, listened } from "@stopline/ledger"
import { Clock, Context, Duration, Effect, Layer } from "effect"
import { lookMs, vouchesMs } from "../listen.ts"
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
      const patienceMs = vouchesMs(lookMs(content))
      const ids = stations.map(({ account }) => account.id)
      let lookedAt = Number.NEGATIVE_INFINITY
      const look = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        lookedAt = now
        const heardOf = new Map((yield* listened(ids)).map((one) => [one.accountId, one]))
        const walks = (yield* lately(ids)).filter(({ kind }) => kind === "walk")
        const readAt = new Map(walks.map(({ accountId, completedAt }) => [accountId, completedAt]))
        return new Map(
          stations.map((station): [number, AccountFreshness] => {
            const { id } = station.account
            const { gapSince, heardAt } = heardOf.get(id) ?? {}
            const heard = heardAt !== undefined && now - heardAt <= patienceMs && gapSince === undefined
            return [id, { listReadAt: when(readAt.get(id) ?? null), events: eventsOf(station, heard) }]
          })
        )
      }).pipe(Effect.provideService(Connection, connection))
      const [remembered, forget] = yield* Effect.cachedInvalidateWithTTL(look, Duration.seconds(2))
      const ofAccounts = Effect.gen(function* () {
        // A clock that is set back would keep the last look new for as long.
        if ((yield* Clock.currentTimeMillis) < lookedAt) yield* forget
        return yield* remembered
      })
      return Freshness.of({ ofAccounts })
    })
  )
}

const eventsOf = ({ adapter }: Station, heard: boolean): CheckedSender["events"] => {
  if (adapter.events._tag !== "Can" && adapter.stream._tag !== "Can") return "blind"
  if (adapter.stream._tag !== "Can" && adapter.subscription._tag !== "Can") return "unproven"
  return heard ? "heard" : "blind"
}
