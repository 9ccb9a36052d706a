/** Making a run that breaks a law shorter: actions are left out as long as the same law still breaks. */
import type { Processes } from "./processes.ts"
import { type Broken, play, type RunOptions, type RunResult } from "./run.ts"
import type { Action } from "./script.ts"
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
  processes: Processes,
  universe: Universe,
  script: ReadonlyArray<Action>,
  broken: Broken,
  most: number,
  sabotage?: Required<RunOptions>["sabotage"]
): Promise<Shrunk | undefined> => {
  let best: { readonly script: ReadonlyArray<Action>; readonly result: RunResult } | undefined
  let tries = 0
  const breaks = async (candidate: ReadonlyArray<Action>): Promise<boolean> => {
    tries += 1
    const result = await play(processes, universe, candidate, sabotage)
    if (!result.broken.some(({ law }) => law === broken.law)) return false
    best = { script: candidate, result }
    return true
  }
  let left = script
  for (let size = Math.ceil(left.length / 2); size >= 1 && tries < most; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < left.length && tries < most;) {
      const shorter = [...left.slice(0, from), ...left.slice(from + size)]
      if (await breaks(shorter)) left = shorter
      else from += size
    }
  }
  return best === undefined ? undefined : { ...best, tries }
}
