/**
 * What goes over the wire: the request, the answer, and the shapes of an error.
 * Source: Azure OpenAPI 2026-01-23, and recorded traffic where it differs.
 */
import { Effect, Schema, SchemaTransformation } from "effect"

/** The same for add, remove and check. 1 to 100 recipients. */
export const OptOutRequest = Schema.fromJsonString(
  Schema.Struct({
    from: Schema.String,
    recipients: Schema.Array(Schema.Struct({ to: Schema.String }))
  })
)

/** The items are read one by one: a broken one must not hide the others. */
export const OptOutResponse = Schema.fromJsonString(Schema.Struct({ value: Schema.Array(Schema.Unknown) }))

/** `isOptedOut` is absent from an item that failed, and that is not "false". */
export const OptOutItem = Schema.Struct({
  to: Schema.String,
  httpStatusCode: Schema.Int,
  isOptedOut: Schema.optional(Schema.NullOr(Schema.Boolean)),
  errorMessage: Schema.optional(Schema.NullOr(Schema.String))
})
export type OptOutItem = typeof OptOutItem.Type

/** Field problems by field: `{"title": "…", "status": 400, "errors": {"From": ["…"]}}`. */
const ValidationError = Schema.Struct({
  title: Schema.String,
  errors: Schema.optional(Schema.NullOr(Schema.Record(Schema.String, Schema.Unknown)))
})

/** `{"error": {"code": "InvalidApiVersion", "message": "…"}}`; with `"target": ""` when a recipient was not liked. */
const StandardError = Schema.Struct({ error: Schema.Struct({ code: Schema.String }) })

export const ErrorBody = Schema.fromJsonString(Schema.Union([StandardError, ValidationError]))
export type ErrorBody = typeof ErrorBody.Type

/** A text where there is one; anything else, and an empty one, counts as absent. */
export const looseText = Schema.optionalKey(
  Schema.UndefinedOr(Schema.String.check(Schema.isPattern(/\S/))).pipe(
    Schema.catchDecoding(() => Effect.succeedSome(undefined))
  )
)

/**
 * An object whose keys are read in any case: Event Grid's published samples
 * write both `messageId` and `MessageId`. `fields` are named in lower case.
 */
export const anyCase = <const Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.Record(Schema.String, Schema.Unknown).pipe(
    Schema.decodeTo(Schema.Record(Schema.String, Schema.Unknown), lowerKeys),
    Schema.decodeTo(Schema.Struct(fields))
  )

type Keyed = { readonly [key: string]: unknown }

const lowerKeys = SchemaTransformation.transform<Keyed, Keyed>({
  decode: (value) => Object.fromEntries(Object.entries(value).map(([key, field]) => [key.toLowerCase(), field])),
  encode: (value) => value
})
