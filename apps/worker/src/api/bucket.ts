/** How many requests a key may make: a token bucket for each, in this process. */
import { Context, Effect, Layer } from "effect"
import { Loaded } from "../open.ts"

interface Bucket {
  /** Takes one token. Returns how long until there is one (ms); 0: it was taken. */
  readonly take: (key: string, now: number) => number
}

/** @param perSecond also how many may come at once */
const makeBucket = (perSecond: number): Bucket => {
  const levels = new Map<string, { tokens: number; at: number }>()
  return {
    take: (key, now) => {
      const level = levels.get(key) ?? { tokens: perSecond, at: now }
      // A clock that was set back gives nothing away.
      const tokens = Math.min(perSecond, level.tokens + (Math.max(0, now - level.at) * perSecond) / 1000)
      const taken = tokens >= 1
      levels.set(key, { tokens: taken ? tokens - 1 : tokens, at: now })
      return taken ? 0 : Math.ceil(((1 - tokens) * 1000) / perSecond)
    }
  }
}

const defaultPerSecond = 1000

/** The buckets of all keys. */
export class Rates extends Context.Service<Rates, Bucket & { readonly perSecond: number }>()("@stopline/worker/Rates") {
  static readonly layer: Layer.Layer<Rates, never, Loaded> = Layer.effect(
    Rates,
    Effect.map(Loaded, ({ content }) => {
      const perSecond = content.http?.perSecond ?? defaultPerSecond
      return { ...makeBucket(perSecond), perSecond }
    })
  )
}
