/**
 * Every request to a provider goes through here: it waits its turn at the gate of
 * its credential, obeys penalties, and tries again what may pass (L15). Adapters
 * know nothing of it.
 */
import { block, blockedFor, type Bucket, type Connection, type LedgerError, reserve } from "@stopline/ledger"
import { NextTurn, type Operation, type ProviderAdapter, type ProviderError, retryAfter } from "@stopline/provider"
import { Clock, Duration, Effect, Random } from "effect"
import { Fleet } from "./fleet.ts"

interface Gate {
  readonly bucket: Bucket
  readonly penaltyMs: number
}

const gateOf = (adapter: ProviderAdapter, operation: Operation): Gate | undefined => {
  const group = adapter.limits.find((limit) => limit.operations.includes(operation))
  return group === undefined
    ? undefined
    : {
        bucket: {
          key: `${adapter.vendor}/${group.credential}/${group.name}`,
          requests: group.requests,
          windowMs: Duration.toMillis(group.window)
        },
        penaltyMs: Duration.toMillis(group.penalty)
      }
}

/**
 * Waits for a turn. A turn that falls into a penalty is lost and another one
 * drawn: nothing is sent during a penalty, and not all at once after it.
 */
const wait = Effect.fnUntraced(function* (gate: Gate) {
  for (;;) {
    const ms = yield* reserve(gate.bucket, yield* Clock.currentTimeMillis)
    if (ms === 0) return
    yield* Effect.sleep(ms)
    if ((yield* blockedFor(gate.bucket.key, yield* Clock.currentTimeMillis)) === 0) return
  }
})

/**
 * The turn of a further request in one call. A ledger that does not answer must
 * not cut the call off half-way: what was done so far has yet to be told.
 */
const furtherTurn = Effect.fnUntraced(function* (gate: Gate | undefined) {
  const context = yield* Effect.context<Connection>()
  return gate === undefined ? Effect.void : Effect.ignore(Effect.provideContext(wait(gate), context))
})

const isTransient = (error: ProviderError): boolean =>
  error.reason._tag === "Throttled" || error.reason._tag === "Unavailable"

/** 1 s, 2 s, 4 s … up to a minute, spread so that workers do not come back all at once. */
const backoff = Effect.fnUntraced(function* (attempt: number) {
  const spread = yield* Random.next
  return Math.min(60_000, 1000 * 2 ** attempt) * (0.5 + spread / 2)
})

/**
 * Sends one request by the provider's limits, and again when its failure may
 * pass, so often as the settings allow. The last failure is the answer.
 */
export const paced = Effect.fn("paced")(function* <A, E extends ProviderError | LedgerError, R>(
  adapter: ProviderAdapter,
  operation: Operation,
  request: Effect.Effect<A, E, R>
): Effect.fn.Return<A, ProviderError | LedgerError, Connection | Fleet | R> {
  const { settings } = yield* Fleet
  const gate = gateOf(adapter, operation)
  const inTurns = Effect.provideService(request, NextTurn, yield* furtherTurn(gate))
  for (let attempt = 0; ; attempt++) {
    if (gate !== undefined) yield* wait(gate)
    const result = yield* Effect.result(inTurns)
    if (result._tag === "Success") return result.success
    const error: ProviderError | LedgerError = result.failure
    if (error._tag === "LedgerError") return yield* error
    if (error.reason._tag === "Throttled" && gate !== undefined) {
      const asked = retryAfter(error)
      const now = yield* Clock.currentTimeMillis
      yield* block(gate.bucket, now + (asked === undefined ? gate.penaltyMs : Duration.toMillis(asked)), now)
    }
    if (!isTransient(error) || attempt >= settings.retries) return yield* error
    yield* Effect.logDebug("trying again", {
      account: error.account,
      operation,
      reason: error.reason._tag,
      attempt: attempt + 1
    })
    if (error.reason._tag === "Throttled" && gate !== undefined) continue
    const asked = retryAfter(error)
    yield* Effect.sleep(Math.max(yield* backoff(attempt), asked === undefined ? 0 : Duration.toMillis(asked)))
  }
})
