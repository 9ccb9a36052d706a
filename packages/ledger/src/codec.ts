/** Between the domain's words and the columns'. */
import type { Recipient } from "@stopline/consent"

/** `+15551230000` as the bigint column has it. Fifteen digits at most, so exact. */
export const digits = (recipient: Recipient): number => Number(recipient.slice(1))

// Checked when it was stored, and far too many to be checked again.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
export const toRecipient = (digits: number): Recipient => `+${digits}` as Recipient
