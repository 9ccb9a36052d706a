/**
 * Webhooks: texts from people, and status callbacks of texts to them.
 *
 * Twilio signs the URL that was entered there together with every parameter
 * (Twilio docs, webhooks security). Its own library checks the signature, as
 * Twilio asks for: parameters come and go without notice.
 */
import { parse } from "node:querystring"
import {
  by,
  everySender,
  type EverySender,
  type Interval,
  type Observation,
  parseRecipient,
  parseSender,
  type SenderAddress
} from "@stopline/consent"
import type { EventPort, RawRequest, Received } from "@stopline/provider"
import { Effect, Option, Result, Schema } from "effect"
import { validateRequest, validateRequestWithBody } from "twilio/lib/webhooks/webhooks.js"
import { tokensOf, type TwilioConfig, type TwilioWebhook } from "./config.ts"
import { observe } from "./message.ts"
import { WebhookFields } from "./wire.ts"

export const makeEventPort = (config: TwilioConfig, webhook: TwilioWebhook): EventPort => ({
  receive: (request) => Effect.sync(() => receive(config, webhook, request))
})

/**
 * 204 acknowledges an incoming message without answering the person: plain text
 * in the body would be sent to them (Twilio docs, TwiML message: your response).
 */
const reply = (status: number) => ({ status, headers: {}, body: "" })

const receive = (config: TwilioConfig, webhook: TwilioWebhook, request: RawRequest): Received => {
  const doubt = doubtOf(webhook, request)
  if (doubt !== undefined) return { _tag: "NotAuthentic", reason: doubt, reply: reply(401) }
  const fields = Option.getOrUndefined(readFields(request))
  if (fields === undefined || (fields.Body === undefined && !isReport(fields))) {
    return { _tag: "NotUnderstood", reason: "it is no message and no status callback", reply: reply(400) }
  }
  const told = isReport(fields)
    ? blocked(config, fields, request.receivedAt)
    : heard(config, fields, request.receivedAt)
  return {
    _tag: "Understood",
    observations: Result.getOrElse(told, () => []),
    problems: Result.isFailure(told) ? [{ row: fields.MessageSid, reason: told.failure }] : [],
    reply: reply(204)
  }
}

/** Why the request is not believed. Undefined: Twilio sent it. */
const doubtOf = (webhook: TwilioWebhook, { body, headers, method, query }: RawRequest): string | undefined => {
  if (method !== "POST") return "it is no POST; set the webhook's method to POST at Twilio"
  const signature = headers["x-twilio-signature"]
  if (signature === undefined) return "it has no X-Twilio-Signature"
  const hash = query["bodySHA256"]
  const right = tokensOf(webhook).some((token) =>
    addresses(webhook.url).some((url) =>
      hash === undefined
        ? validateRequest(token, signature, url, parse(body))
        : validateRequestWithBody(token, signature, withHash(url, hash), body)
    )
  )
  return right
    ? undefined
    : "its signature is wrong; the Auth Token or the webhook's URL here is not the one at Twilio, or it is forged"
}

/**
 * Connection overrides stand in the fragment of the URL, as in `#rc=3`. Whether
 * Twilio signs the fragment is not found, so both ways are right.
 */
const addresses = (url: string): ReadonlyArray<string> => {
  const [address = url] = url.split("#")
  return address === url ? [url] : [address, url]
}

/** Of a JSON body Twilio signs the hash, in a parameter that it adds to the URL (Twilio docs, error 57012). */
const withHash = (url: string, hash: string): string => {
  const [address = url, ...fragment] = url.split("#")
  const signed = `${address}${address.includes("?") ? "&" : "?"}bodySHA256=${encodeURIComponent(hash)}`
  return [signed, ...fragment].join("#")
}

const readFields = ({ body, query }: RawRequest): Option.Option<WebhookFields> =>
  query["bodySHA256"] === undefined
    ? Schema.decodeUnknownOption(WebhookFields)({ ...parse(body) })
    : // The names in a JSON body are not found; these are the ones of the form.
      Schema.decodeUnknownOption(Schema.fromJsonString(WebhookFields))(body)

/** A status callback has a status; that of what came in is `received` (Twilio docs, message status values). */
const isReport = ({ MessageStatus }: WebhookFields): boolean =>
  MessageStatus !== undefined && !["received", "receiving"].includes(MessageStatus)

type Told = Result.Result<ReadonlyArray<Observation>, string>

/**
 * Twilio calls as soon as a text is there, and tries for 15 seconds at most,
 * then for as long at the fallback URL (Twilio docs, webhook connection
 * overrides). The text itself carries no time.
 */
const lately = (receivedAt: number): Interval => ({ notBefore: receivedAt - 30_000, notAfter: receivedAt })

const heard = (config: TwilioConfig, fields: WebhookFields, receivedAt: number): Told => {
  const { Body: text = "", From = "", MessageSid: sid, OptOutType: optOutType, To = "" } = fields
  const { account } = config
  const otherChannel = channel.test(From)
  // The person wrote to us: their number is the recipient, and ours the sender.
  const recipient = parseRecipient(From.replace(channel, ""))
  const sender = senderOf(config, fields, To)
  const pair = Option.all({ recipient, sender })
  if (Option.isNone(pair)) return Result.fail("From or To is no number")
  const time = lately(receivedAt)
  const observation = observe({ account, sid, ...pair.value, text, optOutType, time })
  if (observation === undefined) return Result.succeed([])
  if (!otherChannel) return Result.succeed([observation])
  // Somebody who wants no more by RCS or WhatsApp wants no more; somebody who wants more there has not asked for texts.
  return Result.succeed(observation.state === "opted-out" ? [{ ...observation, basis: "message" }] : [])
}

/** Other channels have their name before the number: `whatsapp:+15550100000` (Twilio docs, webhook request). */
const channel = /^[a-z]{2,20}:/i

/** The number, or every number of the service where Twilio names only that: an RCS agent, or a text that never got a number. */
const senderOf = (
  config: TwilioConfig,
  fields: WebhookFields,
  address: string
): Option.Option<SenderAddress | EverySender> =>
  Option.orElse(parseSender(address.replace(channel, "")), () =>
    config.messagingService !== undefined && fields.MessagingServiceSid === config.messagingService
      ? Option.some(everySender)
      : Option.none()
  )

/** "Attempt to send to unsubscribed recipient" (Twilio docs, error 21610). */
const unsubscribed = "21610"

const blocked = (config: TwilioConfig, fields: WebhookFields, receivedAt: number): Told => {
  const { ErrorCode, From = "", MessageSid, To = "" } = fields
  if (ErrorCode !== unsubscribed || channel.test(To)) return Result.succeed([])
  const pair = Option.all({ recipient: parseRecipient(To), sender: senderOf(config, fields, From) })
  if (Option.isNone(pair)) return Result.fail("From or To is no number")
  const { recipient, sender } = pair.value
  const observation = (blocking: SenderAddress): Observation => ({
    account: config.account,
    sender: blocking,
    recipient,
    state: "opted-out",
    origin: "unknown",
    basis: "send-error",
    time: by(receivedAt),
    reach: "group",
    key: `blocked:${MessageSid}${sender === everySender ? `:${blocking}` : ""}`,
    evidence: { messageId: MessageSid }
  })
  // Each by itself: a START comes for one of them, and nothing ever lifts what is held for all.
  return Result.succeed((sender === everySender ? config.senders : [sender]).map(observation))
}
