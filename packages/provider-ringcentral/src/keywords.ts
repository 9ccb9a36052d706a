/**
 * The words RingCentral acts on by itself (RingCentral guide: opt-out of
 * high-volume SMS). REVOKE, OPT OUT and STOPALL are not among them: whoever
 * texts one of those is blocked only because the text is read here, too.
 */
import type { KeywordSet } from "@stopline/consent"

export const ringcentralKeywords: KeywordSet = {
  optOut: ["STOP", "UNSUBSCRIBE", "QUIT", "CANCEL", "END"],
  optIn: ["START", "SUBSCRIBE", "RESUME", "CONTINUE", "UNSTOP"]
}
