/**
 * `GET /2010-04-01/Accounts/{sid}/Messages.json`: texts that came in and went
 * out, newest first (twilio-oai, twilio_api_v2010.json, ListMessage).
 */
import { queryRecord } from "../decode.ts"
import type { Call } from "../fault.ts"
import { type WireRequest, type WireResponse, json } from "../wire.ts"
import { invalid } from "./answers.ts"
import type { Service } from "./service.ts"

export interface Message {
  readonly sid: string
  readonly direction: "inbound" | "outbound-api"
  readonly from: string
  readonly to: string
  readonly text: string
  readonly at: number
  readonly status: "received" | "delivered" | "failed"
  readonly errorCode: number | null
}

/** `Thu, 24 Aug 2023 05:01:45 +0000` */
const rfc2822 = (at: number): string => new Date(at).toUTCString().replace("GMT", "+0000")

const row = ({ accountSid, messagingService }: Service, message: Message): object => ({
  account_sid: accountSid,
  api_version: "2010-04-01",
  body: message.text,
  date_created: rfc2822(message.at),
  date_sent: rfc2822(message.at),
  date_updated: rfc2822(message.at),
  direction: message.direction,
  error_code: message.errorCode,
  error_message: null,
  from: message.from,
  messaging_service_sid: messagingService ?? null,
  num_media: "0",
  num_segments: "1",
  price: null,
  price_unit: null,
  sid: message.sid,
  status: message.status,
  to: message.to,
  uri: `/2010-04-01/Accounts/${accountSid}/Messages/${message.sid}.json`
})

export const askInbox = (request: WireRequest): Call => {
  const { From, To } = queryRecord(request.query)
  return { operation: "inbox", sender: To, recipients: From === undefined ? [] : [From] }
}

const day = /^\d{4}-\d{2}-\d{2}/

export const answerInbox = (
  service: Service,
  messages: ReadonlyArray<Message>,
  request: WireRequest
): { readonly response: WireResponse; readonly count: number } => {
  const query = queryRecord(request.query)
  const { From: from, Page: page = "0", PageSize: size = "50", To: to } = query
  const since = query["DateSent>"] ?? "1970-01-01"
  if (!day.test(since) || !/^\d{1,4}$/.test(size) || !/^\d{1,6}$/.test(page))
    return { response: invalid("A filter cannot be read"), count: 0 }
  const pageSize = Math.min(Math.max(Number(size), 1), 1_000)
  const start = Number(page) * pageSize
  const found = messages
    .filter((message) => (from === undefined || message.from === from) && (to === undefined || message.to === to))
    .filter((message) => new Date(message.at).toISOString().slice(0, 10) >= since.slice(0, 10))
    .toReversed()
  const rows = found.slice(start, start + pageSize).map((message) => row(service, message))
  const next = new URLSearchParams({ ...query, Page: String(Number(page) + 1), PageToken: `PA${start + pageSize}` })
  const more = found.length > start + pageSize
  return {
    response: json(200, {
      messages: rows,
      page: Number(page),
      page_size: pageSize,
      start,
      end: start + Math.max(rows.length - 1, 0),
      uri: `${request.path}?${request.query}`,
      next_page_uri: more ? `${request.path}?${next.toString()}` : null
    }),
    count: rows.length
  }
}
