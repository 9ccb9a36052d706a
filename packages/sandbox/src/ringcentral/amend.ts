/**
 * `PATCH …/v2/accounts/{id}/sms/consents`: records of any senders in one request,
 * answered with those that failed (RingCentral OpenAPI 2026-08-13: editSmsConsentRecords).
 */
import { Result, Schema } from "effect"
import { jsonReader } from "../decode.ts"
import type { Call } from "../fault.ts"
import { type WireRequest, type WireResponse, json } from "../wire.ts"
import { parameterRefused } from "./answers.ts"
import { E164 } from "./consents.ts"
import type { Service } from "./routes.ts"

const Amended = Schema.Struct({
  from: Schema.String,
  to: Schema.String,
  optStatus: Schema.Literals(["OptOut", "OptIn"]),
  source: Schema.Literals(["Recipient", "Api", "Upstream", "Carrier"]),
  coverage: Schema.optionalKey(Schema.Literals(["PhoneNumber", "Account"]))
})
const readAmendment = jsonReader(
  Schema.Struct({ records: Schema.Array(Amended).check(Schema.isMinLength(1), Schema.isMaxLength(1_000)) })
)

export interface Amendment {
  readonly call: Call
  readonly body: ReturnType<typeof readAmendment>
}

/** What is done is what `bulk-assign` does, so it bears the same name. */
export const describeAmendment = (request: WireRequest): Amendment => {
  const body = readAmendment(request.body)
  if (Result.isFailure(body)) return { call: { operation: "bulk-assign" }, body }
  const { records } = body.success
  const [sender, ...others] = new Set(records.map(({ from }) => from))
  const recipients = records.map(({ to }) => to)
  const only = others.length === 0 && sender !== undefined
  return { call: { operation: "bulk-assign", ...(only && { sender }), recipients }, body }
}

/** Which codes failed records bear is not published. */
const parameterInvalid = (name: string): object => ({
  errorCode: "CMN-101",
  message: `Parameter [${name}] value is invalid.`
})
const unexpected = { errorCode: "CMN-203", message: "Internal Server Error" }

/**
 * Silence is success here, so a record cannot be left out of the answer as it
 * can in the older API: where an item is to be missing, its failure is told
 * without the record.
 */
export const answerAmendment = (service: Service, { body, call }: Amendment): WireResponse => {
  if (Result.isFailure(body)) return parameterRefused(body.failure.field)
  const { records } = body.success
  if (service.coverageNeeded && records.some(({ coverage }) => coverage === undefined))
    return parameterRefused("coverage")
  if (service.faults.take(["invalid-input"], call)) return parameterRefused("records")
  const failedRecords: Array<object> = []
  for (const [index, record] of records.entries()) {
    const { from, optStatus, source, to } = record
    const wrong = !service.senders.includes(from) ? "from" : E164.test(to) ? undefined : "to"
    const fault = service.faults.takeItem(["item-refused", "item-missing"], call, to, index)
    if (wrong !== undefined) failedRecords.push({ ...record, error: parameterInvalid(wrong) })
    else if (fault?.kind === "item-refused") failedRecords.push({ ...record, error: unexpected })
    else if (fault === undefined || fault.applied === true) {
      service.traffic.write(from, to, optStatus, source === "Api" ? "Account" : source)
    }
    if (fault?.kind === "item-missing") failedRecords.push({ error: unexpected })
  }
  return json(200, failedRecords.length === 0 ? {} : { failedRecords })
}
