/** Waiting until nothing is under way any more. */
import { Effect } from "effect"
import type { Fake } from "./fake.ts"

/** Looks again and again; a test that waits in vain runs out of its time. */
export const until = <E>(holds: Effect.Effect<boolean, E>): Effect.Effect<void, E> =>
  Effect.asVoid(Effect.repeat(Effect.delay(holds, "5 millis"), { until: (now) => now }))

export const atRest = (fake: Fake) => until(Effect.map(fake.inFlight, (count) => count === 0))
