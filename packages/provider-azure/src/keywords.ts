/**
 * The words Azure acts on by itself, where it does so: its opt-out service for
 * short codes and for Messaging Connect (Azure SMS FAQ; Messaging Connect guide:
 * opt-out management). It matches whole messages, not words in a sentence. Not
 * every sender knows all of them: ARRET and UNSTOP are not among the words of a
 * short code, and a toll-free number's carrier knows STOP, START and UNSTOP.
 */
import type { KeywordSet } from "@stopline/consent"

export const azureKeywords: KeywordSet = {
  optOut: ["STOP", "ARRET", "QUIT", "END", "REVOKE", "OPT OUT", "CANCEL", "UNSUBSCRIBE"],
  optIn: ["START", "UNSTOP"]
}
