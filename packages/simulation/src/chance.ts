/** Chance from a seed: the same seed draws the same things for ever. */
export interface Chance {
  /** From 0 up to, but not including, 1. */
  readonly next: () => number
  /** A whole number from 0 up to, but not including, `limit`. */
  readonly below: (limit: number) => number
  readonly between: (least: number, most: number) => number
  readonly pick: <A>(from: ReadonlyArray<A>) => A
  /** True once in so many times. */
  readonly once: (inSoMany: number) => boolean
}

/** mulberry32 over a hash of seed and name, so that each user has a stream of its own. */
export const makeChance = (seed: number, name: string): Chance => {
  let state = 0x811c9dc5
  for (const char of `${seed}/${name}`) state = Math.imul(state ^ char.charCodeAt(0), 0x01000193)
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    next,
    below,
    between: (least, most) => least + below(most - least + 1),
    pick: (from) => {
      const drawn = from[below(from.length)]
      if (drawn === undefined) throw new Error("nothing to pick from")
      return drawn
    },
    once: (inSoMany) => below(inSoMany) === 0
  }
}
