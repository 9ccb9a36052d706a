/**
 * Chance that repeats itself: the same seed and the same name give the same
 * numbers, so that one seed is one world. Each user has a stream of its own, so
 * that a draw more here moves nothing there.
 */
export interface Random {
  /** A whole number from 0 up to, but not including, `limit`. */
  readonly below: (limit: number) => number
  readonly hex: (digits: number) => string
  readonly uuid: () => string
  readonly base64: (bytes: number) => string
}

/** FNV-1a: spreads a name over 32 bits. */
const hash = (name: string): number => {
  let value = 0x811c9dc5
  for (let i = 0; i < name.length; i++) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193)
  return value >>> 0
}

/** @param stream who draws: the same name gives the same numbers again */
export const makeRandom = (seed: number, stream: string): Random => {
  // mulberry32: 32 bits of state are plenty for a toy world.
  let state = hash(`${seed}/${stream}`)
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  const hex = (digits: number): string => {
    let text = ""
    while (text.length < digits) text += below(16).toString(16)
    return text
  }
  return {
    below,
    hex,
    uuid: () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`,
    base64: (bytes) => Buffer.from(hex(bytes * 2), "hex").toString("base64")
  }
}
