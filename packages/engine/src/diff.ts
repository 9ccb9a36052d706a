/**
 * What follows from one difference between what must be held and what is known
 * to be held: a change, or a reason to leave it alone. Pure.
 */
import type { Basis, ConsentState, Recipient, SenderAddress } from "@stopline/consent"
import { type Difference, toRecipient } from "@stopline/ledger"

/** What can be written for a sender, described; there is no port in it to write with (L8). */
export interface Writability {
  /** Undefined: it can be written. Otherwise why not. */
  readonly optOut: string | undefined
  readonly optIn: string | undefined
}

export type ChangeReason =
  /** The recipient opted out, and the provider is not known to hold it. */
  | "opt-out"
  /** The provider lifted a block, and nobody whose word counts said so. */
  | "reassert"
  /** The recipient opted back in, and the provider still blocks. */
  | "opt-in"

interface Item {
  readonly sender: SenderAddress
  readonly recipient: Recipient
  readonly to: ConsentState
  readonly reason: ChangeReason
  /** The observation that decides (L13). */
  readonly because: number | undefined
  readonly basis: Basis | undefined
}

export interface Change extends Item {
  readonly _tag: "Change"
  /** A person's own words: no guard holds it back. */
  readonly personal: boolean
  /** Counts towards a guard's limit. */
  readonly guarded: boolean
}

export type WithheldReason =
  /** The provider, or this sender of it, cannot be written so. */
  | "cannot"
  /** The provider refused this recipient. */
  | "refused"
  /** A block was lifted only just now, or may be lifted only on the person's own words: evidence may be on its way. */
  | "awaiting-evidence"
  /** The provider blocks the recipient for every sender of the account. */
  | "held-for-all"

export interface Withheld extends Item {
  readonly _tag: "Withheld"
  readonly why: WithheldReason
  readonly detail: string
}

export interface Moment {
  readonly now: number
  readonly confirmMs: number
}

export const judge = (
  difference: Difference,
  sender: SenderAddress,
  writability: Writability,
  moment: Moment
): Change | Withheld => {
  const { must } = difference
  const reason = reasonFor(difference)
  const item: Item = {
    sender,
    recipient: toRecipient(difference.recipient),
    to: must,
    reason,
    because: difference.because,
    basis: difference.basis
  }
  const withheld = (why: WithheldReason, detail: string): Withheld => ({ _tag: "Withheld", ...item, why, detail })

  const cannot = must === "opted-out" ? writability.optOut : writability.optIn
  if (cannot !== undefined) return withheld("cannot", cannot)
  if (difference.refused !== undefined && (difference.refusedUntil ?? 0) > moment.now) {
    return withheld("refused", difference.refused)
  }
  if (must === "opted-in" && difference.heldForAll) {
    return withheld("held-for-all", "the provider blocks this person for every sender of the account; lift it there")
  }
  if (must === "opted-in" && difference.silencedBefore) {
    return withheld(
      "awaiting-evidence",
      "this person opted out of another group that the sender once spoke for; only their own words, later than that, lift it"
    )
  }
  if (reason === "reassert" && (difference.liftedAt ?? 0) + moment.confirmMs > moment.now) {
    return withheld(
      "awaiting-evidence",
      "the provider lifted this block; looking for the person's own words before it is put back"
    )
  }
  const personal = reason === "opt-out" && difference.inOwnWords
  // A backfill that a person started may be carried in bulk; what a provider has lifted since is something else.
  const started = reason === "opt-out" && difference.unguarded
  return { _tag: "Change", ...item, personal, guarded: !personal && !started }
}

/** A block lifted after the opt-out that counts is put back; anything else is carried for the first time. A tie is the opt-out's (L4). */
export const reasonFor = (difference: Difference): ChangeReason => {
  if (difference.must === "opted-in") return "opt-in"
  const { liftedAt, outAt } = difference
  return liftedAt !== undefined && outAt !== undefined && liftedAt > outAt ? "reassert" : "opt-out"
}
