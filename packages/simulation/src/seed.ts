/** A universe and its script, played from the beginning to the end. */
import { Effect } from "effect"
import type { FreshDatabase } from "./database.ts"
import { openProcesses, type Processes } from "./processes.ts"
import type { RunResult } from "./result.ts"
import { Run, type Sabotage } from "./run.ts"
import type { Action } from "./action.ts"
import { makeScript } from "./script.ts"
import { Stuck } from "./time.ts"
import { makeUniverse, type Universe } from "./universe.ts"

export interface RunOptions {
  /** Actions to play instead of the seed's own. */
  readonly script?: ReadonlyArray<Action>
  /** Breaks an adapter on purpose, to see whether the laws notice. */
  readonly sabotage?: Sabotage
}

/** Plays a seed against a ledger of its own. */
export const runSeed = (
  database: FreshDatabase,
  seed: number,
  rounds: number,
  options: RunOptions = {}
): Promise<RunResult> => {
  const universe = makeUniverse(seed)
  return play(database, universe, options.script ?? makeScript(universe, rounds), options.sabotage)
}

/** Plays these actions until a law is broken, and otherwise lets all become quiet and looks once more. */
export const play = (
  database: FreshDatabase,
  universe: Universe,
  script: ReadonlyArray<Action>,
  sabotage: Sabotage = (adapter) => adapter
): Promise<RunResult> =>
  Effect.flatMap(database, openProcesses).pipe(
    Effect.flatMap((processes) => Effect.promise(() => playAt(processes, universe, script, sabotage))),
    Effect.scoped,
    Effect.runPromise
  )

const playAt = async (
  processes: Processes,
  universe: Universe,
  script: ReadonlyArray<Action>,
  sabotage: Sabotage
): Promise<RunResult> => {
  const run = new Run(processes, universe, sabotage)
  await run.open()
  try {
    for (const action of script) {
      await run.act(action)
      // A round of the world ends with time passing. What holds no longer by a new configuration is soon mended.
      if (action.do === "pass" || action.do === "reform") await run.look()
      if (run.broken.length > 0) break
    }
    if (run.broken.length === 0) await run.quieten()
  } catch (cause) {
    if (!(cause instanceof Stuck)) throw cause
    run.breaks("L12", cause.message)
  } finally {
    await run.close()
  }
  return run.result()
}
