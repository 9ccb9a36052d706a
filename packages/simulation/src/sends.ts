/**
 * Texts of a campaign, sent blindly and by a chance of their own: Azure refuses those to whoever opted out, and its report
 * is the only word of that where everything else was lost.
 */
import type { Action } from "./action.ts"
import { type Chance, makeChance } from "./chance.ts"
import type { Universe } from "./universe.ts"

/** Longer than an event may be the echo of a write of ours (ms). */
const longAgo = 400_000

export const withSends = (universe: Universe, script: ReadonlyArray<Action>): ReadonlyArray<Action> => {
  const chance = makeChance(universe.seed, "sends")
  return script.flatMap((action) => (chance.once(15) ? [action, ...drawSends(chance, universe)] : [action]))
}

const drawSends = (chance: Chance, { accounts, people }: Universe): ReadonlyArray<Action> => {
  const { name: account, senders } = chance.pick(chance.once(4) ? accounts : accounts.slice(0, 2))
  const person = chance.pick(people.slice(0, chance.once(3) ? 6 : 3))
  const at = { person, account, sender: chance.pick(senders) }
  const send: Action = { do: "send", ...at }
  const lost: ReadonlyArray<Action> = [
    { do: "fault", fault: { kind: "lost-events", account, times: 1 } },
    { do: "text", ...at, words: "STOP" },
    send
  ]
  switch (chance.below(6)) {
    case 0:
      return lost
    case 1:
      // Who came back, and long after that opts out again unheard.
      return [
        { do: "text", ...at, words: "START" },
        { do: "stir", turns: 40 },
        { do: "pass", ms: longAgo },
        ...lost,
        { do: "pass", ms: 1_000 }
      ]
    default:
      return [send]
  }
}
