/**
 * What must be true, from what people did and nothing else: it shares no code
 * with the engine.
 */
import type { Group, OptInPolicy } from "@stopline/consent"
import type { Configuration } from "./reform.ts"
import type { SimVendor } from "./universe.ts"
import { isNarrow, meaningOf } from "./vocabulary.ts"

/** Somebody said, for one sender, that they want no more texts or want them again. */
export interface Said {
  /** True time (ms). */
  readonly at: number
  readonly order: number
  readonly person: string
  /** `account/sender`. */
  readonly sender: string
  readonly means: "out" | "in"
  readonly words: string
  /** The brands that the sender spoke for when it was said, and since then until we had it: `""` is none. */
  readonly brands: Set<string>
  /** When we said that we have it: a webhook was answered 2xx, a command ended well. */
  knownAt: number | undefined
}

/** In place of words. */
const lifted = "lifted"

export class Oracle {
  #groups: ReadonlyArray<Group> = []
  /** Every brand that a sender ever spoke for. */
  readonly #ever = new Map<string, Set<string>>()
  /** The brand that each sender spoke for last, and since when. */
  readonly #joined = new Map<string, { readonly brand: string; readonly at: number }>()
  readonly #said = new Map<string, Array<Said>>()
  /** Pairs that a colleague opted out in a console. */
  readonly #edited = new Map<string, Set<string>>()
  readonly #refused = new Set<string>()
  #policy: OptInPolicy
  readonly #tolerance: number
  #order = 0

  /** @param tolerance how far clocks may differ (ms): facts that lie closer together have no order */
  constructor(configuration: Configuration, tolerance: number) {
    this.#policy = configuration.policy
    this.#tolerance = tolerance
    this.reform(configuration, Number.NEGATIVE_INFINITY)
  }

  /** A new configuration: who speaks for which brand, and what an opt-in is worth. */
  reform({ groups, policy }: Configuration, at: number): void {
    this.#groups = groups
    this.#policy = policy
    for (const { name, members } of groups) {
      for (const { account, sender } of members) {
        const place = `${account}/${sender}`
        this.#everOf(place).add(name)
        // One that was nowhere meanwhile was never away.
        if (this.#joined.get(place)?.brand !== name) this.#joined.set(place, { brand: name, at })
      }
    }
    // What has not reached us yet counts for the brand that its sender will speak for.
    for (const one of [...this.#said.values()].flat()) {
      if (one.knownAt === undefined) one.brands.add(this.#brandOf(one.sender))
    }
  }

  /** A person texts. Returns what it means, if anything. */
  texts(person: string, sender: string, words: string, at: number, vendor: SimVendor | undefined): Said | undefined {
    const means = meaningOf(words, vendor)
    return means === "nothing" ? undefined : this.says(person, sender, words, means, at)
  }

  /** A person says it, or somebody who knows says it for them. */
  says(person: string, sender: string, words: string, means: Said["means"], at: number): Said {
    const brands = new Set([this.#brandOf(sender)])
    const said = { at, order: this.#order++, person, sender, means, words, brands, knownAt: undefined }
    this.#of(person).push(said)
    return said
  }

  edits(person: string, sender: string): void {
    const edited = this.#edited.get(person) ?? new Set<string>()
    edited.add(sender)
    this.#edited.set(person, edited)
  }

  /** A text to them was refused: whoever hears of that takes it for their own word. */
  refuses(person: string): void {
    this.#refused.add(person)
  }

  /** What a text said, if it was said to this sender in these words about that time. */
  saying(person: string, sender: string, means: Said["means"], from: number, to: number): Said | undefined {
    return this.#of(person).find(
      (one) => one.sender === sender && one.means === means && one.at >= from && one.at <= to
    )
  }

  #of(person: string): Array<Said> {
    const known = this.#said.get(person)
    if (known !== undefined) return known
    const fresh: Array<Said> = []
    this.#said.set(person, fresh)
    return fresh
  }

  #brands(): ReadonlyArray<{ readonly brand: string; readonly names: ReadonlyArray<string> }> {
    return this.#groups.map(({ members, name }) => ({
      brand: name,
      names: members.map((one) => `${one.account}/${one.sender}`)
    }))
  }

  /** The brand that a sender speaks for; `""`: none. */
  #brandOf(sender: string): string {
    return this.#brands().find(({ names }) => names.includes(sender))?.brand ?? ""
  }

  #everSharedBrand(one: string, other: string): boolean {
    return !this.#everOf(one).isDisjointFrom(this.#everOf(other))
  }

  #everOf(sender: string): Set<string> {
    const known = this.#ever.get(sender)
    if (known !== undefined) return known
    const fresh = new Set<string>()
    this.#ever.set(sender, fresh)
    return fresh
  }

  /** A provider lifted a block for a person's word, be it one that means nothing elsewhere. */
  lifts(person: string, sender: string, at: number): void {
    this.says(person, sender, lifted, "in", at)
  }

  /** Whether an opt-in counts for a sender: one that was said to it, or to its brand in words that reach so far, or that its provider took for one. */
  #counts(one: Said, sender: string, brand = this.#brandOf(sender)): boolean {
    if (one.means !== "in" || (one.words === lifted && this.#policy !== "trusting")) return false
    const reaches = this.#policy === "group" && !isNarrow(one.words)
    return one.sender === sender || (reaches && brand !== "" && one.brands.has(brand))
  }

  /** Whether anybody ever gave a reason to block the pair. */
  mayBlock(person: string, sender: string): boolean {
    const account = sender.split("/")[0]
    return (
      this.#of(person).some((one) => one.means === "out") ||
      // While a configuration is rolled out, somebody still goes by the brands of before.
      [...(this.#edited.get(person) ?? [])].some(
        (one) => this.#everSharedBrand(one, sender) || one.startsWith(`${account}/`)
      )
    )
  }

  /** Whether the person, or a named person for them, ever asked this sender to text again (L3). */
  mayUnblock(person: string, sender: string): boolean {
    return this.#of(person).some((one) => this.#counts(one, sender))
  }

  /** Whether anything was ever said to this very sender, by the person or for them. */
  isNamed(person: string, sender: string): boolean {
    return this.#of(person).some((one) => one.sender === sender)
  }

  /** Whether an opt-in that was said to this very sender was heard of since, or is still to be heard of. */
  optInHeardSince(person: string, sender: string, since: number): boolean {
    return this.#of(person).some(
      ({ knownAt = since, means, sender: told }) => told === sender && means === "in" && knownAt >= since
    )
  }

  /** Whether they said so themselves that they want no more texts: then no guard holds it back (L8). */
  inOwnWords(person: string): boolean {
    return this.#refused.has(person) || this.#of(person).some((one) => one.means === "out" && one.words !== "imported")
  }

  /**
   * The senders that must be silent towards a person: somebody who has ever spoken for their brand was told to stop, and
   * they were not asked to text again since.
   *
   * @param counts which opt-outs can be known
   */
  silent(person: string, counts: (said: Said) => boolean): ReadonlyArray<string> {
    const said = this.#of(person)
    return this.#brands().flatMap(({ brand, names }) => {
      const outs = said.filter((one) => one.means === "out" && this.#everOf(one.sender).has(brand) && counts(one))
      return names.filter((sender) => {
        const backs = said.filter((one) => this.#counts(one, sender, brand))
        return this.#stands(outs, backs)
      })
    })
  }

  /** The same, of what we said that we have by a moment. */
  silentBy(person: string, moment: number): ReadonlyArray<string> {
    return this.silent(person, ({ knownAt }) => knownAt !== undefined && knownAt <= moment)
  }

  /** Whether a sender may not let a person through, by what we said that we have by a moment: any brand that it ever spoke for was told to stop. */
  mayNotUnblock(person: string, sender: string, moment: number): boolean {
    const said = this.#of(person)
    const outs = said.filter(
      ({ knownAt, means, sender: told }) =>
        means === "out" && knownAt !== undefined && knownAt <= moment && this.#everSharedBrand(told, sender)
    )
    const backs = said.filter((one) => this.#counts(one, sender))
    // What was said to a brand that it spoke for before, or had been heard of itself before it joined this one, is taken back
    // by no opt-in of others from before that.
    const former = this.#everOf(sender).difference(new Set([this.#brandOf(sender)]))
    const joined = this.#joinedAt(sender)
    const isFormer = ({ knownAt = joined, sender: told }: Said) =>
      !this.#everOf(told).isDisjointFrom(former) || (told === sender && knownAt < joined)
    const backsSince = backs.filter((one) => one.sender === sender || one.at >= joined - this.#tolerance)
    return outs.some((out) => this.#stands([out], isFormer(out) ? backsSince : backs))
  }

  #joinedAt(sender: string): number {
    return this.#joined.get(sender)?.at ?? Number.NEGATIVE_INFINITY
  }

  /** Whether one of the opt-outs was taken back by nothing that may have been said after it. */
  #stands(outs: ReadonlyArray<Said>, backs: ReadonlyArray<Said>): boolean {
    return outs.some((out) => backs.every((back) => this.#isBefore(back, out)))
  }

  /** Whether it was said first without doubt. A file tells of what was said long before. */
  #isBefore(one: Said, other: Said): boolean {
    return one.at <= other.at - this.#tolerance && (one.at < other.at || one.order < other.order)
  }

  /**
   * The senders that a person asked to text again, and was heard, after every opt-out of the brand, and of each that the
   * sender once spoke for (L11). What somebody did in a console counts from when it is found.
   *
   * @param found when an opt-out of theirs was last found by reading: all that is known of it is that it is no younger
   */
  free(person: string, found: number): ReadonlyArray<string> {
    const said = this.#of(person)
    return this.#brands().flatMap(({ brand, names }) =>
      names.filter((sender) => {
        const outs = said.filter((one) => one.means === "out" && this.#everSharedBrand(one.sender, sender))
        const before = Math.max(found, ...outs.map(({ at }) => at))
        const back = said.findLast(
          (one) =>
            this.#counts(one, sender, brand) &&
            // Whether it was heard while its sender spoke for this brand is not always known.
            (one.sender === sender || (one.brands.size === 1 && one.at > this.#joinedAt(sender) + this.#tolerance)) &&
            one.knownAt !== undefined
        )
        return back !== undefined && before + this.#tolerance < back.at
      })
    )
  }

  get people(): ReadonlyArray<string> {
    return [...new Set([...this.#said.keys(), ...this.#edited.keys()])]
  }
}
