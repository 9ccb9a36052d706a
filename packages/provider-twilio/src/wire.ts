/**
 * What Twilio says, decoded tolerantly: only what is needed of it.
 */
import { Schema } from "effect"

/** `{"code": 20003, "message": …, "more_info": …, "status": 401}`: of it the code alone (Twilio docs, errors). */
export const ErrorBody = Schema.fromJsonString(Schema.Struct({ code: Schema.Int }))

/** Read one by one, so that a strange item says nothing about the others. */
export const BulkAnswer = Schema.Struct({ items: Schema.Array(Schema.Unknown) })

/** One item of the answer to a bulk upsert (twilio-oai, twilio_accounts_v1.json, accounts.v1.bulk_consents). */
export const BulkItem = Schema.Struct({
  correlation_id: Schema.String,
  error_code: Schema.Int,
  error_messages: Schema.optional(Schema.NullOr(Schema.Array(Schema.String)))
})
export type BulkItem = typeof BulkItem.Type

/** A page of the Messages list (twilio-oai, twilio_api_v2010.json, ListMessageResponse). */
export const MessagePage = Schema.Struct({
  messages: Schema.Array(Schema.Unknown),
  next_page_uri: Schema.NullOr(Schema.NonEmptyString)
})

export const StoredMessage = Schema.Struct({
  sid: Schema.NonEmptyString,
  direction: Schema.String,
  from: Schema.String,
  to: Schema.String,
  body: Schema.NullOr(Schema.String),
  /** RFC 2822, in GMT. */
  date_created: Schema.optional(Schema.NullOr(Schema.String))
})

/**
 * What a webhook carries, of an incoming message and of a status callback alike
 * (Twilio docs: webhook request, track outbound message status).
 */
export const WebhookFields = Schema.Struct({
  MessageSid: Schema.NonEmptyString,
  From: Schema.optional(Schema.String),
  To: Schema.optional(Schema.String),
  Body: Schema.optional(Schema.String),
  MessagingServiceSid: Schema.optional(Schema.String),
  /** Only with Advanced Opt-Out of a Messaging Service: STOP, START or HELP. */
  OptOutType: Schema.optional(Schema.String),
  /** Of a status callback: queued, sent, failed and so on. */
  MessageStatus: Schema.optional(Schema.String),
  ErrorCode: Schema.optional(Schema.String)
})
export type WebhookFields = typeof WebhookFields.Type
