/** New configurations now and then, by a chance of its own: senders leave a brand, change it or come back, and the policy changes. */
import { type Group, type Member, type OptInPolicy, policies } from "@stopline/consent"
import { type Chance, makeChance } from "./chance.ts"
import type { Action } from "./action.ts"
import type { Universe } from "./universe.ts"

export interface Configuration {
  readonly groups: ReadonlyArray<Group>
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
        return [place, [{ do: "reform", groups, isRolling }]]
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

/** The brands with a sender in the first of them, unless it speaks for one already. */
export const joined = (groups: ReadonlyArray<Group>, member: Member): ReadonlyArray<Group> =>
  groups.some(({ members }) => members.some((one) => isSame(one, member)))
    ? groups
    : moved(groups, member, groups[0]?.name)

/** The brands with a sender in one of them only, or in none. */
export const moved = (groups: ReadonlyArray<Group>, member: Member, to: string | undefined): ReadonlyArray<Group> =>
  groups.map((group) => {
    const others = group.members.filter((one) => !isSame(one, member))
    return { ...group, members: group.name === to ? [...others, member] : others }
  })
