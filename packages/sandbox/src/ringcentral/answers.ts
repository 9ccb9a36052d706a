/**
 * How RingCentral refuses (RingCentral OpenAPI 2026-08-13). The SMS API repeats
 * the first error at the top; the platform's own API has only the list.
 */
import { type WireResponse, html, json } from "../wire.ts"

interface Details {
  readonly parameterName?: string
}

/** ASGErrorResponse: the shape of the a2p-sms API and of the gateway in front of it. */
const refuse = (
  status: number,
  errorCode: string,
  message: string,
  details: Details = {},
  headers: Readonly<Record<string, string>> = {}
): WireResponse => {
  const error = { errorCode, message, ...details }
  return json(status, { ...error, errors: [error] }, headers)
}

/** ApiErrorResponseModel: the shape of the subscription API. */
export const refusePlatform = (
  status: number,
  errorCode: string,
  message: string,
  details: Details = {}
): WireResponse => json(status, { errors: [{ errorCode, message, ...details }] })

/** The shape of the OAuth endpoints. Which OAU code goes with which `error` is mostly not published; clients go by `error`. */
export const refuseOauth = (error: string, errorCode: string, description: string): WireResponse =>
  json(400, {
    error,
    error_description: description,
    errorCode,
    message: description,
    errors: [{ errorCode, message: description }]
  })

export const parameterInvalid = (parameterName: string): WireResponse =>
  refuse(400, "CMN-101", `Parameter [${parameterName}] value is invalid.`, { parameterName })

/** The same as the newer API of consents says it. */
export const parameterRefused = (parameterName: string): WireResponse =>
  refusePlatform(400, "CMN-101", `Parameter [${parameterName}] value is invalid.`, { parameterName })

export const unreadable: WireResponse = refuse(400, "CMN-104", "Cannot parse request")

export const accountUnknown: WireResponse = refuse(404, "CMN-102", "Resource for parameter [accountId] is not found.", {
  parameterName: "accountId"
})

/** Which of the token codes stands for what is not published; clients go by the status. */
export const tokenUnknown: WireResponse = refuse(401, "OAU-129", "Access token corrupted")
export const tokenExpired: WireResponse = refuse(401, "OAU-128", "Access token expired")

/** The app lacks a permission. */
export const notPermitted = (permission: string): WireResponse =>
  refuse(403, "CMN-401", `In order to call this API endpoint, application needs to have [${permission}] permission`)

export const rateExceeded = (headers: Readonly<Record<string, string>>): WireResponse =>
  refuse(429, "CMN-301", "Request rate exceeded", {}, headers)

export const excuses = {
  throttled: rateExceeded,
  unavailable: (status: number): WireResponse =>
    status === 500
      ? refuse(500, "CMN-203", "Internal Server Error")
      : html(status, "<html><body>Service temporarily unavailable</body></html>")
}

export const notFound: WireResponse = refuse(404, "CMN-102", "Resource is not found")
