/**
 * What happens, from a seed: a list of actions, drawn beforehand, so that a run
 * that breaks a law can be made shorter by leaving actions out.
 */
import type { AccountName, Recipient, SenderAddress } from "@stopline/consent"
import type { Fault } from "@stopline/sandbox"
import { type Chance, makeChance } from "./chance.ts"
import type { Universe } from "./universe.ts"

export type Action =
  | {
      readonly do: "text"
      readonly person: Recipient
      readonly account: AccountName
      readonly sender: SenderAddress
      readonly words: string
    }
  /** A colleague in the vendor's console. */
  | {
      readonly do: "edit"
      readonly person: Recipient
      readonly account: AccountName
      readonly sender: SenderAddress
      readonly to: "opt-out" | "opt-in"
    }
  | { readonly do: "fault"; readonly fault: Fault }
  | { readonly do: "clear" }
  /** The ledger fails a worker so often: before it did what was asked, or after. */
  | { readonly do: "ledger"; readonly worker: number; readonly when: "before" | "after"; readonly times: number }
  | { readonly do: "stir"; readonly turns: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "round"; readonly worker: number; readonly read: boolean }
  /** Both workers at once. */
  | { readonly do: "both" }
  /** A worker is killed after so many turns of a round, and started again. */
  | { readonly do: "kill"; readonly worker: number; readonly after: number }
  /** A worker is frozen after so many turns of a round, for so long; the other goes on. */
  | { readonly do: "freeze"; readonly worker: number; readonly after: number; readonly ms: number }
  | { readonly do: "join" }

/** What people text, and what a person who reads it takes it for. */
export const vocabulary: ReadonlyArray<{ readonly words: string; readonly means: "out" | "in" | "nothing" }> = [
  { words: "STOP", means: "out" },
  { words: "stop!!", means: "out" },
  { words: "Unsubscribe", means: "out" },
  { words: "QUIT", means: "out" },
  { words: "cancel", means: "out" },
  { words: "REVOKE", means: "out" },
  { words: "opt out please", means: "out" },
  { words: "please stop texting me", means: "out" },
  { words: "START", means: "in" },
  { words: "unstop", means: "in" },
  { words: "YES", means: "nothing" },
  { words: "thanks, see you on monday", means: "nothing" },
  { words: "don't stop", means: "nothing" }
]

const drawFault = (chance: Chance, universe: Universe): Fault => {
  const account = chance.pick(universe.accounts)
  const common = { account: account.name, times: chance.between(1, 3) }
  const shared: ReadonlyArray<Fault> = [
    { ...common, kind: "throttle", form: chance.pick(["seconds", "date", "none"]) },
    { ...common, kind: "unavailable", status: chance.pick([500, 502, 503, 504]) },
    { ...common, kind: "unavailable", status: 502, applied: true },
    { ...common, kind: "html-200" },
    { ...common, kind: "html-200", applied: true },
    { ...common, kind: "hang" },
    { ...common, kind: "drop-before" },
    { ...common, kind: "drop-after-apply" },
    { ...common, kind: "item-refused" },
    { ...common, kind: "item-missing" },
    { ...common, kind: "item-missing", applied: true },
    { ...common, kind: "stale-read", ms: chance.between(1_000, 20_000) },
    { ...common, kind: "duplicate-events" }
  ]
  const own: ReadonlyArray<Fault> =
    account.vendor === "azure"
      ? [
          { ...common, kind: "item-error" },
          { ...common, kind: "invalid-input" }
        ]
      : [
          { ...common, kind: "empty-page" },
          { ...common, kind: "repeat-token" },
          { ...common, kind: "forgotten-token" },
          { ...common, kind: "short-list" },
          { ...common, kind: "lost-events" }
        ]
  return chance.pick([...shared, ...own])
}

/** The actions of so many rounds. */
export const makeScript = (universe: Universe, rounds: number): ReadonlyArray<Action> => {
  const chance = makeChance(universe.seed, "script")
  const senders = universe.accounts.flatMap(({ name, senders }) => senders.map((sender) => ({ account: name, sender })))
  const script: Array<Action> = []
  for (let round = 0; round < rounds; round++) {
    for (let i = chance.below(4); i > 0; i--) {
      const at = { ...chance.pick(senders), person: chance.pick(universe.people) }
      if (chance.once(6)) script.push({ do: "edit", ...at, to: chance.pick(["opt-out", "opt-in"]) })
      else script.push({ do: "text", ...at, words: chance.pick(vocabulary).words })
      if (chance.once(3)) script.push({ do: "stir", turns: chance.below(12) })
    }
    if (chance.once(4)) script.push({ do: "fault", fault: drawFault(chance, universe) })
    if (chance.once(8)) script.push({ do: "clear" })
    if (chance.once(10)) {
      script.push({
        do: "ledger",
        worker: chance.below(2),
        when: chance.pick(["before", "after"]),
        times: chance.between(1, 3)
      })
    }
    if (chance.once(rounds)) script.push({ do: "join" })
    script.push(drawRound(chance))
    script.push({ do: "pass", ms: chance.pick([0, 10, 1_000, 30_000, 120_000, 900_000]) })
  }
  return script
}

const drawRound = (chance: Chance): Action => {
  const worker = chance.below(2)
  switch (chance.below(10)) {
    case 0:
      return { do: "kill", worker, after: chance.below(60) }
    case 1:
      return { do: "freeze", worker, after: chance.below(60), ms: chance.pick([1_000, 70_000, 200_000]) }
    case 2:
      return { do: "both" }
    default:
      return { do: "round", worker, read: chance.below(4) > 0 }
  }
}
