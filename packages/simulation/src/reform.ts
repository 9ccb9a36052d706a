/** New configurations now and then, by a chance of its own: senders leave a brand, change it or come back, and the policy changes. */
import { type Group, type Member, type OptInPolicy, policies } from "@stopline/consent"
import { type Chance, makeChance } from "./chance.ts"
import type { Action, Doing } from "./action.ts"
import type { Universe } from "./universe.ts"

export interface Configuration {
  /** The brands, by the names that they had at the beginning. */
  readonly groups: ReadonlyArray<Group>
  /** The brands that go by another name. */
  readonly renamed: ReadonlySet<string>
  readonly policy: OptInPolicy
}

export interface Reform extends Partial<Configuration> {
  /** One worker goes on by the former configuration for a while. */
  readonly isRolling?: boolean
}

/** In every third universe somebody changes the configuration, wherever a script happens to be. */
export const withReforms = (universe: Universe, script: ReadonlyArray<Action>): ReadonlyArray<Action> => {
  const chance = makeChance(universe.seed, "reform")
  if (!chance.once(3)) return script
  const rolling = makeChance(universe.seed, "rolling")
  const naming = makeChance(universe.seed, "naming")
  const places = Array.from({ length: chance.between(1, 4) }, () => chance.below(script.length))
  let groups = universe.groups
  const reforms = new Map(
    places
      .toSorted((a, b) => a - b)
      .map((place): [number, ReadonlyArray<Action>] => {
        const isRolling = rolling.once(2)
        if (chance.once(3)) {
          const reform: Action = { do: "reform", policy: chance.pick(policies), isRolling }
          return [place, isRolling ? rolledOut(rolling, reform, script.slice(0, place)) : [reform]]
        }
        groups = reshuffle(chance, universe, groups)
        const reform: Action = { do: "reform", groups, isRolling }
        const rename: Action = { do: "rename", brand: naming.pick(groups).name }
        return [place, naming.once(2) ? [reform, rename] : [reform]]
      })
  )
  return script.flatMap((action, place) => [...(reforms.get(place) ?? []), action])
}

/**
 * A worker that is not told of a policy yet goes on by the widest, while somebody comes back to one sender of a brand; who
 * has come back before is let through by every one of them, and is so no longer.
 */
const rolledOut = (chance: Chance, reform: Action, before: ReadonlyArray<Action>): ReadonlyArray<Action> => {
  const stops = before.filter((action) => action.do === "text" && action.words === "STOP")
  const starts = stops.length === 0 ? [] : [{ ...chance.pick(stops), words: "START" }]
  const back: ReadonlyArray<Action> = chance.once(2) ? [...starts, { do: "round", worker: 1, read: false }] : []
  return [{ do: "reform", policy: "group" }, ...back, reform, ...starts, { do: "round", worker: 1, read: true }]
}

/** Every fourth sender goes elsewhere, or nowhere. No brand is left without one. */
const reshuffle = (chance: Chance, { accounts }: Universe, groups: ReadonlyArray<Group>): ReadonlyArray<Group> =>
  accounts
    .flatMap(({ name, senders }) => senders.map((sender): Member => ({ account: name, sender })))
    .reduce((so, member) => {
      if (!chance.once(4)) return so
      const next = moved(so, member, groups[chance.below(groups.length + 1)]?.name)
      return next.some(({ members }) => members.length === 0) ? so : next
    }, groups)

const isSame = (one: Member, other: Member) => one.account === other.account && one.sender === other.sender

/** What somebody who does this makes of the configuration. */
export const reformOf = (
  so: Configuration,
  spare: Member,
  action: Doing<"join" | "move" | "rename" | "reform">
): Reform => {
  switch (action.do) {
    case "join":
      return { groups: joined(so.groups, spare) }
    case "move":
      return { groups: moved(so.groups, action.sender, action.to), isRolling: action.isRolling ?? false }
    case "rename":
      return { renamed: so.renamed.symmetricDifference(new Set([action.brand])) }
    case "reform": {
      const { do: _, ...reform } = action
      return reform
    }
  }
}

/** The brands with a sender in the first of them, unless it speaks for one already. */
const joined = (groups: ReadonlyArray<Group>, member: Member): ReadonlyArray<Group> =>
  groups.some(({ members }) => members.some((one) => isSame(one, member)))
    ? groups
    : moved(groups, member, groups[0]?.name)

/** The brands with a sender in one of them only, or in none. */
const moved = (groups: ReadonlyArray<Group>, member: Member, to: string | undefined): ReadonlyArray<Group> =>
  groups.map((group) => {
    const others = group.members.filter((one) => !isSame(one, member))
    return { ...group, members: group.name === to ? [...others, member] : others }
  })

/** What stands in the file: accounts with their senders, and brands by the names they go by. */
export const fileOf = ({ accounts, leavesOut }: Universe, { groups, renamed }: Configuration) => {
  const speaking = groups.flatMap(({ members }) => members)
  const isSpeaking = (one: Member) => speaking.some((member) => isSame(member, one))
  return {
    accounts: accounts.map((account) => ({
      ...account,
      senders: account.senders.filter((sender) => !leavesOut || isSpeaking({ account: account.name, sender }))
    })),
    groups: groups.map((group) => (renamed.has(group.name) ? { ...group, name: `${group.name}, renamed` } : group))
  }
}
