/**
 * The words Azure acts on by itself: exact after trimming and folding case,
 * never inside a sentence (Azure docs: SMS FAQ, Messaging Connect).
 *
 * Short codes of the United States know START, but not UNSTOP; ARRET and UNSTOP are words of Messaging Connect, by which
 * Azure has its numbers in other countries.
 * For 10DLC nothing is published; it is taken to behave like a short code, where it is chosen whether Azure acts
 * on them at all (see the option actsAt).
 * Toll-free opt-outs belong to the carriers, who know only STOP, START and UNSTOP.
 */
import type { Action } from "../account.ts"

interface Words {
  readonly out: ReadonlySet<string>
  readonly back: ReadonlySet<string>
}

const usual = ["STOP", "QUIT", "END", "REVOKE", "OPT OUT", "CANCEL", "UNSUBSCRIBE"]
const tollFree: Words = { out: new Set(["STOP"]), back: new Set(["START", "UNSTOP"]) }
const northAmerican: Words = { out: new Set(usual), back: new Set(["START"]) }
const abroad: Words = { out: new Set([...usual, "ARRET"]), back: new Set(["START", "UNSTOP"]) }

/** North American toll-free codes. */
export const isTollFree = (sender: string): boolean => /^\+18(00|33|44|55|66|77|88)\d{7}$/.test(sender)

const wordsAt = (sender: string): Words => {
  if (isTollFree(sender)) return tollFree
  return sender.startsWith("+") && !sender.startsWith("+1") ? abroad : northAmerican
}

export const hear = (sender: string, text: string): { keyword: string; action: Action } | undefined => {
  const keyword = text.trim().toUpperCase()
  const { back, out } = wordsAt(sender)
  if (out.has(keyword)) return { keyword, action: "opt-out" }
  return back.has(keyword) ? { keyword, action: "opt-in" } : undefined
}
