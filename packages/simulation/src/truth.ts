/** What providers really held, and since when: watched from outside, with no help from anybody's answers. */
export interface Turn {
  readonly at: number
  readonly blocked: boolean
  readonly by: Mover
}

/** Who moved a pair: the person by a text, a colleague in a console, or we. */
export type Mover = "person" | "colleague" | "us"

export class Truth {
  readonly #turns = new Map<string, Array<Turn>>()
  readonly #blurred = new Set<string>()
  /** How a pair stood after each write of ours, also those that moved nothing. */
  readonly #ours = new Map<string, Array<Turn>>()
  /** Turns that a write of ours has said once more. */
  readonly #repeated = new Set<Turn>()

  /** Notes how a pair stands now: `account/sender person`. */
  note(pair: string, blocked: boolean, at: number, by: Mover): void {
    if (by === "us") this.#ours.set(pair, [...(this.#ours.get(pair) ?? []), { at, blocked, by }])
    const turns = this.#turns.get(pair) ?? []
    const last = turns.at(-1)
    if ((last?.blocked ?? false) === blocked) {
      if (last !== undefined && by === "us") this.#repeated.add(last)
      return
    }
    turns.push({ at, blocked, by })
    this.#turns.set(pair, turns)
  }

  /** An account-wide record hides what the pair's own one says: from now on anything may have been so. */
  blur(pair: string): void {
    this.#blurred.add(pair)
  }

  /** Whether a text moved the pair so within a span, both ends included. */
  moved(pair: string, blocked: boolean, from: number, to: number): boolean {
    const turns = this.#turns.get(pair) ?? []
    return turns.some((turn) => turn.by === "person" && turn.blocked === blocked && turn.at >= from && turn.at <= to)
  }

  /** Whether a write of ours left the pair so within a span, both ends included, and there were two more since, be it that they moved nothing. */
  outlived(pair: string, blocked: boolean, from: number, to: number): boolean {
    const ours = this.#ours.get(pair) ?? []
    return ours.slice(0, -2).some((turn) => turn.blocked === blocked && turn.at >= from && turn.at <= to)
  }

  /** The pairs of an account that are blocked and have been since before a moment, but for those that something hides. */
  blockedSince(account: string, before: number): ReadonlyArray<string> {
    return [...this.#turns].flatMap(([pair, turns]) => {
      const last = turns.at(-1)
      const there = pair.startsWith(`${account}/`) && !this.#blurred.has(pair)
      return there && last?.blocked === true && last.at < before ? [pair] : []
    })
  }

  /** The turn since which the pair is blocked; undefined: it is not, or something hides it. */
  block(pair: string): Turn | undefined {
    const last = this.last(pair)
    return last?.blocked === true && !this.#blurred.has(pair) ? last : undefined
  }

  /** What moved the pair to where it stands; undefined: nothing ever did. */
  last(pair: string): Turn | undefined {
    return this.#turns.get(pair)?.at(-1)
  }

  /** What moved the pair before that. */
  before(pair: string): Turn | undefined {
    return this.#turns.get(pair)?.at(-2)
  }

  /** Whether a write of ours has said again what the pair stands at: whoever reads it takes it for ours. */
  isRepeated(pair: string): boolean {
    const last = this.last(pair)
    return last !== undefined && this.#repeated.has(last)
  }

  /** Whether the pair stood so at any moment of a span, both ends included: in a millisecond in which it turned it stood both ways. */
  was(pair: string, blocked: boolean, from: number, to: number): boolean {
    if (this.#blurred.has(pair)) return true
    const turns = this.#turns.get(pair) ?? []
    const before = turns.findLast((turn) => turn.at < from)
    return (
      (before?.blocked ?? false) === blocked ||
      turns.some((turn) => turn.blocked === blocked && turn.at >= from && turn.at <= to)
    )
  }
}
