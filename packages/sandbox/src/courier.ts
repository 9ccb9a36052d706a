/**
 * Brings a vendor's events to the webhooks that asked for them. Which answers
 * count as taken, and when to come again, is the vendor's business.
 */
import { Effect, FiberSet, type Scope } from "effect"
import type { OutgoingAnswer, OutgoingRequest } from "./wire.ts"

export interface Delivery {
  /** @param attempt 0 for the first */
  readonly request: (attempt: number) => OutgoingRequest
  /** Tells the vendor how it went. Returns after how many ms to try again; undefined: never. */
  readonly settle: (answer: OutgoingAnswer, attempt: number) => number | undefined
}

/** Makes one request to a webhook. Over HTTP in the stand-alone sandbox; anything else in a simulation. */
export type Post = (request: OutgoingRequest) => Effect.Effect<OutgoingAnswer>

const bring = Effect.fnUntraced(function* (delivery: Delivery, post: Post) {
  for (let attempt = 0; ; attempt++) {
    const again = delivery.settle(yield* post(delivery.request(attempt)), attempt)
    if (again === undefined) return
    yield* Effect.sleep(again)
  }
})

/** A source of deliveries. */
export interface Outbox {
  readonly onDelivery: (listener: (delivery: Delivery) => void) => void
}

/** Delivers everything that the outbox emits, side by side and in no promised order, until the scope closes. */
export const startCourier = (outbox: Outbox, post: Post): Effect.Effect<void, never, Scope.Scope> =>
  Effect.map(FiberSet.makeRuntime(), (run) => outbox.onDelivery((delivery) => void run(bring(delivery, post))))
