/**
 * The words Azure acts on by itself: exact after trimming and folding case,
 * never inside a sentence (Azure docs: SMS FAQ, Messaging Connect).
 *
 * For 10DLC nothing is published; it is taken to behave like a short code, where it is chosen whether Azure acts
 * on them at all (see the option actsAt).
 * Toll-free opt-outs belong to the carriers, who know only STOP, START and UNSTOP.
 */
import type { Action } from "../account.ts"

const out = new Set(["STOP", "ARRET", "QUIT", "END", "REVOKE", "OPT OUT", "CANCEL", "UNSUBSCRIBE"])
const back = new Set(["START", "UNSTOP"])
const tollFreeOut = new Set(["STOP"])

/** North American toll-free codes. */
export const isTollFree = (sender: string): boolean => /^\+18(00|33|44|55|66|77|88)\d{7}$/.test(sender)

export const hear = (sender: string, text: string): { keyword: string; action: Action } | undefined => {
  const keyword = text.trim().toUpperCase()
  if ((isTollFree(sender) ? tollFreeOut : out).has(keyword)) return { keyword, action: "opt-out" }
  return back.has(keyword) ? { keyword, action: "opt-in" } : undefined
}
