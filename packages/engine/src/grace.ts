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
      return yield* Effect.onInterrupt(restore(Fiber.join(fiber)), () => awaitAtMost(fiber, graceMs))
    })
  )

/**
 * The clock runs in a fiber of its own: who waits here has been interrupted, and
 * would be cut off at once by anything that can be.
 */
const awaitAtMost = <A, E>(fiber: Fiber.Fiber<A, E>, ms: number): Effect.Effect<void> =>
  Effect.gen(function* () {
    const late = Effect.andThen(Effect.sleep(ms), Fiber.interrupt(fiber))
    const clock = yield* Effect.forkDetach(Effect.interruptible(late))
    yield* Fiber.await(fiber)
    yield* Fiber.interrupt(clock)
  })
