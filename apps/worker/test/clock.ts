/** The real clock, and a hand that moves it forward: whoever sleeps past the moment wakes up. */
import { Clock, Duration, Effect } from "effect"

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

export const movableClock = Effect.map(Clock.Clock, (real) => {
  let ahead = 0
  const sleepers = new Set<Sleeper>()
  const now = () => real.currentTimeMillisUnsafe() + ahead
  const movedOn = (until: number) =>
    Effect.callback<void>((resume) => {
      const sleeper = { until, wake: () => resume(Effect.void) }
      sleepers.add(sleeper)
      return Effect.sync(() => void sleepers.delete(sleeper))
    })
  const clock: Clock.Clock = Object.assign(Object.create(real), {
    currentTimeMillisUnsafe: now,
    currentTimeMillis: Effect.sync(now),
    sleep: (duration: Duration.Duration) =>
      Effect.suspend(() => Effect.raceFirst(real.sleep(duration), movedOn(now() + Duration.toMillis(duration))))
  })
  const pass = (time: Duration.Input) =>
    Effect.sync(() => {
      ahead += Duration.toMillis(time)
      for (const sleeper of sleepers) if (sleeper.until <= now()) sleeper.wake()
    })
  return { clock, pass }
})
