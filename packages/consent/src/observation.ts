/**
 * One thing one provider, person or import told us once. Immutable; never inferred.
 */
import type { AccountName, EverySender, Recipient, SenderAddress } from "./address.ts"
import type { Interval } from "./time.ts"

export type ConsentState = "opted-out" | "opted-in"

export const opposite = (state: ConsentState): ConsentState => (state === "opted-out" ? "opted-in" : "opted-out")

/** Who wanted it so, as far as the teller says. */
export const origins = ["recipient", "carrier", "account", "api", "operator", "import", "unknown"] as const
export type Origin = (typeof origins)[number]

/** How we came to know. */
export const bases = ["message", "event", "listed", "checked", "send-error", "attested", "imported"] as const
export type Basis = (typeof bases)[number]

/** How far an opt-in's words carry: to the sender they were said to, or to its whole group. */
export type Reach = "pair" | "group"

/** What backs an observation up. Never the text of a message. */
export interface Evidence {
  readonly messageId?: string
  readonly eventId?: string
  /** The keyword or phrase that was recognised, normalised: `STOP`. */
  readonly keyword?: string
  /** The text was a word that the provider acts on by itself, and nothing else. */
  readonly acted?: boolean
  /** The text was such a word, and whether the provider acts on it at this sender is not known. */
  readonly mayHaveActed?: boolean
  /** The named person behind an attestation, and how they know. */
  readonly attestedBy?: string
  readonly note?: string
}

export interface Observation {
  readonly account: AccountName
  readonly sender: SenderAddress | EverySender
  readonly recipient: Recipient
  readonly state: ConsentState
  readonly origin: Origin
  readonly basis: Basis
  readonly time: Interval
  readonly reach: Reach
  /**
   * The identity of the fact at its account: the same key and recipient again is
   * the same fact again (L11). Null for a change found by reading: there the view
   * itself knows whether it is new.
   */
  readonly key: string | null
  readonly evidence: Evidence
}

/**
 * Whether the teller speaks of what the provider *holds* (its list, its block),
 * or of what a person wants. Only the first kind moves the view of that provider.
 */
export const speaksOfHolding = (basis: Basis): boolean =>
  basis === "event" || basis === "listed" || basis === "checked" || basis === "send-error"

/** A person's own words: carried at once, and never held back by a guard (L8). */
export const isPersonal = (basis: Basis): boolean =>
  basis === "message" || basis === "event" || basis === "send-error" || basis === "attested"

/**
 * What a provider said it holds for a pair when it was read: a row of its list,
 * or its answer to a check. It becomes an observation only when it differs from
 * what that provider was last known to hold.
 */
export interface Reading {
  readonly sender: SenderAddress | EverySender
  readonly recipient: Recipient
  readonly state: ConsentState
  readonly origin: Origin
  /** The provider's own time for this state, where it gives one. */
  readonly at?: Interval
}
