/**
 * Looking for the person's own words behind a block that a provider lifted,
 * where the provider keeps messages. Found, they are observations like any other
 * and the standing follows; not found, the block is put back.
 */
import type { OptInPolicy } from "@stopline/consent"
import {
  type Connection,
  type Difference,
  ingest,
  type LedgerError,
  liftedBlocks,
  type RegisteredAccount,
  type RegisteredSender,
  type Seeking,
  toRecipient
} from "@stopline/ledger"
import type { EvidencePort, ProviderError } from "@stopline/provider"
import { Clock, Effect } from "effect"
import { reasonFor } from "./diff.ts"
import { Fleet, sendersOf, type Station } from "./fleet.ts"
import { paced } from "./pace.ts"

/** How long it takes to look for many. */
export const seeking: Seeking = {
  // One request each, so not more of them in one round than a limit bears.
  atOnce: 20,
  // From one turn of a sender to its next, for reckoning.
  turnMs: 2 * 60_000,
  longestMs: 60 * 60_000
}

/** More of them do not make the wait longer. */
const mostCounted = (1 + seeking.longestMs / seeking.turnMs) * seeking.atOnce

/**
 * How long blocks that were lifted wait before they are put back: as long as it takes until each has been looked for, so
 * that many of them do not cost one his START; but no longer than an hour. All of the sender's count, on whatever page: the
 * turns may stand in their middle, and the first one's come last.
 */
export const confirmWindow = (account: RegisteredAccount, seeks: boolean, confirmMs: number, policy: OptInPolicy) => {
  const known = new Map<number, number>()
  const count = Effect.fnUntraced(function* (sender: RegisteredSender) {
    const lifted = yield* liftedBlocks([{ account, sender, after: 0 }], policy, mostCounted)
    return lifted.get(sender.id)?.length ?? 0
  })
  return Effect.fnUntraced(function* (sender: RegisteredSender, page: ReadonlyArray<Difference>) {
    if (!seeks || confirmMs === 0 || !page.some(isLifted)) return confirmMs
    const lifted = known.get(sender.id) ?? (yield* count(sender))
    known.set(sender.id, lifted)
    const turns = Math.ceil(lifted / seeking.atOnce)
    return Math.max(confirmMs, Math.min((turns - 1) * seeking.turnMs, seeking.longestMs))
  })
}

const isLifted = (row: Difference): boolean => reasonFor(row) === "reassert"

/** Asks about blocks that were lifted since the opt-out that counts. Returns how many observations were new. */
export const seekEvidence = Effect.fn("seekEvidence")(function* (
  station: Station,
  port: EvidencePort
): Effect.fn.Return<number, ProviderError | LedgerError, Connection | Fleet> {
  const { settings, turns } = yield* Fleet
  const { policy } = settings
  const { atOnce } = seeking
  let found = 0
  const cursors = sendersOf(station).map((sender) => ({
    account: station.account,
    sender,
    after: turns.get(sender.id) ?? 0
  }))
  const lifted = yield* liftedBlocks(cursors, policy, atOnce)
  for (const cursor of cursors) {
    const { after, sender } = cursor
    const behind = lifted.get(sender.id) ?? []
    // At the end it is the first one's turn again.
    const anew = behind.length < atOnce && after > 0
    const first = anew ? ((yield* liftedBlocks([{ ...cursor, after: 0 }], policy, atOnce)).get(sender.id) ?? []) : []
    const before = first.filter(({ recipient }) => recipient <= after)
    for (const row of [...behind, ...before].slice(0, atOnce)) {
      // Before it is asked about: one that cannot be answered for does not keep those behind it from their turn.
      turns.set(sender.id, row.recipient)
      const since = port.since(sender.address, toRecipient(row.recipient), row.outAt ?? 0)
      const said = yield* Effect.catchIf(paced(station.adapter, "evidence", since), isUnreadable, (error) =>
        Effect.as(Effect.logWarning(error.message), [])
      )
      const { recorded } = yield* ingest(station.account, said, yield* Clock.currentTimeMillis, settings.echoMs)
      found += recorded.length
    }
  }
  return found
})

/** What one person said cannot be read. It is as good as not found, and keeps nobody else waiting. */
const isUnreadable = (error: ProviderError | LedgerError): boolean =>
  error._tag === "ProviderError" && error.reason._tag === "Unreadable"
