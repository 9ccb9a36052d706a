/** All that is known about one person, and whether each sender may text them: the answer is the one that the check gives. */
import type { Recipient } from "@stopline/consent"
import { type Connection, history, type LedgerError, type Said, type Stands as InLedger } from "@stopline/ledger"
import { Effect } from "effect"
import { type AskedOf, type Reason, whyAtEach } from "./ask.ts"
import { Fleet, sendersOf } from "./fleet.ts"

/** What one sender must hold, and what it is known to hold. */
export interface Stands extends InLedger {
  /** Whether the sender may text them (L16). Opted in, they may still be blocked, or silenced in a group that it spoke for. */
  readonly why: Reason
}

export interface LookedUp {
  readonly recipient: Recipient
  readonly observations: ReadonlyArray<Said>
  readonly standings: ReadonlyArray<Stands>
}

export const lookUp = Effect.fn("lookUp")(function* (
  recipient: Recipient
): Effect.fn.Return<LookedUp, LedgerError, Connection | Fleet> {
  const { settings, stations } = yield* Fleet
  const { observations, standings } = yield* history(recipient, settings.policy)
  const senders = stations.flatMap((station) =>
    sendersOf(station).map(({ address, id }): AskedOf => ({ station, senderId: id, address }))
  )
  const answers = yield* whyAtEach(senders, recipient)
  const whyAt = ({ account, sender }: InLedger): Reason => {
    const asked = senders.find(({ address, station }) => station.account.name === account && address === sender)
    return (asked && answers.get(asked.senderId)) ?? "unknown"
  }
  return { recipient, observations, standings: standings.map((one) => ({ ...one, why: whyAt(one) })) }
})
