/**
 * What people said, by the driver's own record, and what must be held because of
 * it. It knows nothing of Stopline: a STOP to one sender silences the whole
 * group, and a START lifts the sender that it was said to.
 */
import { personOf } from "./accounts.ts"

export interface Word {
  readonly person: string
  readonly sender: string
  readonly means: "stop" | "start"
  /** A colleague set it in a provider's console. */
  readonly byColleague: boolean
  /** When it had been said (ms). */
  readonly at: number
}

export class Record {
  readonly #senders: ReadonlyArray<string>
  readonly #words = new Map<string, Array<Word>>()
  #stops = 0
  #people = 0

  constructor(senders: ReadonlyArray<string>) {
    this.#senders = senders
  }

  get stops(): number {
    return this.#stops
  }

  get people(): ReadonlyArray<string> {
    return [...this.#words.keys()]
  }

  /** Somebody who has not said anything yet. */
  nextPerson(): string {
    return personOf(this.#people++)
  }

  note(word: Word): void {
    const words = this.#words.get(word.person) ?? []
    words.push(word)
    this.#words.set(word.person, words)
    if (word.means === "stop") this.#stops += 1
  }

  of(person: string): ReadonlyArray<Word> {
    return this.#words.get(person) ?? []
  }

  /** Whether this sender must not text this person. */
  mustBeSilent(person: string, sender: string): boolean {
    const words = this.of(person)
    const stop = words.findLastIndex(({ means }) => means === "stop")
    const start = words.findLastIndex((word) => word.means === "start" && word.sender === sender)
    return stop > start
  }

  /**
   * Pairs `sender person` that must be silent, by when their STOP was said.
   *
   * @param ownWords only those of which the person said it: what a colleague did is found by the next round
   */
  mustBeHeld(ownWords = false): ReadonlyMap<string, number> {
    const pairs = new Map<string, number>()
    for (const [person, words] of this.#words) {
      const stop = words.findLast(({ means }) => means === "stop")
      if (stop === undefined || (ownWords && stop.byColleague)) continue
      for (const sender of this.#senders)
        if (this.mustBeSilent(person, sender)) pairs.set(`${sender} ${person}`, stop.at)
    }
    return pairs
  }

  /** Pairs of which the person took the STOP back. */
  mayText(): ReadonlyArray<string> {
    return [...this.#words.keys()].flatMap((person) =>
      this.#senders.filter((sender) => !this.mustBeSilent(person, sender)).map((sender) => `${sender} ${person}`)
    )
  }

  /** Whether the person had said START to this sender before a moment. */
  hadSaidStart(person: string, sender: string, before: number): boolean {
    return this.of(person).some((word) => word.means === "start" && word.sender === sender && word.at <= before)
  }
}
