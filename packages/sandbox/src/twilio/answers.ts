/**
 * How Twilio refuses a request (Twilio docs, errors 20003 and 20429). The codes
 * of the other refusals are not found; a client goes by the status.
 */
import { type WireResponse, json } from "../wire.ts"

const error = (status: number, code: number, message: string, headers: Readonly<Record<string, string>> = {}) =>
  json(status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status }, headers)

export const unauthorized: WireResponse = error(401, 20003, "Authenticate")

export const tooMany: WireResponse = error(429, 20429, "Too Many Requests")

export const invalid = (message: string): WireResponse => error(400, 20001, message)

export const notFound: WireResponse = error(404, 20404, "The requested resource was not found")

export const excuses = {
  throttled: (headers: Readonly<Record<string, string>>): WireResponse => ({
    ...tooMany,
    headers: { ...tooMany.headers, ...headers }
  }),
  unavailable: (status: number): WireResponse => error(status, 20500, "An internal server error has occurred")
}
