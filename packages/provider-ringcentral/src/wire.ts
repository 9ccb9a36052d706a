/**
 * What RingCentral says, as far as we read it (RingCentral OpenAPI 2026-08-13
 * for the API, RingCentral guide: events for webhooks). Rows stay unknown until
 * each is read by itself, so that one bad row spares its page.
 */
import type { Origin } from "@stopline/consent"
import { Schema } from "effect"

const absent = <S extends Schema.Constraint>(schema: S) => Schema.optional(Schema.NullOr(schema))
const json = Schema.fromJsonString

/** OAuth TokenInfo. `expires_in` is in seconds. */
export const TokenInfo = json(
  Schema.Struct({
    access_token: Schema.NonEmptyString,
    expires_in: Schema.Int.check(Schema.isGreaterThan(0))
  })
)

/** Three shapes in one: the older API's `errorCode`, the newer one's `errors`, and OAuth's `error`. */
export const ErrorBody = json(
  Schema.Struct({
    errorCode: Schema.optional(Schema.Unknown),
    errors: Schema.optional(Schema.Array(Schema.Struct({ errorCode: Schema.optional(Schema.Unknown) }))),
    error: Schema.optional(Schema.Unknown)
  })
)
export type ErrorBody = typeof ErrorBody.Type

/** NonEnumeratedPagingModel. No totals; the end of a list is a missing `nextPageToken`. */
const Paging = Schema.Struct({
  // Read by nobody. It is the one required field, and tells a last page from an object that says nothing.
  perPage: Schema.Number,
  pageToken: absent(Schema.String),
  nextPageToken: absent(Schema.NonEmptyString)
})

/** A page of any list. The API's own schema requires neither field; without both, nothing can be said about a list. */
export const RecordsPage = json(Schema.Struct({ records: Schema.Array(Schema.Unknown), paging: Paging }))
export type RecordsPage = typeof RecordsPage.Type

/** OptOutResponse. The guide's own sample has only `from` and `to`. */
export const OptOutRecord = Schema.Struct({
  from: Schema.String,
  to: Schema.String,
  status: absent(Schema.Literals(["OptIn", "OptOut"])),
  source: absent(Schema.String)
})

const Assigned = absent(
  Schema.Struct({
    successful: absent(Schema.Array(Schema.String)),
    failed: absent(Schema.Array(Schema.Struct({ to: absent(Schema.String), errorMessage: absent(Schema.String) })))
  })
)

/** OptOutBulkAssignResponse: 200 also when some or all recipients failed. */
export const BulkAssigned = json(Schema.Struct({ optOuts: Assigned, optIns: Assigned }))

/** A message in a list has a number for its id, of 64 bits and so perhaps not to the digit; the same message in an event a string. */
const MessageId = Schema.Union([Schema.NonEmptyString, Schema.Finite])

/** An inbound message: `from` is the person, `to` are our senders; the other way round than in opt-outs. */
export const Message = Schema.Struct({
  id: MessageId,
  from: Schema.String,
  to: Schema.Array(Schema.String),
  direction: Schema.String,
  text: absent(Schema.String),
  creationTime: absent(Schema.String)
})
export type Message = typeof Message.Type

/** What every webhook request carries around its body. */
export const Envelope = json(
  Schema.Struct({
    uuid: Schema.NonEmptyString,
    event: Schema.NonEmptyString,
    timestamp: absent(Schema.String),
    body: Schema.optional(Schema.Unknown)
  })
)
export type Envelope = typeof Envelope.Type

/** `active: true` is an opted-out pair, `active: false` an opted-in one. */
export const OptOutChange = Schema.Struct({ from: Schema.String, to: Schema.String, active: Schema.Boolean })

/**
 * OptRecordsModificationSummary: failures only, and no list at all when there are none. So whatever is known to be
 * something else has to be told apart: an error or a list with status 200 is no success.
 */
export const FailedRecord = Schema.Struct({
  from: absent(Schema.String),
  to: absent(Schema.String),
  error: absent(Schema.Struct({ errorCode: Schema.optional(Schema.Unknown), message: Schema.optional(Schema.Unknown) }))
})
export type FailedRecord = typeof FailedRecord.Type
export const Amended = json(
  Schema.Struct({
    failedRecords: absent(Schema.Array(FailedRecord)),
    errors: Schema.optional(Schema.Never),
    errorCode: Schema.optional(Schema.Never),
    error: Schema.optional(Schema.Never),
    message: Schema.optional(Schema.Never),
    records: Schema.optional(Schema.Never)
  })
)

/** The event of the newer consents API. */
export const ConsentChange = Schema.Struct({ records: Schema.Array(Schema.Unknown) })

/** A record of the newer consents API. In its history the time is called `createdAt`. */
export const ConsentRecord = Schema.Struct({
  from: absent(Schema.String),
  to: Schema.String,
  optStatus: Schema.Literals(["OptIn", "OptOut"]),
  source: absent(Schema.String),
  coverage: absent(Schema.String),
  // Nobody has published what it looks like in a record; that it is there says enough.
  campaignType: Schema.optional(Schema.Unknown),
  lastModifiedTime: absent(Schema.String),
  createdAt: absent(Schema.String)
})
export type ConsentRecord = typeof ConsentRecord.Type

/** SubscriptionInfo. `expiresIn` is in seconds. */
export const SubscriptionRecord = Schema.Struct({
  id: Schema.NonEmptyString,
  status: Schema.String,
  eventFilters: Schema.Array(Schema.String),
  disabledFilters: absent(Schema.Array(Schema.Struct({ filter: Schema.String, reason: absent(Schema.String) }))),
  deliveryMode: Schema.Struct({ transportType: Schema.String, address: absent(Schema.String) }),
  expirationTime: absent(Schema.String),
  expiresIn: absent(Schema.Number)
})
export type SubscriptionRecord = typeof SubscriptionRecord.Type
export const SubscriptionCreated = json(SubscriptionRecord)
export const SubscriptionList = json(Schema.Struct({ records: Schema.Array(Schema.Unknown) }))

/** WsTokenResponse: opens one connection, once. */
export const SocketToken = json(Schema.Struct({ uri: Schema.NonEmptyString, ws_access_token: Schema.NonEmptyString }))

/** What comes by a WebSocket: what it is about, and mostly a body. */
export const SocketMessage = json(
  Schema.TupleWithRest(
    Schema.Tuple([
      Schema.Struct({
        type: Schema.String,
        messageId: absent(Schema.String),
        status: absent(Schema.Number)
      })
    ]),
    [Schema.Unknown]
  )
)
export type SocketMessage = typeof SocketMessage.Type

/** Upstream is a network between RingCentral and the carrier: neither the person nor us. */
const origins: Readonly<Record<string, Origin>> = {
  Recipient: "recipient",
  Account: "account",
  Api: "api",
  Upstream: "carrier",
  Carrier: "carrier"
}

/** Who wanted it, by RingCentral's own word; unknown where it has none, or a new one. */
export const readOrigin = (source: string | null | undefined): Origin => origins[source ?? ""] ?? "unknown"
