/**
 * What became of one recipient of a write, in words that can be shown.
 */
import type { Recipient } from "@stopline/consent"
import type { WriteOutcome } from "@stopline/provider"

export const retryable = (recipient: Recipient, detail: string, mayHaveApplied: boolean): WriteOutcome => ({
  _tag: "Retryable",
  recipient,
  detail,
  mayHaveApplied
})

/** A failure comes with a sentence by somebody else. One with as many digits as a phone number is not repeated. */
export const quote = (message: string): string => {
  const words = message.trim().slice(0, 120)
  const digits = message.match(/\p{Nd}/gu)?.length ?? 0
  return words === "" || digits >= 7 ? "RingCentral says that it failed" : `RingCentral says: ${words}`
}
