/** Seeds, one after another, in search of one that breaks a law. */
import { Console, Effect } from "effect"
import { type FreshDatabase, ownDatabases } from "./database.ts"
import type { RunResult } from "./result.ts"
import { makeScript } from "./script.ts"
import { runSeed } from "./seed.ts"
import { shrink } from "./shrink.ts"
import type { Played } from "./tally.ts"
import { makeUniverse } from "./universe.ts"

export interface Hunt {
  readonly seed: number
  /** How many; infinite: until one breaks a law. */
  readonly seeds: number
  /** From one seed to the next: those in between are somebody else's. */
  readonly step: number
  readonly rounds: number
  readonly untilFailure: boolean
  readonly log: boolean
  /** How many shorter runs to try when a law breaks. */
  readonly tries: number
}

/** What somebody needs who mends it: the law, what was seen, the shortest way there, and how to see it again. */
const report = Effect.fnUntraced(function* (database: FreshDatabase, result: RunResult, rounds: number, tries: number) {
  const [broken] = result.broken
  if (broken === undefined) return
  yield* Console.error(`seed ${result.seed}: ${broken.law} broken in round ${broken.round}: ${broken.what}`)
  if (tries > 0) {
    yield* Console.error("looking for a shorter way there …")
    const universe = makeUniverse(result.seed)
    const script = makeScript(universe, rounds)
    const shrunk = yield* Effect.promise(() => shrink(database, universe, script, broken, tries))
    const { log, broken: seen } = shrunk?.result ?? result
    yield* Console.error(
      `${shrunk?.script.length ?? script.length} of ${script.length} actions are needed; what happened (ms, what):`
    )
    // What came after the law was broken explains nothing.
    const until = log.findLastIndex((line) => line.includes(" BROKEN ")) + 1
    yield* Console.error(
      log
        .slice(0, until)
        .map((line) => `  ${line}`)
        .join("\n")
    )
    for (const one of seen) yield* Console.error(`${one.law}: ${one.what}`)
  }
  yield* Console.error(`again: npm run simulate -- --seed ${result.seed} --rounds ${rounds} --log`)
})

/** @param played told of each seed when it is over, and reported if it broke a law */
export const hunt = Effect.fnUntraced(function* (
  { log, rounds, seed, seeds, step, tries, untilFailure }: Hunt,
  played: (result: Played) => Effect.Effect<void>
) {
  const database = yield* ownDatabases
  for (let i = 0; i < seeds; i++) {
    const result = yield* Effect.promise(() => runSeed(database, seed + i * step, rounds))
    if (log) yield* Console.log(result.log.join("\n"))
    if (log || (seeds <= 3 && step === 1))
      yield* Console.error(`seed ${result.seed}: digest of the event log ${result.digest}`)
    yield* report(database, result, rounds, tries)
    const { log: _, ...rest } = result
    yield* played(rest)
    if (untilFailure && result.broken.length > 0) return
  }
}, Effect.scoped)
