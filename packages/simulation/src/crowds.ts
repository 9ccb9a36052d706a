/**
 * Files of opt-outs that come one while the other is being carried out, by a
 * chance of their own: what a plan found of the first passed its guard, and what
 * is found of the second meanwhile has passed none.
 */
import type { Action } from "./action.ts"
import { type Chance, makeChance } from "./chance.ts"
import type { Universe } from "./universe.ts"

export const withCrowds = (universe: Universe, script: ReadonlyArray<Action>): ReadonlyArray<Action> => {
  const chance = makeChance(universe.seed, "crowds")
  return script.flatMap((action) =>
    action.do === "pass" && chance.once(30) ? [action, ...drawCrowd(chance, universe)] : [action]
  )
}

const drawCrowd = (chance: Chance, { accounts, people }: Universe): ReadonlyArray<Action> => {
  const { name: account, senders } = chance.pick(accounts)
  const place = { do: "import", account, sender: chance.pick(senders) } as const
  const worker = chance.below(2)
  // What comes meanwhile is behind what is being written: it is still to be read.
  const first = chance.below(people.length - 6)
  return [
    { ...place, people: people.slice(first, first + chance.between(1, 2)) },
    { do: "begin", worker, read: false },
    { do: "stir", turns: chance.between(2, 12) },
    { ...place, people: people.slice(-6) },
    { do: "finish" }
  ]
}
