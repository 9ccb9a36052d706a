/** What the gates of these limits let through just now. Reading it reserves nothing. */
import { Effect } from "effect"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { type Bucket, flow } from "./paces.ts"

export interface Flow {
  readonly key: string
  /** The share of the bucket that is spent; above 1 when turns are reserved ahead. */
  readonly used: number
  /** When the penalty ends (ms). Absent: there is none. */
  readonly blockedUntil: number | undefined
}

export const flows = Effect.fn("Ledger.flows")(function* (
  buckets: ReadonlyArray<Bucket>,
  now: number
): Effect.fn.Return<ReadonlyArray<Flow>, LedgerError, Connection> {
  const { query } = yield* Connection
  const keys = buckets.map(({ key }) => key)
  const rows = yield* query("flows", (db) =>
    db
      .selectFrom("pace")
      .select(["key", "tokens", "refreshed_at", "blocked_until", "spread_until"])
      .where((eb) => eb("key", "=", eb.fn.any(eb.val(keys))))
      .execute()
  )
  return buckets.map((bucket) => {
    const row = rows.find(({ key }) => key === bucket.key)
    if (row === undefined) return { key: bucket.key, used: 0, blockedUntil: undefined }
    const { atOnce, perMs, spreadPerMs } = flow(bucket)
    // Behind requests that went at once the rest of the window flows more slowly.
    const spreadMs = Math.max(0, Math.min(now, row.spread_until) - row.refreshed_at)
    const steadyMs = Math.max(0, now - Math.max(row.refreshed_at, row.spread_until))
    const tokens = Math.min(atOnce, row.tokens + spreadMs * spreadPerMs + steadyMs * perMs)
    const blockedUntil = row.blocked_until > now ? row.blocked_until : undefined
    return { key: bucket.key, used: 1 - tokens / atOnce, blockedUntil }
  })
})
