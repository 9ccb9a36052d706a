/**
 * What the law calls an opt-out, as data with dates. Rules change; code that
 * reads them should not.
 */
export interface RuleSet {
  readonly id: string
  /** First and, where known, last moment it is in force (ms since the epoch). */
  readonly from: number
  readonly until?: number
  /** Replies that are an opt-out by themselves, normalised. */
  readonly optOutWords: ReadonlySet<string>
  readonly source: string
}

/**
 * United States. The seven words of 47 CFR 64.1200(a)(10), in force since
 * 2025-04-11; with the spellings that CTIA's Messaging Principles (2023-05,
 * 5.1.3) and carriers add. FCC 26-67 narrows what a STOP to an informational
 * text covers once it takes effect (date not found); the strict reading stays.
 */
const unitedStates2025: RuleSet = {
  id: "us-2025-04-11",
  from: Date.UTC(2025, 3, 11),
  optOutWords: new Set([
    "STOP",
    "QUIT",
    "END",
    "REVOKE",
    "OPT OUT",
    "OPTOUT",
    "CANCEL",
    "UNSUBSCRIBE",
    "STOPALL",
    "STOP ALL"
  ]),
  source: "47 CFR 64.1200(a)(10); CTIA Messaging Principles and Best Practices, May 2023, 5.1.3"
}

/** Newest first. */
export const unitedStates: ReadonlyArray<RuleSet> = [unitedStates2025]

/**
 * The rule set in force at a moment. Where none is, the last one before it, or
 * else the first one: rather the words of a rule than no words at all.
 *
 * @param rules newest first
 */
export const ruleAt = (rules: ReadonlyArray<RuleSet>, at: number): RuleSet =>
  rules.find((rule) => rule.from <= at && (rule.until === undefined || at < rule.until)) ??
  rules.find((rule) => rule.from <= at) ??
  rules.at(-1) ??
  unitedStates2025
