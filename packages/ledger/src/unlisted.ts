/** Senders of an account that a provider named and no configuration did: what is said to them is kept, and carried nowhere. */
import { everySender } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"

export interface Unlisted {
  readonly accountId: number
  readonly address: string
  /** People who opted out there, by what was looked at. */
  readonly optedOut: number
  /** Not all was looked at: there may be more of them. */
  readonly more: boolean
}

/** Observations are not found by their sender, so all may be read, once (0.1 s a million, measured); where many fit, these are enough. */
const enough = 10_000

/** Those of these accounts that never spoke for a group: one that did, or whose number another account lists, is heard there. */
export const unlisted = Effect.fn("Ledger.unlisted")(function* (
  accountIds: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<Unlisted>, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows: senders } = yield* query("unlisted", (db) =>
    sql<{ id: number; accountId: number; address: string }>`
      select s.id, s.account_id as "accountId", s.address from sender s
      where s.account_id = any(${accountIds}::int[]) and s.group_id is null and s.address <> ${everySender}
        and not exists (select from membership m where m.sender_id = s.id)
      order by s.account_id, s.address`.execute(db)
  )
  if (senders.length === 0) return []
  const { rows: counted } = yield* query("unlisted", (db) =>
    sql<{ senderId: number; people: number; looked: number }>`
      select sender_id as "senderId", count(distinct recipient) as people, count(*) as looked from (
        select sender_id, recipient from observation
        where sender_id = any(${senders.map(({ id }) => id)}::int[]) and state = 'opted-out' limit ${enough}
      ) o group by sender_id`.execute(db)
  )
  const more = counted.reduce((sum, { looked }) => sum + looked, 0) >= enough
  return senders.map(({ id, ...sender }) => ({
    ...sender,
    optedOut: counted.find(({ senderId }) => senderId === id)?.people ?? 0,
    more
  }))
})
