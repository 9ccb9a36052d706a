/** People whom a sender knew before it spoke for a brand: they told it to stop, and the brand to go on, by a chance of their own. */
import type { Action } from "./action.ts"
import { type Chance, makeChance } from "./chance.ts"
import type { Universe } from "./universe.ts"

/** Longer than clocks are thought to differ (ms). */
const apart = 60_000

export const withJoiners = (universe: Universe, script: ReadonlyArray<Action>): ReadonlyArray<Action> => {
  const chance = makeChance(universe.seed, "joiners")
  return script.flatMap((action) =>
    action.do === "join" && chance.once(2) ? [...drawAcquaintance(chance, universe), action] : [action]
  )
}

const drawAcquaintance = (chance: Chance, { groups, people, spare }: Universe): ReadonlyArray<Action> => {
  const person = chance.pick(people.slice(0, 6))
  const there = groups[0] === undefined ? spare : chance.pick(groups[0].members)
  const pass: Action = { do: "pass", ms: apart }
  return [
    { do: "text", person, ...spare, words: "STOP" },
    pass,
    { do: "text", person, account: there.account, sender: there.sender, words: "START" },
    pass
  ]
}
