/** Since when events of an account may have been lost, and nothing that was read since makes up for it. */
import { Fleet, type Station } from "@stopline/engine"
import { type Connection, type LedgerError, listened, type Listened } from "@stopline/ledger"
import { Effect } from "effect"
import { lookMs, vouchesMs } from "../listen.ts"
import type { Config } from "../load.ts"
import { Loaded } from "../open.ts"

export interface Blind {
  readonly account: string
  /** ms */
  readonly since: number
}

/** What has to be known of a configuration to say who is listened to, and how often that is looked at. */
export const listeningOf = ({ content }: Config, stations: ReadonlyArray<Station>) => ({
  stations: stations.filter(
    ({ adapter: { stream, subscription } }) =>
      stream._tag === "Can" || (subscription._tag === "Can" && content.http?.publicUrl !== undefined)
  ),
  patienceMs: vouchesMs(lookMs(content))
})

/** @param startedAt of this process: who has never listened is deaf since then at the latest */
export const blindSince = (
  one: Pick<Listened, "heardAt" | "gapSince">,
  patienceMs: number,
  startedAt: number,
  now: number
): number | undefined => {
  const heardAt = one.heardAt ?? startedAt
  const deafSince = now - heardAt > patienceMs ? heardAt : undefined
  if (one.gapSince === undefined || deafSince === undefined) return one.gapSince ?? deafSince
  return Math.min(one.gapSince, deafSince)
}

/** The accounts that are blind at this moment. */
export const whoIsBlind = Effect.fn("whoIsBlind")(function* (
  startedAt: number,
  now: number
): Effect.fn.Return<ReadonlyArray<Blind>, LedgerError, Fleet | Connection | Loaded> {
  const { patienceMs, stations } = listeningOf(yield* Loaded, (yield* Fleet).stations)
  const heard = yield* listened(stations.map(({ account }) => account.id))
  return stations.flatMap(({ account }) => {
    const one = heard.find(({ accountId }) => accountId === account.id)
    const since = one === undefined ? undefined : blindSince(one, patienceMs, startedAt, now)
    return since === undefined ? [] : [{ account: account.name, since }]
  })
})
