/**
 * Whether a request failed before it left: then nothing was done, and a write
 * leaves no doubt (L7).
 */
import { Predicate } from "effect"

/** Codes of Node's, and of its fetch: the connection was never made. Any other break may have come after the request had arrived. */
export const neverConnected: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT"
])

/** Looks for the code on the error itself, and on what an HTTP client has wrapped in it. */
export const neverSent = (error: unknown): boolean => {
  if (!Predicate.isObject(error)) return false
  if ("code" in error) return neverConnected.has(String(error["code"]))
  return ["reason", "cause"].some((name) => neverSent(Predicate.hasProperty(error, name) ? error[name] : undefined))
}
