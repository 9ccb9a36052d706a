/**
 * HMAC access-key authentication of Azure Communication Services: the content
 * hash is checked first, then the signature over
 * `VERB\npath?query\ndate;host;hash` (Azure docs: sign an HTTP request).
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto"
import type { WireRequest, WireResponse } from "../wire.ts"
import { denied, unauthorized } from "./answers.ts"

/** Not published for this service; App Configuration, which signs the same way, allows a quarter of an hour. */
export const dateTolerance = 15 * 60_000

const same = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Undefined when the request proves to come from a holder of the key; otherwise how it is refused. */
export const refuseUnsigned = (
  request: WireRequest,
  accessKey: string,
  now: number,
  tolerance: number
): WireResponse | undefined => {
  const { authorization, host = "", "x-ms-content-sha256": hash = "", "x-ms-date": date = "" } = request.headers
  const sent = /^HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=(.+)$/i.exec(
    authorization ?? ""
  )
  if (sent === null) return unauthorized
  if (!same(hash, createHash("sha256").update(request.body).digest("base64"))) {
    return denied("Request 'x-ms-content-sha256' differs from generated content hash.")
  }
  const at = Date.parse(date)
  // The wording is ours: how the service puts it is not published.
  if (Number.isNaN(at) || Math.abs(now - at) > tolerance)
    return denied("Request 'x-ms-date' is too far from server time.")
  const target = request.query === "" ? request.path : `${request.path}?${request.query}`
  const text = `${request.method}\n${target}\n${date};${host};${hash}`
  const expected = createHmac("sha256", Buffer.from(accessKey, "base64")).update(text).digest("base64")
  return same(sent[1]!, expected) ? undefined : unauthorized
}
