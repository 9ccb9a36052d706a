/**
 * Reading all there is, once, because a person asked: walks where a provider can
 * list, checks of named recipients where it can only be asked. Goes on where it
 * was when it was killed, unless that is long ago. What the first one of an account finds needs no guard.
 */
import type { Recipient, SenderAddress } from "@stopline/consent"
import {
  beginRun,
  type Connection,
  endRun,
  hasBackfilled,
  type LedgerError,
  unfinishedBackfill
} from "@stopline/ledger"
import type { ProviderError } from "@stopline/provider"
import { Clock, Duration, Effect, type Stream } from "effect"
import { type Fleet, sendersOf, type Station } from "./fleet.ts"
import type { LaneBusy } from "./lane.ts"
import { eachSender } from "./senders.ts"
import { checkAll, type SweepReport } from "./sweep.ts"
import { walk, type WalkReport } from "./walk.ts"

export interface BackfillRequest<E, R> {
  readonly startedBy: string
  /** Only this sender. */
  readonly sender?: SenderAddress
  /** People to ask about where a provider cannot list; made anew for each sender. */
  readonly recipients?: () => Stream.Stream<Recipient, E, R>
  readonly recipientCount?: number
}

export type BackfillReport =
  | { readonly _tag: "Walked"; readonly walks: ReadonlyArray<WalkReport> }
  | { readonly _tag: "Checked"; readonly account: string; readonly checks: ReadonlyArray<SweepReport> }
  /** Nothing could be read here: without a list of people to ask about, or, where nobody can be asked about, at all. */
  | { readonly _tag: "Blind"; readonly account: string; readonly why: string; readonly canBeAsked: boolean }

/** After so long who was asked about may have opted out meanwhile: everybody is asked about again (ms). */
const goesOnMs = Duration.toMillis(Duration.days(1))

export const backfill = Effect.fn("backfill")(function* <E, R>(
  station: Station,
  request: BackfillRequest<E, R>
): Effect.fn.Return<BackfillReport, ProviderError | LedgerError | LaneBusy | E, Connection | Fleet | R> {
  const { account, adapter } = station
  const { startedBy } = request
  const unguarded = !(yield* hasBackfilled(account.id))
  if (adapter.list._tag === "Can") {
    const port = adapter.list.port
    const lanes = request.sender === undefined ? [undefined] : sendersOf(station, request.sender)
    const walks = yield* Effect.forEach(lanes, (sender) =>
      walk(station, port, sender, { kind: "backfill", startedBy, unguarded })
    )
    return { _tag: "Walked", walks }
  }
  const { recipients } = request
  if (adapter.check._tag !== "Can" || recipients === undefined) {
    const canBeAsked = adapter.check._tag === "Can"
    const why = adapter.check._tag === "Can" ? adapter.list.reason : adapter.check.reason
    return { _tag: "Blind", account: account.name, why, canBeAsked }
  }
  const port = adapter.check.port
  const atWorkSince = (yield* Clock.currentTimeMillis) - goesOnMs
  // One of a single sender goes on with one of that sender, and ends no other: who asks later whether all of the account
  // was read has to know that it was not.
  const only = request.sender === undefined ? {} : { sender: request.sender }
  const unfinished = yield* unfinishedBackfill(account.id, request.sender, atWorkSince)
  const run = { ...only, ...(unfinished ?? (yield* begin(account.id, startedBy, unguarded, only))) }
  const checks = yield* eachSender(sendersOf(station, request.sender), (sender) =>
    checkAll(station, port, sender, recipients(), run, request.recipientCount)
  )
  const counts = request.sender === undefined ? checks : { ...only, checks }
  yield* endRun(run.id, "completed", counts, yield* Clock.currentTimeMillis)
  return { _tag: "Checked", account: account.name, checks }
})

const begin = Effect.fnUntraced(function* (accountId: number, startedBy: string, unguarded: boolean, counts: object) {
  const startedAt = yield* Clock.currentTimeMillis
  const id = yield* beginRun({ kind: "backfill", accountId, startedBy, at: startedAt, unguarded, counts })
  return { id, startedAt }
})
