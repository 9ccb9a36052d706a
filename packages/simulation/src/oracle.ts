/**
 * What must be true, from what people did and nothing else: it shares no code
 * with the engine.
 */
import type { Group } from "@stopline/consent"
import { vocabulary } from "./script.ts"

interface Said {
  readonly at: number
  readonly order: number
  readonly sender: string
  readonly means: "out" | "in"
}

/** RingCentral's own words: it blocks these by itself, so that its list tells of them even when an event is lost. */
const listedWords = new Set(["STOP", "UNSUBSCRIBE", "QUIT", "CANCEL", "END"])

export class Oracle {
  #groups: ReadonlyArray<Group>
  readonly #said = new Map<string, Array<Said>>()
  /** People whom somebody opted out at a provider: a colleague, or long ago. */
  readonly #blocked = new Map<string, Set<string>>()
  #order = 0

  constructor(groups: ReadonlyArray<Group>) {
    this.#groups = groups
  }

  regroup(groups: ReadonlyArray<Group>): void {
    this.#groups = groups
  }

  /**
   * A person texts. Words that their provider does not act on are known only if
   * the event of them arrives; where that is not certain they are not counted on.
   */
  texts(person: string, account: string, sender: string, words: string, at: number, certain: boolean): void {
    const means = vocabulary.find((entry) => entry.words === words)?.means ?? "nothing"
    if (means === "nothing") return
    if (means === "out" && !certain && !listedWords.has(words.toUpperCase())) {
      this.blocks(person, account, sender)
      return
    }
    const said = this.#said.get(person) ?? []
    said.push({ at, order: this.#order++, sender: `${account}/${sender}`, means })
    this.#said.set(person, said)
  }

  blocks(person: string, account: string, sender: string): void {
    const known = this.#blocked.get(person) ?? new Set<string>()
    known.add(`${account}/${sender}`)
    this.#blocked.set(person, known)
  }

  #brandOf(sender: string): ReadonlySet<string> {
    const group = this.#groups.find(({ members }) => members.some((one) => `${one.account}/${one.sender}` === sender))
    return new Set(group?.members.map((one) => `${one.account}/${one.sender}`))
  }

  /** Whether anybody ever gave a reason to block the pair. */
  mayBlock(person: string, account: string, sender: string): boolean {
    const brand = this.#brandOf(`${account}/${sender}`)
    const said = this.#said.get(person) ?? []
    return (
      said.some((one) => one.means === "out") ||
      [...(this.#blocked.get(person) ?? [])].some((one) => brand.has(one) || one.startsWith(`${account}/`))
    )
  }

  /** Whether the person ever asked this very sender to text again (L3). */
  mayUnblock(person: string, account: string, sender: string): boolean {
    return (this.#said.get(person) ?? []).some((one) => one.means === "in" && one.sender === `${account}/${sender}`)
  }

  /** Pairs that must be blocked once the world is quiet: somebody of the brand was told to stop, and this sender was not asked to text again since. */
  mustBeBlocked(): ReadonlyArray<{ readonly person: string; readonly sender: string }> {
    const must: Array<{ person: string; sender: string }> = []
    for (const [person, said] of this.#said) {
      for (const group of this.#groups) {
        const names = group.members.map((one) => `${one.account}/${one.sender}`)
        const out = said.findLast((one) => one.means === "out" && names.includes(one.sender))
        if (out === undefined) continue
        for (const sender of names) {
          const back = said.findLast((one) => one.means === "in" && one.sender === sender)
          if (back === undefined || back.order < out.order) must.push({ person, sender })
        }
      }
    }
    return must
  }
}
