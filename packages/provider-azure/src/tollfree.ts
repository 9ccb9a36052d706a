/**
 * Toll-free opt-outs are held by the carriers, and the business cannot lift
 * them (Azure SMS FAQ: opt-outs for toll-free numbers). What removing the entry
 * at Azure would do is written nowhere, so it is never tried: it could make the
 * pair look reachable while the carrier still blocks it.
 */
import { isTollFree, type SenderAddress } from "@stopline/consent"

const words =
  "the carrier holds the opt-out of a toll-free sender, and only the recipient can lift it: " +
  "they must text START or UNSTOP to this sender from their own phone"

/** Why this sender's pairs cannot be opted in, and what to tell the person. Undefined: they can. */
export const tollFreeOptIn = (sender: SenderAddress): string | undefined => (isTollFree(sender) ? words : undefined)
