/**
 * `POST /v1/Consents/Bulk` (Twilio docs, Consent Management API, error 30646;
 * twilio-oai, twilio_accounts_v1.json). It answers 201 whatever is wrong with
 * its items, and says of each by itself what is.
 */
import { Option, Schema } from "effect"
import type { Call } from "../fault.ts"
import { type WireRequest, type WireResponse, json } from "../wire.ts"
import { invalid } from "./answers.ts"
import type { Service } from "./service.ts"

const maxItems = 25

const Text = Schema.optional(Schema.String)
const Consent = Schema.Struct({
  contact_id: Text,
  correlation_id: Text,
  sender_id: Text,
  status: Text,
  source: Text,
  date_of_consent: Text
})
type Consent = typeof Consent.Type

const readConsent = Schema.decodeUnknownOption(Schema.fromJsonString(Consent))

export interface Asked {
  readonly call: Call
  /** Each is JSON in a field of the form; undefined: it cannot be read. */
  readonly consents: ReadonlyArray<Consent | undefined>
}

export const askConsents = (service: Service, request: WireRequest): Asked => {
  const consents = new URLSearchParams(request.body)
    .getAll("Items")
    .map((item) => Option.getOrUndefined(readConsent(item)))
  const sender = consents.find((consent) => service.senders.includes(consent?.sender_id ?? ""))?.sender_id
  const recipients = [...new Set(consents.flatMap((consent) => consent?.contact_id ?? []))]
  return { call: { operation: "consents", sender, recipients }, consents }
}

const sources = new Set(["website", "offline", "opt-in-message", "opt-out-message", "others"])

/** The words of error 30646. */
const faultsOf = (service: Service, consent: Consent): ReadonlyArray<string> => {
  const { contact_id: contact = "", correlation_id: correlation = "", date_of_consent: date, sender_id = "" } = consent
  const known = [...service.senders, service.messagingService].includes(sender_id)
  return [
    /^\+[1-9]\d{6,14}$/.test(contact) ? [] : ["INVALID_CONTACT_ID"],
    /^[0-9a-f]{32}$/i.test(correlation) ? [] : ["INVALID_CORRELATION_ID"],
    known ? [] : ["INVALID_SENDER_ID"],
    ["opt-in", "opt-out"].includes(consent.status ?? "") ? [] : ["INVALID_STATUS"],
    sources.has(consent.source ?? "") ? [] : ["INVALID_SOURCE"],
    date === undefined || /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/.test(date) ? [] : ["INVALID_DATE_OF_CONSENT"]
  ].flat()
}

const item = (service: Service, call: Call, consent: Consent, index: number): object | undefined => {
  const { faults, holdings, surroundings } = service
  const { contact_id: contact = "", correlation_id, sender_id: sender = "", status } = consent
  const said = (code: number, messages: ReadonlyArray<string>) => ({
    correlation_id,
    error_code: code,
    error_messages: messages
  })
  const wrong = faultsOf(service, consent)
  if (wrong.length > 0) return said(30_646, wrong)
  const apply = (): void => {
    const now = surroundings.now()
    if (status === "opt-out") holdings.optOut(sender, contact, "Account", now)
    else holdings.release(sender, contact, now)
  }
  const fault = faults.takeItem(["item-refused", "item-error", "item-missing"], call, contact, index)
  if (fault === undefined || ("applied" in fault && fault.applied)) apply()
  if (fault === undefined) return said(0, [])
  if (fault.kind === "item-missing") return undefined
  return said(30_646, [fault.kind === "item-refused" ? "INVALID_CONTACT_ID" : "INTERNAL_SERVER_ERROR"])
}

/** What becomes of too many items, or of one that is no JSON, is not found: the whole request is refused here. */
export const answerConsents = (service: Service, { call, consents }: Asked): WireResponse => {
  if (consents.length === 0) return invalid("Items is required")
  if (consents.length > maxItems) return invalid(`Items holds more than ${maxItems} consents`)
  const read = consents.flatMap((consent) => consent ?? [])
  if (read.length < consents.length) return invalid("Items holds something that is no consent")
  const items = read.map((consent, index) => item(service, call, consent, index))
  // In another order than asked: whoever matches by place finds out.
  return json(201, { items: items.filter((item) => item !== undefined).toReversed() })
}
