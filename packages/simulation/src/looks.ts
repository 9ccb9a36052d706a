/**
 * Looks whether all was heard, by a chance of their own: they are begun anywhere
 * in a script, and go on while other things happen. Some have something to find,
 * and may be kept from it.
 */
import type { Action } from "./action.ts"
import { type Chance, makeChance } from "./chance.ts"
import type { Universe } from "./universe.ts"

/** For so long after a look the next one of the same process can vouch for all of the time between (ms). */
export const patienceMs = 3_600_000

/** Longer than clocks are thought to differ: what was texted before that is not read again by the next look (ms). */
const longAgo = 400_000

export const withLooks = (universe: Universe, script: ReadonlyArray<Action>): ReadonlyArray<Action> => {
  const chance = makeChance(universe.seed, "looks")
  return script.flatMap((action) => (chance.once(40) ? [...drawLook(chance, universe), action] : [action]))
}

const drawLook = (chance: Chance, { accounts, people }: Universe): ReadonlyArray<Action> => {
  const worker = chance.below(2)
  const look: Action = { do: "look", worker }
  if (chance.once(2)) return [look]
  const { name: account, senders } = chance.pick(accounts.filter(({ vendor }) => vendor === "ringcentral"))
  const person = chance.pick(people.slice(0, 6))
  // No list will show it, and no webhook tells of it.
  const words = chance.pick(["REVOKE", "opt out please", "please stop texting me"])
  const unheard = (ago: number): ReadonlyArray<Action> => [
    { do: "fault", fault: { kind: "lost-events", account, times: 1 } },
    { do: "text", person, account, sender: chance.pick(senders), words },
    { do: "pass", ms: ago }
  ]
  const unreadable: Action = {
    do: "fault",
    fault: { kind: "unavailable", operation: "messages", status: 503, account, times: 3 }
  }
  const kill: Action = { do: "kill", worker, after: 0 }
  switch (chance.below(4)) {
    case 0:
      return [...unheard(longAgo), unreadable, look, { do: "pass", ms: 120_000 }]
    case 1:
      // Whoever is started again looks, and cannot vouch for the time before.
      return [...unheard(longAgo), unreadable, kill, { do: "pass", ms: 120_000 }]
    case 2:
      return [...unheard(longAgo), look, { do: "stir", turns: chance.between(4, 12) }, kill]
    default:
      return [...unheard(1_000), look]
  }
}
