/** The events of Azure that a webhook brings, as somebody outside reads them. */
import { Option, Schema } from "effect"

/** A text of a person, or what became of one of ours. */
const Event = Schema.Struct({
  messageId: Schema.String,
  from: Schema.String,
  to: Schema.String,
  message: Schema.optionalKey(Schema.String),
  deliveryStatus: Schema.optionalKey(Schema.String),
  receivedTimestamp: Schema.optionalKey(Schema.String)
})
export type GridEvent = typeof Event.Type

const readBody = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Array(Schema.Struct({ data: Event }))))

/** None, where the body is something else. */
export const readGrid = (body: string): ReadonlyArray<GridEvent> =>
  Option.getOrElse(readBody(body), () => []).map(({ data }) => data)
