/**
 * The words RingCentral acts on by itself (RingCentral guide: High Volume SMS).
 * How it treats case, spaces and sentences is not published; taken to be exact
 * after trimming and folding case.
 */
import type { Action } from "../account.ts"

const out = new Set(["STOP", "UNSUBSCRIBE", "QUIT", "CANCEL", "END"])
const back = new Set(["START", "SUBSCRIBE", "RESUME", "CONTINUE", "UNSTOP"])

export const hear = (text: string): { keyword: string; action: Action } | undefined => {
  const keyword = text.trim().toUpperCase()
  if (out.has(keyword)) return { keyword, action: "opt-out" }
  return back.has(keyword) ? { keyword, action: "opt-in" } : undefined
}
