/**
 * The gate of a credential and limit, shared by all processes (L15). The engine
 * sends through it, and hands it to adapters for what only they see: logins.
 */
import { block, blockedFor, type Bucket, type Connection, type LedgerError, reserve } from "@stopline/ledger"
import { type Gate, type LimitGroup, longestPenalty, Unavailable } from "@stopline/provider"
import { Clock, Duration, Effect } from "effect"

export const bucketOf = (vendor: string, limit: LimitGroup): Bucket => ({
  key: `${vendor}/${limit.credential}/${limit.name}`,
  requests: limit.requests,
  windowMs: Duration.toMillis(limit.window),
  ...(limit.atOnce !== undefined && { atOnce: limit.atOnce })
})

/**
 * Draws the turns of requests that are ready to leave, all at once; each has then to be waited for. A turn that falls
 * into a penalty is lost and another one drawn: nothing is sent during a penalty, and not all at once after it.
 */
export const drawTurns = Effect.fnUntraced(function* (bucket: Bucket, count: number) {
  const waits = yield* reserve(bucket, yield* Clock.currentTimeMillis, count)
  return waits.map((ms) => awaitTurn(bucket, ms))
})

const awaitTurn = Effect.fnUntraced(function* (
  bucket: Bucket,
  ms: number
): Effect.fn.Return<void, LedgerError, Connection> {
  if (ms === 0) return
  yield* Effect.sleep(ms)
  if ((yield* blockedFor(bucket.key, yield* Clock.currentTimeMillis)) > 0) yield* takeTurn(bucket)
})

/** Waits for a turn. */
export const takeTurn = (bucket: Bucket): Effect.Effect<void, LedgerError, Connection> =>
  Effect.flatMap(drawTurns(bucket, 1), (turns) => Effect.all(turns, { discard: true }))

/** Shuts the gate for everybody, for so long. */
export const shutFor = Effect.fnUntraced(function* (bucket: Bucket, wait: Duration.Duration) {
  const now = yield* Clock.currentTimeMillis
  yield* block(bucket, now + Duration.toMillis(Duration.min(wait, longestPenalty)), now)
})

/** The gates as adapters are handed them, by vendor. */
export const sharedGates: Effect.Effect<(vendor: string) => Gate, never, Connection> = Effect.map(
  Effect.context<Connection>(),
  (context) => (vendor) => ({
    turn: (limit) =>
      takeTurn(bucketOf(vendor, limit)).pipe(
        Effect.provideContext(context),
        // Without the ledger nobody knows what the other processes send.
        Effect.mapError(() => new Unavailable({ mayHaveApplied: false }))
      ),
    shut: (limit, wait) => Effect.ignore(Effect.provideContext(shutFor(bucketOf(vendor, limit), wait), context))
  })
)
