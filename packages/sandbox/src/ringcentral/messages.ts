/**
 * `GET …/a2p-sms/messages`: texts that came in and went out, newest first
 * (RingCentral OpenAPI 2026-08-13: listA2PSMS).
 */
import { DateTime, Result, Schema } from "effect"
import { queryRecord, reader } from "../decode.ts"
import type { Call } from "../fault.ts"
import { type WireRequest, type WireResponse, json } from "../wire.ts"
import { parameterInvalid } from "./answers.ts"
import { PerPage, number, showPage } from "./listing.ts"
import type { Service } from "./routes.ts"

export interface Message {
  readonly id: number
  readonly direction: "Inbound" | "Outbound"
  readonly from: string
  readonly to: string
  readonly text: string
  readonly at: number
  readonly status: "Delivered" | "SendingFailed"
  readonly errorCode?: string
  /** RingCentral acted on it and shows it to nobody. */
  readonly swallowed?: boolean
}

const day = 24 * 3_600_000

const readParameters = reader(
  Schema.Struct({
    direction: Schema.optionalKey(Schema.Literals(["Inbound", "Outbound"])),
    dateFrom: Schema.optionalKey(Schema.DateTimeUtcFromString),
    dateTo: Schema.optionalKey(Schema.DateTimeUtcFromString),
    view: Schema.optionalKey(Schema.Literals(["Simple", "Detailed"])),
    pageToken: Schema.optionalKey(Schema.String),
    perPage: Schema.optionalKey(PerPage)
  })
)

/** The published samples give six digits of a second here. */
const instant = (at: number): string => new Date(at).toISOString().replace("Z", "000Z")

/** In a list the id is a number, in an event a string; both are so in the published samples. */
export const messageBody = (message: Message, detailed: boolean): Record<string, unknown> => ({
  id: message.id,
  from: message.from,
  to: [message.to],
  ...(detailed && { text: message.text }),
  creationTime: instant(message.at),
  lastModifiedTime: instant(message.at),
  messageStatus: message.status,
  segmentCount: 1,
  cost: 0.007,
  direction: message.direction,
  ...(message.errorCode !== undefined && { errorCode: message.errorCode })
})

export const describeMessages = (request: WireRequest): Call => ({
  operation: "messages",
  recipients: new URLSearchParams(request.query).getAll("phoneNumber").map(number)
})

export const answerMessages = (
  service: Service,
  call: Call,
  request: WireRequest
): { response: WireResponse; count: number } => {
  const phoneNumbers = call.recipients ?? []
  if (phoneNumbers.length > 15) return { response: parameterInvalid("phoneNumber"), count: 0 }
  const parameters = readParameters(queryRecord(request.query))
  if (Result.isFailure(parameters)) return { response: parameterInvalid(parameters.failure.field), count: 0 }
  const { dateFrom, dateTo, direction, pageToken, perPage, view } = parameters.success
  const until = dateTo === undefined ? service.now() : DateTime.toEpochMillis(dateTo)
  const since = dateFrom === undefined ? until - day : DateTime.toEpochMillis(dateFrom)
  const page = showPage(service, call, {
    rows: service.traffic.messages,
    accept: (message: Message) =>
      message.swallowed !== true &&
      message.at >= since &&
      message.at <= until &&
      (direction === undefined || message.direction === direction) &&
      (phoneNumbers.length === 0 || phoneNumbers.includes(message.from) || phoneNumbers.includes(message.to)),
    perPage,
    pageToken
  })
  const records = page.records.map((message) => messageBody(message, view === "Detailed"))
  return { response: json(200, { records, paging: page.paging }), count: records.length }
}
