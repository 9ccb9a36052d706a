/** Making a run that breaks a law shorter: actions are left out as long as the same law still breaks. */
import type { FreshDatabase } from "./database.ts"
import type { Broken, RunResult } from "./result.ts"
import type { Sabotage } from "./run.ts"
import { play } from "./seed.ts"
import type { Action } from "./action.ts"
import type { Universe } from "./universe.ts"

export interface Shrunk {
  readonly script: ReadonlyArray<Action>
  readonly result: RunResult
  /** How many shorter runs were tried. */
  readonly tries: number
}

/**
 * Halves, quarters, eighths … are left out for as long as that still breaks the
 * law, down to single actions; what remains is needed, each by itself.
 */
export const shrink = async (
  database: FreshDatabase,
  universe: Universe,
  script: ReadonlyArray<Action>,
  broken: Broken,
  most: number,
  sabotage?: Sabotage
): Promise<Shrunk | undefined> => {
  let best: { readonly script: ReadonlyArray<Action>; readonly result: RunResult } | undefined
  let tries = 0
  const breaks = async (candidate: ReadonlyArray<Action>): Promise<boolean> => {
    tries += 1
    const result = await play(database, universe, candidate, sabotage)
    if (!result.broken.some(({ law }) => law === broken.law)) return false
    best = { script: candidate, result }
    return true
  }
  let left = script
  let size = Math.ceil(left.length / 2)
  for (let from = 0; size >= 1;) {
    if (tries >= most) break
    const shorter = [...left.slice(0, from), ...left.slice(from + size)]
    if (await breaks(shorter)) left = shorter
    else from += size
    if (from < left.length) continue
    from = 0
    size = size === 1 ? 0 : Math.ceil(size / 2)
  }
  return best === undefined ? undefined : { ...best, tries }
}
