/**
 * How a script ends, by a chance of its own: what is covered up soon when it happens in the midst of one, for whatever is
 * written next for the same sender repairs it.
 */
import { makeChance } from "./chance.ts"
import type { Action } from "./action.ts"
import type { Universe } from "./universe.ts"

/** Every second script just ends. */
export const drawEnding = ({ groups, people, seed }: Universe): ReadonlyArray<Action> => {
  const chance = makeChance(seed, "ending")
  const person = chance.pick(people)
  const places = chance.pick(groups).members.map(({ account, sender }) => ({ person, account, sender }))
  const [here, there] = [chance.pick(places), chance.pick(places)]
  const stop: Action = { do: "text", ...here, words: "STOP" }
  const start: Action = { do: "text", ...there, words: "START" }
  switch (chance.below(4)) {
    case 0:
      // Who carries a STOP dies of it, and is spared the rest by a START.
      return [
        stop,
        { do: "stir", turns: chance.between(4, 14) },
        { do: "kill", worker: 0, after: chance.below(4) },
        start,
        { do: "stir", turns: 40 }
      ]
    case 1:
      // A STOP that we hear of late is carried over a START that we hear of later.
      return [
        { do: "late", times: 1, ms: 20_000 },
        stop,
        { do: "pass", ms: 1_000 },
        { do: "late", times: 2, ms: 600_000 },
        start,
        { do: "pass", ms: 25_000 },
        { do: "stir", turns: 60 },
        { do: "pass", ms: 600_000 },
        { do: "stir", turns: 60 }
      ]
    default:
      return []
  }
}
