/**
 * What a text message says about consent.
 *
 * Three tiers, of which two are here: exact words after normalising, then
 * phrases that a reasonable person takes for a wish to hear no more. The words a
 * provider acts on belong to that provider; the words the law names belong to a
 * rule set. Both are read, because providers miss words that the law names.
 */
import type { ConsentState, Reach } from "./observation.ts"
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

/**
 * Upper case, one space between words, no punctuation and no emoji: `Stop!! 🛑` is `STOP`,
 * `Opt-Out` is `OPT OUT`, `s.t.o.p` is `STOP`.
 */
export const normalise = (text: string): string => {
  const words = text
    .normalize("NFKC")
    .toUpperCase()
    .replace(/['’‘`´]/gu, "")
    .replace(/[^\p{L}\p{N}]+/gu, " ")
    .trim()
  return /^\p{L}( \p{L})+$/u.test(words) ? words.replaceAll(" ", "") : words
}

/**
 * Words that mean "text me again" wherever they are said. A provider's own
 * opt-in words beyond these (YES, CONTINUE, RESUME) are ordinary replies
 * elsewhere, so they clear nothing but the pair they were said to.
 */
const universalOptIn: ReadonlySet<string> = new Set(["START", "UNSTOP"])

/** Said before a stop word, it is no wish to stop: "don't stop", "can't unsubscribe". */
const negated = /\b(DONT|DO NOT|NEVER|WONT|WILL NOT|CANT|CANNOT|CAN NOT|DIDNT|DID NOT|NON)\s+(EVER\s+)?$/u

const phrases: ReadonlyArray<RegExp> = [
  /\bSTOP (IT|NOW|PLEASE|PLS|ALL|TEXTING|TEXTS|TXTING|MESSAGING|MESSAGES|SENDING|CONTACTING|BOTHERING|SPAMMING|CALLING|THIS|THESE|THE TEXTS|THE MESSAGES)\b/u,
  /\b(PLEASE|PLS|PLZ|JUST) STOP\b/u,
  /\bOPT (ME )?OUT\b/u,
  /\bOPTING OUT\b/u,
  /\bOPTOUT (PLEASE|PLS|ME|NOW)\b/u,
  /\bUNSUBSCRIBE (ME|PLEASE|PLS|NOW|FROM)\b/u,
  /\b(PLEASE|PLS|PLZ) (UNSUBSCRIBE|CANCEL|QUIT|END|REMOVE)\b/u,
  /\bREMOVE (ME|MY NUMBER|THIS NUMBER)\b/u,
  /\bTAKE (ME|MY NUMBER|THIS NUMBER) OFF\b/u,
  /\b(DELETE|LOSE) MY NUMBER\b/u,
  /\bLEAVE ME ALONE\b/u,
  /\b(DONT|DO NOT|NEVER) (EVER )?(TEXT|TXT|MESSAGE|CONTACT|CALL|SEND)\b/u,
  /\b(DONT|DO NOT|NO LONGER) (WANT|WISH) (TO (BE CONTACTED|RECEIVE|GET|HEAR)|ANY|YOUR|THESE|MORE|TEXTS|MESSAGES)\b/u,
  /\bNO MORE (TEXTS?|TXTS?|MESSAGES?|SMS)\b/u,
  /\bCEASE AND DESIST\b/u,
  /\b(REVOKE|WITHDRAW) (MY )?CONSENT\b/u,
  /\bQUIT (TEXTING|TXTING|MESSAGING|SENDING)\b/u
]

const optOutPhrase = (words: string): string | undefined => {
  for (const phrase of phrases) {
    const match = phrase.exec(words)
    if (match !== null && !negated.test(words.slice(0, match.index))) return match[0]
  }
  return undefined
}

/** What the text says, read by the provider's own words and by the rule in force. Undefined: nothing about consent. */
export const hear = (text: string, vendor: KeywordSet, rule: RuleSet): Heard | undefined => {
  const words = normalise(text)
  if (words === "") return undefined
  if (rule.optOutWords.has(words) || vendor.optOut.includes(words)) {
    return { state: "opted-out", tier: "keyword", keyword: words, reach: "group" }
  }
  if (vendor.optIn.includes(words)) {
    return { state: "opted-in", tier: "keyword", keyword: words, reach: universalOptIn.has(words) ? "group" : "pair" }
  }
  const phrase = optOutPhrase(words)
  return phrase === undefined ? undefined : { state: "opted-out", tier: "phrase", keyword: phrase, reach: "group" }
}
