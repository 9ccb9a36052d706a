/**
 * The four shapes in which Azure refuses a request (Azure OpenAPI 2026-01-23,
 * examples, and recorded traffic for `InvalidInput`).
 */
import { type WireResponse, json } from "../wire.ts"

/** Problem details of ASP.NET: `errors` by field, in Pascal case. */
export const validation = (field: string, message: string, traceId: string): WireResponse =>
  json(
    400,
    {
      type: "https://tools.ietf.org/html/rfc9110#section-15.5.1",
      title: "One or more validation errors occurred.",
      status: 400,
      errors: { [field]: [message] },
      traceId
    },
    { "content-type": "application/problem+json; charset=utf-8" }
  )

const standard = (status: number, code: string, message: string): WireResponse =>
  json(status, { error: { code, message, innerError: null } })

export const versionMissing = standard(
  400,
  "ApiVersionUnspecified",
  "An API version is required, but was not specified."
)

export const versionUnknown = (uri: string, version: string): WireResponse =>
  standard(
    400,
    "InvalidApiVersion",
    `The HTTP resource that matches the request URI '${uri}' does not support the API version '${version}'.`
  )

/** Recorded traffic: the whole request is refused because of one number, and `target` does not say which. */
export const invalidInput: WireResponse = json(
  400,
  { error: { code: "InvalidInput", message: "Request parameter   is invalid.", target: "" } },
  { "content-type": "application/json" }
)

export const denied = (message: string): WireResponse => json(401, { error: { code: "Denied", message } })

/** Says nothing on purpose: a wrong key, or a sender of somebody else. */
export const unauthorized: WireResponse = json(401, { error: { code: "Unauthorized", message: "" } })

/** No body for these is published; clients must not depend on one. */
export const excuses = {
  throttled: (headers: Readonly<Record<string, string>>): WireResponse =>
    json(429, { error: { code: "TooManyRequests", message: "Too many requests." } }, headers),
  unavailable: (status: number): WireResponse =>
    json(status, { error: { code: "ServiceUnavailable", message: "The service is unavailable." } })
}

export const notFound: WireResponse = { status: 404, headers: {}, body: "" }
