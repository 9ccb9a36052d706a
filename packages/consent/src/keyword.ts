/**
 * What a text message says about consent.
 *
 * Three tiers, of which two are here: exact words after normalising, then
 * phrases that a reasonable person takes for a wish to hear no more. An opt-in is
 * a word that stands alone, and never guessed (L3). The words a provider acts on
 * belong to that provider; the words the law names belong to a rule set. Both are
 * read, because providers miss words that the law names.
 */
import type { ConsentState, Reach } from "./observation.ts"
import { optOutPhrase } from "./phrase.ts"
import { isReaction } from "./reaction.ts"
import type { RuleSet } from "./rules.ts"

/** The words one provider acts on by itself, normalised. */
export interface KeywordSet {
  readonly optOut: ReadonlyArray<string>
  readonly optIn: ReadonlyArray<string>
}

export interface Heard {
  readonly state: ConsentState
  readonly tier: "keyword" | "phrase"
  /** The keyword or phrase, normalised; never the message itself. */
  readonly keyword: string
  readonly reach: Reach
}

/** What is written inside a word and not said: apostrophes as phones write them, and marks that nobody sees. */
const unsaid = /['’‘‛`´ʼ′＇\p{Cf}]/gu

/**
 * Upper case, one space between words, no punctuation, no accents and no emoji:
 * `Stop!! 🛑` is `STOP`, `Opt-Out` is `OPT OUT`, `s.t.o.p` is `STOP`, `Arrêt` is
 * `ARRET`. Normalising twice is normalising once.
 */
export const normalise = (text: string): string => {
  const words = text
    .replace(unsaid, "")
    .normalize("NFKD")
    .toUpperCase()
    .normalize("NFKD")
    .replace(unsaid, "")
    .replace(/\p{M}/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim()
  const spelled = /^\p{L}( \p{L})+$/u.test(words) ? words.replaceAll(" ", "") : words
  return spelled.normalize("NFC")
}

const quotes = String.raw`[\s"'‚„\p{Pi}\p{Pf}]{0,4}`
/** A word and no more, but for what phones put around it, and a dot or some joy behind it. */
const alone = new RegExp(`^${quotes}(.*?)${quotes}(?:\\.|!{1,9})?${quotes}$`, "su")

/**
 * Upper case as well, for an opt-in: there a doubt (`Start?`), a grimace (`Yes 🙄`)
 * and the accents of another word (`Résumé`) say something, and stay.
 */
const plainly = (text: string): string => {
  const seen = text.normalize("NFKC").replace(/\p{Cf}/gu, "")
  const word = alone.exec(seen.trim())?.[1] ?? ""
  return word.toUpperCase().normalize("NFC").replace(/\s+/gu, " ")
}

/**
 * Where a clause ends. A dot or a comma between two words ends one as well, as in
 * `Stop.Who is this`, but not in `s.t.o.p`, in a web address, or in `stop.by later`.
 */
const clauseEnd =
  /[!?;:()…]+|[.,]{1,9}(?=\s|$)|(?<=\p{L}{2})(?:,|\.(?!(?:by|com|net|org)\b))(?=\p{L}{2})|[\r\n\u2028\u2029]+|\s[-–—]+\s/u

/**
 * Words that mean "text me again" wherever they are said. A provider's own
 * opt-in words beyond these (YES, CONTINUE, RESUME) are ordinary replies
 * elsewhere, so they clear nothing but the pair they were said to.
 */
const universalOptIn: ReadonlySet<string> = new Set(["START", "UNSTOP"])

/** What the text says, read by the provider's own words and by the rule in force. Undefined: nothing about consent. */
export const hear = (text: string, vendor: KeywordSet, rule: RuleSet): Heard | undefined => {
  const words = normalise(text)
  if (words === "" || isReaction(text)) return undefined
  if (rule.optOutWords.has(words) || vendor.optOut.includes(words)) {
    return { state: "opted-out", tier: "keyword", keyword: words, reach: "group" }
  }
  const plain = plainly(text)
  if (vendor.optIn.includes(plain)) {
    return { state: "opted-in", tier: "keyword", keyword: plain, reach: universalOptIn.has(plain) ? "group" : "pair" }
  }
  for (const clause of text.split(clauseEnd)) {
    const phrase = optOutPhrase(normalise(clause))
    if (phrase !== undefined) return { state: "opted-out", tier: "phrase", keyword: phrase, reach: "group" }
  }
  return undefined
}

/**
 * Whether the text is the keyword and nothing else. A provider that knows the word
 * acts on such a text; what it makes of `Start.` or `"START"` nobody knows.
 */
export const isVerbatim = (text: string, { keyword }: Pick<Heard, "keyword">): boolean =>
  text.trim().toUpperCase() === keyword
