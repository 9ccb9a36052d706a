/**
 * Every request to a provider goes through here: it waits its turn at the gate of
 * its credential, obeys penalties, and tries again what may pass (L15). Adapters
 * know nothing of it.
 */
import type { Bucket, Connection, LedgerError } from "@stopline/ledger"
import { NextTurn, type Operation, type ProviderAdapter, type ProviderError, retryAfter } from "@stopline/provider"
import { Duration, Effect, Random } from "effect"
import { Fleet } from "./fleet.ts"
import { bucketOf, drawTurns, shutFor, takeTurn } from "./gate.ts"
import { measured } from "./measure.ts"

interface Limited {
  readonly bucket: Bucket
  readonly penalty: Duration.Duration
}

/** Asked for before each try: an adapter may have learned more about its limits meanwhile. */
const limitOf = (adapter: ProviderAdapter, operation: Operation): Limited | undefined => {
  const limit = adapter.limits.find(({ operations }) => operations.includes(operation))
  return limit === undefined ? undefined : { bucket: bucketOf(adapter.vendor, limit), penalty: limit.penalty }
}

/**
 * The turn of a further request in one call. A ledger that does not answer must
 * not cut the call off half-way: what was done so far has yet to be told.
 */
const furtherTurn = Effect.fnUntraced(function* (limit: Limited | undefined) {
  const context = yield* Effect.context<Connection>()
  return limit === undefined ? Effect.void : Effect.ignore(Effect.provideContext(takeTurn(limit.bucket), context))
})

const isTransient = (error: ProviderError): boolean =>
  error.reason._tag === "Throttled" || error.reason._tag === "Unavailable"

/** 1 s, 2 s, 4 s … up to a minute, spread so that workers do not come back all at once. */
const backoff = Effect.fnUntraced(function* (attempt: number) {
  const spread = yield* Random.next
  return Math.min(60_000, 1000 * 2 ** attempt) * (0.5 + spread / 2)
})

/**
 * Nobody waits here for longer than that because a provider says when it will be back: it may be so sooner, and the
 * lane is needed for others' STOPs. The next round tries again. A penalty is something else, and waited out.
 */
const longestWaitMs = 60_000

/** What lets one request leave. */
type Turn = Effect.Effect<void, LedgerError, Connection>

/** The turns of requests that are about to leave side by side, drawn in one statement. */
export const turnsFor = (
  adapter: ProviderAdapter,
  operation: Operation,
  count: number
): Effect.Effect<ReadonlyArray<Turn>, LedgerError, Connection> =>
  Effect.suspend(() => {
    const limit = limitOf(adapter, operation)
    return limit === undefined
      ? Effect.succeed(Array.from({ length: count }, () => Effect.void))
      : drawTurns(limit.bucket, count)
  })

/**
 * Sends one request by the provider's limits, and again when its failure may
 * pass, so often as the settings allow. The last failure is the answer. The turn
 * of its first try may have been drawn already.
 */
export const paced = Effect.fn("paced")(function* <A, E extends ProviderError | LedgerError, R>(
  adapter: ProviderAdapter,
  operation: Operation,
  request: Effect.Effect<A, E, R>,
  turn?: Turn
): Effect.fn.Return<A, ProviderError | LedgerError, Connection | Fleet | R> {
  const { settings } = yield* Fleet
  yield* Effect.annotateCurrentSpan({ account: adapter.account, operation })
  for (let attempt = 0; ; attempt++) {
    const limit = limitOf(adapter, operation)
    if (attempt === 0 && turn !== undefined) yield* turn
    else if (limit !== undefined) yield* takeTurn(limit.bucket)
    const sent = measured(adapter.account, operation, request)
    const result = yield* Effect.result(Effect.provideService(sent, NextTurn, yield* furtherTurn(limit)))
    if (result._tag === "Success") return result.success
    const error: ProviderError | LedgerError = result.failure
    if (error._tag === "LedgerError") return yield* error
    const asked = retryAfter(error)
    if (error.reason._tag === "Throttled" && limit !== undefined) yield* shutFor(limit.bucket, asked ?? limit.penalty)
    if (!isTransient(error) || attempt >= settings.retries) return yield* error
    const askedMs = asked === undefined ? 0 : Duration.toMillis(asked)
    if (error.reason._tag === "Unavailable" && askedMs > longestWaitMs) return yield* error
    yield* Effect.logDebug("trying again", {
      account: error.account,
      operation,
      reason: error.reason._tag,
      attempt: attempt + 1
    })
    if (error.reason._tag === "Throttled" && limit !== undefined) continue
    yield* Effect.sleep(Math.max(yield* backoff(attempt), askedMs))
  }
})
