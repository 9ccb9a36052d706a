/**
 * Looking for the person's own words behind a block that a provider lifted,
 * where the provider keeps messages. Found, they are observations like any other
 * and the standing follows; not found, the block is put back.
 */
import { type Connection, differences, ingest, type LedgerError, toRecipient } from "@stopline/ledger"
import type { EvidencePort, ProviderError } from "@stopline/provider"
import { Clock, Effect } from "effect"
import { reasonFor } from "./diff.ts"
import { Fleet, sendersOf, type Station } from "./fleet.ts"
import { paced } from "./pace.ts"

/** One request each, so not more of them in one round than a limit bears. */
const mostPerSender = 20
const pageSize = 1000

/** Asks about blocks that were lifted since the opt-out that counts. Returns how many observations were new. */
export const seekEvidence = Effect.fn("seekEvidence")(function* (
  station: Station,
  port: EvidencePort
): Effect.fn.Return<number, ProviderError | LedgerError, Connection | Fleet> {
  const { settings } = yield* Fleet
  let found = 0
  const cursors = sendersOf(station).map((sender) => ({ account: station.account, sender, after: 0 }))
  const differing = yield* differences(cursors, settings.policy, pageSize)
  for (const { sender } of cursors) {
    const lifted = (differing.get(sender.id) ?? [])
      .filter((row) => reasonFor(row) === "reassert")
      .slice(0, mostPerSender)
    for (const row of lifted) {
      const since = port.since(sender.address, toRecipient(row.recipient), row.outAt ?? 0)
      const said = yield* paced(station.adapter, "evidence", since)
      const { recorded } = yield* ingest(station.account, said, yield* Clock.currentTimeMillis, settings.echoMs)
      found += recorded.length
    }
  }
  return found
})
