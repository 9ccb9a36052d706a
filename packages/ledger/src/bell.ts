/** Whoever waits for something by name is woken when it happens. */
import { Effect, Latch, type Scope } from "effect"

export interface Bell {
  readonly ring: (name: string) => void
  /** Whatever may have happened. */
  readonly ringAll: () => void
  /** Waits for the next ring after the last wait; rings are heard from the moment this is made until its scope ends. */
  readonly hear: (name: string) => Effect.Effect<Effect.Effect<void>, never, Scope.Scope>
}

export const makeBell = (): Bell => {
  const ears = new Map<string, Set<Latch.Latch>>()
  const wake = (latches: Iterable<Latch.Latch>) => {
    for (const latch of latches) latch.openUnsafe()
  }
  const hear = Effect.fnUntraced(function* (name: string) {
    const latch = Latch.makeUnsafe(false)
    const others = ears.get(name) ?? new Set()
    ears.set(name, others.add(latch))
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        others.delete(latch)
        if (others.size === 0) ears.delete(name)
      })
    )
    return Effect.andThen(latch.await, latch.close)
  })
  return {
    ring: (name) => wake(ears.get(name) ?? []),
    ringAll: () => {
      for (const latches of ears.values()) wake(latches)
    },
    hear
  }
}
