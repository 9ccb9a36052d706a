/**
 * Webhooks: a form, signed with the Auth Token over the URL and every parameter
 * sorted by name (Twilio docs, webhooks security).
 */
import { createHmac } from "node:crypto"
import { Schema } from "effect"
import type { Delivery } from "../courier.ts"

/** The URL that a colleague enters in Twilio's console, for texts and for status callbacks. */
export const TwilioWebhook = Schema.Struct({
  account: Schema.String,
  /** Plain HTTP on loopback is fine here. */
  url: Schema.String.check(Schema.isPattern(/^https?:\/\//, { message: "Expected an http or https URL" })),
  /** What Twilio signs, where a proxy gives the webhook another URL. Default: `url`. */
  publicUrl: Schema.optionalKey(Schema.String)
})
export type TwilioWebhook = typeof TwilioWebhook.Type

export type Parameters = Readonly<Record<string, string>>

const signatureOf = (authToken: string, url: string, parameters: Parameters): string => {
  const names = Object.keys(parameters).toSorted()
  const text = names.reduce((text, name) => text + name + (parameters[name] ?? ""), url)
  return createHmac("sha1", authToken).update(text).digest("base64")
}

/** Connection, read and total time (Twilio docs, webhook connection overrides). */
const timeout = 15_000

/** An answer of any kind ends it; a connection that fails is tried once more (retry count 1 by default, same page). */
export const deliveryTo = (webhook: TwilioWebhook, authToken: string, parameters: Parameters): Delivery => ({
  request: () => ({
    method: "POST",
    url: webhook.url,
    headers: {
      "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
      "user-agent": "TwilioProxy/1.1",
      "x-twilio-signature": signatureOf(authToken, webhook.publicUrl ?? webhook.url, parameters)
    },
    body: new URLSearchParams(parameters).toString(),
    timeout
  }),
  settle: (answer, attempt) => (answer._tag === "Unreachable" && attempt === 0 ? 0 : undefined)
})
