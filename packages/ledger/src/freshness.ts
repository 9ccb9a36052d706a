/** How fresh what is known of each account is: when all of it was last read, and how long its events could be heard. */
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"

export interface Freshness {
  readonly accountId: number
  /** When the last finished walk through the whole list began (ms); null where there was none. */
  readonly listReadAt: number | null
  /** Until when events are known to have been heard (ms); null where nobody knows. */
  readonly heardUntil: number | null
  /** Events may have been lost, and no walk that began after it has ended. */
  readonly lostUnread: boolean
}

export const freshness = Effect.fn("Ledger.freshness")(function* (
  accountIds: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<Freshness>, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("freshness", (db) =>
    sql<Freshness>`
      select w.id as "accountId", read.at as "listReadAt", heard.until as "heardUntil", exists (
          select from (
            select lag(ended_at) over (order by id) as since, started_at as until
            from run where kind = 'listen' and account_id = w.id
          ) gap
          where gap.since is not null and not coalesce(read.at >= gap.until, false)
        ) as "lostUnread"
      from unnest(${accountIds}::int[]) as w(id)
      cross join lateral (
        select max(started_at) as at from run
        where account_id = w.id and kind = 'walk' and outcome = 'completed'
      ) read
      cross join lateral (
        select max(ended_at) as until from run where account_id = w.id and kind = 'listen'
      ) heard`.execute(db)
  )
  return result.rows
})
