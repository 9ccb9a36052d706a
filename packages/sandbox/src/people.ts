/**
 * The people of the world: consecutive numbers in an area code that belongs to
 * nobody, so that a demo can be followed with the eye.
 */
import type { Random } from "./random.ts"

/** `+15550100000` is the first person. `+15550000000` is none: Azure refuses it (see azure/optouts.ts). */
const first = 15_550_100_000

/** How many fit before the area code is used up. */
export const mostPeople = 9_000_000

export const makePeople = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, n) => `+${first + n}`)

/** `count` different people, drawn by chance. */
export const draw = (people: ReadonlyArray<string>, count: number, random: Random): ReadonlyArray<string> => {
  const order = Int32Array.from({ length: people.length }, (_, n) => n)
  const drawn: Array<string> = []
  for (let i = 0; i < count; i++) {
    const j = i + random.below(order.length - i)
    const pick = order[j]!
    order[j] = order[i]!
    order[i] = pick
    drawn.push(people[pick]!)
  }
  return drawn
}
