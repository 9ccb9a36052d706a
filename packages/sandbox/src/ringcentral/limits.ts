/**
 * Requests a window by group, and the penalty that every further request
 * restarts (RingCentral guide: rate limits).
 */
import type { WireResponse } from "../wire.ts"
import { rateExceeded } from "./answers.ts"

export type Group = "light" | "medium" | "auth"

export interface Limits {
  readonly groups: Readonly<Record<Group, number>>
  /** Both in ms. */
  readonly window: number
  readonly penalty: number
}

const published: Limits = { groups: { light: 50, medium: 40, auth: 5 }, window: 60_000, penalty: 60_000 }

interface Wished {
  readonly light?: number
  readonly medium?: number
  readonly auth?: number
  readonly windowSeconds?: number
  readonly penaltySeconds?: number
}

export const resolveLimits = (wished: Wished | boolean | undefined): Limits | undefined => {
  if (wished === undefined || wished === false) return undefined
  if (wished === true) return published
  const { light, medium, auth } = { ...published.groups, ...wished }
  return {
    groups: { light, medium, auth },
    window: wished.windowSeconds === undefined ? published.window : wished.windowSeconds * 1000,
    penalty: wished.penaltySeconds === undefined ? published.penalty : wished.penaltySeconds * 1000
  }
}

interface Bucket {
  /** When the requests of the current window came (ms). */
  times: Array<number>
  penaltyUntil: number
}

export interface Admission {
  /** X-Rate-Limit-* of the answer. */
  readonly headers: Readonly<Record<string, string>>
  /** Present when the request is one too many. */
  readonly refusal?: WireResponse
}

/** One gate an account: it has one user and one app. */
export class Gate {
  readonly #limits: Limits | undefined
  readonly #buckets = new Map<Group, Bucket>()

  constructor(limits: Limits | undefined) {
    this.#limits = limits
  }

  admit(group: Group, now: number): Admission {
    const limits = this.#limits
    if (limits === undefined) return { headers: {} }
    const bucket = this.#buckets.get(group) ?? { times: [], penaltyUntil: 0 }
    this.#buckets.set(group, bucket)
    bucket.times = bucket.times.filter((time) => time > now - limits.window)
    const limit = limits.groups[group]
    const refused = now < bucket.penaltyUntil || bucket.times.length >= limit
    if (refused) bucket.penaltyUntil = now + limits.penalty
    else bucket.times.push(now)
    const headers = {
      "x-rate-limit-group": group,
      "x-rate-limit-limit": String(limit),
      "x-rate-limit-remaining": String(refused ? 0 : limit - bucket.times.length),
      "x-rate-limit-window": String(limits.window / 1000)
    }
    if (!refused) return { headers }
    return { headers, refusal: rateExceeded({ "retry-after": String(Math.ceil(limits.penalty / 1000)) }) }
  }
}
