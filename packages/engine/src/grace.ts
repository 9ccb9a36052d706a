/** Letting work in flight come to its end when the process is told to stop. */
import { Effect, Fiber } from "effect"

/**
 * Runs an effect that, interrupted, is given a while to finish before it is cut
 * off. What was sent to a provider is then accounted for instead of left unknown.
 */
export const finishing = <A, E, R>(self: Effect.Effect<A, E, R>, graceMs: number): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkDetach(Effect.interruptible(self))
      const wait = Effect.timeoutOption(Fiber.await(fiber), graceMs)
      return yield* restore(Fiber.join(fiber)).pipe(
        Effect.onInterrupt(() => Effect.interruptible(wait).pipe(Effect.andThen(Fiber.interrupt(fiber))))
      )
    })
  )
