/**
 * Answers that no reader could have seen through. A list that is cut short looks
 * whole, and an old copy looks like a new one; whoever believes them has an
 * excuse. A token that comes twice, that nobody knows, or an empty page before
 * the end can be seen for what they are, and are none (L6).
 */
import type { AnyAccount } from "@stopline/sandbox"

const kinds = new Set<string>(["short-list", "stale-read"])

/** How far a reading and its time may lie apart: a walk of several pages, some of them tried again (ms). */
const nearby = 60_000

/** The oldest copy that an account answers from (ms). */
const mostStale = 20_000

interface Told {
  readonly kind: string
  readonly at: number
}

export class Excuses {
  readonly #told = new Map<string, Array<Told>>()
  readonly #skew: number

  /** @param skew how far clocks may differ (ms) */
  constructor(skew: number) {
    this.#skew = skew
  }

  /** A request of ours is about to be answered by this account. */
  note({ faults, name }: AnyAccount, at: number): void {
    const armed = faults.armed().filter(({ kind }) => kinds.has(kind))
    if (armed.length === 0) return
    const told = this.#told.get(name) ?? []
    told.push(...armed.map(({ kind }) => ({ kind, at })))
    this.#told.set(name, told)
  }

  /** How many misleading answers there were in a span. */
  count(account: string, from: number, to: number): number {
    const told = this.#told.get(account) ?? []
    return told.filter(({ at }) => at >= from - this.#skew && at <= to + this.#skew).length
  }

  /** How far from the truth a reading of about that time may be (ms). */
  slack(account: string, about: number): number {
    const old = this.#told
      .get(account)
      ?.some(({ at, kind }) => kind === "stale-read" && Math.abs(at - about) <= nearby + this.#skew)
    return this.#skew + (old === true ? mostStale : 0)
  }
}
