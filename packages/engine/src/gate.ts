/**
 * The gate of a credential and limit, shared by all processes (L15). The engine
 * sends through it, and hands it to adapters for what only they see: logins.
 */
import { block, blockedFor, type Bucket, type Connection, reserve } from "@stopline/ledger"
import { type Gate, type LimitGroup, Unavailable } from "@stopline/provider"
import { Clock, Duration, Effect } from "effect"

export const bucketOf = (vendor: string, limit: LimitGroup): Bucket => ({
  key: `${vendor}/${limit.credential}/${limit.name}`,
  requests: limit.requests,
  windowMs: Duration.toMillis(limit.window),
  ...(limit.atOnce !== undefined && { atOnce: limit.atOnce })
})

/**
 * Waits for a turn. A turn that falls into a penalty is lost and another one
 * drawn: nothing is sent during a penalty, and not all at once after it.
 */
export const takeTurn = Effect.fnUntraced(function* (bucket: Bucket) {
  for (;;) {
    const ms = yield* reserve(bucket, yield* Clock.currentTimeMillis)
    if (ms === 0) return
    yield* Effect.sleep(ms)
    if ((yield* blockedFor(bucket.key, yield* Clock.currentTimeMillis)) === 0) return
  }
})

/** Shuts the gate for everybody, for so long. */
export const shutFor = Effect.fnUntraced(function* (bucket: Bucket, wait: Duration.Duration) {
  const now = yield* Clock.currentTimeMillis
  yield* block(bucket, now + Duration.toMillis(wait), now)
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
