/**
 * `GET …/a2p-sms/opt-outs` and `POST …/a2p-sms/opt-outs/bulk-assign`
 * (RingCentral OpenAPI 2026-08-13, deprecated there, still served).
 */
import { Result, Schema } from "effect"
import { jsonReader, queryRecord, reader } from "../decode.ts"
import type { Call } from "../fault.ts"
import { type Row, type Status, latest, stoodAt } from "../list.ts"
import { type WireRequest, type WireResponse, json } from "../wire.ts"
import { parameterInvalid, unreadable } from "./answers.ts"
import { PerPage, number, showPage } from "./listing.ts"
import type { Service } from "./routes.ts"
import { everySender } from "./traffic.ts"

const readParameters = reader(
  Schema.Struct({
    from: Schema.optionalKey(Schema.String),
    to: Schema.optionalKey(Schema.String),
    status: Schema.optionalKey(Schema.Literals(["optout", "optin", "all"])),
    pageToken: Schema.optionalKey(Schema.String),
    perPage: Schema.optionalKey(PerPage)
  })
)

const record = (row: Row, bare: boolean): object =>
  bare ? { from: row.from, to: row.to } : { from: row.from, to: row.to, status: row.status, source: row.source }

export const describeList = (request: WireRequest): Call => {
  const { from, to } = queryRecord(request.query)
  return {
    operation: "list",
    ...(from !== undefined && { sender: number(from) }),
    recipients: to === undefined ? [] : [number(to)]
  }
}

/** An account-wide record is not shown under a sender's name; whether it is at the service is not published. */
export const answerList = (
  service: Service,
  call: Call,
  request: WireRequest
): { response: WireResponse; count: number } => {
  const { faults, list } = service
  const parameters = readParameters(queryRecord(request.query))
  if (Result.isFailure(parameters)) return { response: parameterInvalid(parameters.failure.field), count: 0 }
  const { from, pageToken, perPage, status = "optout", to } = parameters.success
  const sender = from === undefined || from === everySender ? undefined : number(from)
  const wanted = { optout: "OptOut", optin: "OptIn", all: undefined }[status]
  const stale = faults.take(["stale-read"], call)
  const asOf = stale === undefined ? latest : service.now() - stale.ms
  const page = showPage(service, call, {
    rows: to === undefined ? list.rows(sender) : list.rowsTo(number(to), sender),
    accept: (row: Row) => stoodAt(row, asOf) && (wanted === undefined || row.status === wanted),
    perPage,
    pageToken
  })
  const records = page.records.map((row) => record(row, service.bare))
  return { response: json(200, { records, paging: page.paging }), count: records.length }
}

const Numbers = Schema.Array(Schema.String)
const readAssignment = jsonReader(
  Schema.Struct({ from: Schema.String, optOuts: Schema.optionalKey(Numbers), optIns: Schema.optionalKey(Numbers) })
)

export interface Assignment {
  readonly call: Call
  readonly body: ReturnType<typeof readAssignment>
}

export const describeAssignment = (request: WireRequest): Assignment => {
  const body = readAssignment(request.body)
  if (Result.isFailure(body)) return { call: { operation: "bulk-assign" }, body }
  const { from, optIns = [], optOuts = [] } = body.success
  return { call: { operation: "bulk-assign", sender: from, recipients: [...optOuts, ...optIns] }, body }
}

const failures: Record<Status, string> = {
  OptOut: "Unexpected issue on creating an opt-out from bulk-assign request",
  OptIn: "Unexpected issue on removing an opt-out from bulk-assign request"
}

export const answerAssignment = (service: Service, { body, call }: Assignment): WireResponse => {
  if (Result.isFailure(body)) return unreadable
  const { from, optIns = [], optOuts = [] } = body.success
  if (!service.senders.includes(from)) return parameterInvalid("from")
  if (optOuts.length + optIns.length === 0) return parameterInvalid("optOuts")
  if (service.faults.take(["invalid-input"], call)) return parameterInvalid(optOuts.length > 0 ? "optOuts" : "optIns")
  let index = 0
  const assign = (recipients: ReadonlyArray<string>, status: Status): object => {
    const successful: Array<string> = []
    const failed: Array<object> = []
    for (const to of recipients) {
      const fault = service.faults.takeItem(["item-refused", "item-missing"], call, to, index++)
      const refused = fault?.kind === "item-refused" || !/^\+[1-9]\d{6,14}$/.test(to)
      const missing = fault?.kind === "item-missing"
      if (refused) failed.push({ to, errorMessage: failures[status] })
      else if (!missing || fault.applied === true) service.traffic.write(from, to, status)
      if (!refused && !missing) successful.push(to)
    }
    return { successful, failed }
  }
  // A number in both lists is nowhere explained; taken last, the opt-out stands.
  const optedIn = assign(optIns, "OptIn")
  return json(200, { optOuts: assign(optOuts, "OptOut"), optIns: optedIn })
}
