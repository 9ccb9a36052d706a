/**
 * The words Twilio acts on by itself: the whole text, one word (Twilio docs,
 * Advanced Opt-Out; Twilio support, article 223134027; opt-ins: error 23004).
 *
 * US toll-free opt-outs belong to the carriers, who know only STOP, START and
 * UNSTOP (Twilio support, article 360058144374).
 */
import type { Action } from "../account.ts"
import { isTollFree } from "../azure/keywords.ts"

const out = new Set(["STOP", "UNSUBSCRIBE", "END", "QUIT", "STOPALL", "REVOKE", "OPTOUT", "CANCEL"])
const back = new Set(["START", "YES", "UNSTOP"])
const help = new Set(["HELP", "INFO"])
const tollFreeOut = new Set(["STOP"])
const tollFreeBack = new Set(["START", "UNSTOP"])

export interface Keyword {
  readonly keyword: string
  readonly action?: Action
  /** What Advanced Opt-Out calls it. */
  readonly type: "STOP" | "START" | "HELP"
}

export const hear = (sender: string, text: string): Keyword | undefined => {
  const keyword = text.trim().toUpperCase()
  const tollFree = isTollFree(sender)
  if ((tollFree ? tollFreeOut : out).has(keyword)) return { keyword, action: "opt-out", type: "STOP" }
  if ((tollFree ? tollFreeBack : back).has(keyword)) return { keyword, action: "opt-in", type: "START" }
  return help.has(keyword) ? { keyword, type: "HELP" } : undefined
}
