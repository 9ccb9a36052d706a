/** One trial: people text, something breaks and is mended, and then all must be as they said. */
import { Clock, Effect, Fiber } from "effect"
import { crowd } from "./crowd.ts"
import { Dice } from "./dice.ts"
import { saveEvidence } from "./evidence.ts"
import { heal, type Kind } from "./faults.ts"
import { doubleWriters, drift, inLogs, missing, repeated, unfinished, unheard, unsilenced, untilNone } from "./judge.ts"
import type { World } from "./world.ts"

export interface Trial {
  readonly kind: string
  readonly seed: number
  /** STOPs said in it. */
  readonly stops: number
  /** Of all pairs that must be silent by now: those that are not. */
  readonly lost: number
  readonly held: number
  readonly doubleWriters: number
  /** From the end of the fault until every STOP said before it was held everywhere. */
  readonly recoveredMs: number
  /** Everything that was wrong, in words. */
  readonly wrong: ReadonlyArray<string>
}

export interface TrialOptions {
  readonly kind: Kind
  readonly seed: number
  /** Sayings a second. */
  readonly rate: number
  /** How long to wait for quiet (ms). */
  readonly patienceMs: number
}

/** What a world has been looked at for already. */
export interface Seen {
  readonly logs: Map<string, number>
  writes: number
}

export const playTrial = Effect.fn("playTrial")(function* (
  world: World,
  { kind, patienceMs, rate, seed }: TrialOptions,
  seen: Seen
): Effect.fn.Return<Trial> {
  const dice = new Dice(seed)
  const before = world.record.stops
  const load = yield* Effect.forkChild(Effect.scoped(crowd(world, rate, new Dice(seed + 1))))
  yield* Effect.sleep(dice.between(500, 2_000))
  yield* kind.strike(world, dice)
  yield* heal(world)
  const over = yield* Clock.currentTimeMillis
  yield* Effect.sleep(dice.between(500, 1_500))
  yield* Fiber.interrupt(load)
  const late = yield* untilNone(missing(world, over), patienceMs)
  const recoveredMs = (yield* Clock.currentTimeMillis) - over
  const lost = late.length > 0 ? late : yield* untilNone(missing(world, Infinity), patienceMs)
  const deaf = yield* untilNone(unheard(world), patienceMs)
  const halfDone = yield* untilNone(unfinished(world), patienceMs)
  const drifted = yield* untilNone(drift(world), patienceMs, 1_000)
  const twice = yield* repeated(world)
  const wrong = [
    ...lost.map((pair) => `not held: ${masked(pair)}`),
    ...deaf.map((pair) => `held although START was said: ${masked(pair)}`),
    ...halfDone,
    ...drifted,
    ...twice.what,
    ...unsilenced(world),
    ...(yield* inLogs(world, seen.logs))
  ]
  const writers = doubleWriters(world.writes.slice(seen.writes))
  seen.writes = world.writes.length
  if (wrong.length + writers.length > 0) yield* saveEvidence(world, [...lost, ...deaf, ...twice.pairs])
  return {
    kind: kind.name,
    seed,
    stops: world.record.stops - before,
    held: world.record.mustBeHeld().size - lost.length,
    lost: lost.length,
    doubleWriters: writers.length,
    recoveredMs,
    wrong: [...wrong, ...writers]
  }
})

const masked = (pair: string): string => pair.replace(/\d{6}$/, (end) => `••${end.slice(-4)}`)
