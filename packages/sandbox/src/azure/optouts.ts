/**
 * `POST /sms/optouts:add`, `:remove` and `:check` (Azure OpenAPI 2026-01-23).
 */
import { Result, Schema } from "effect"
import type { Surroundings } from "../account.ts"
import { jsonReader } from "../decode.ts"
import type { Call, Faults } from "../fault.ts"
import type { WireRequest, WireResponse } from "../wire.ts"
import { json } from "../wire.ts"
import { invalidInput, unauthorized, validation, versionMissing, versionUnknown } from "./answers.ts"
import type { Holdings } from "./holdings.ts"
import { refuseUnsigned } from "./signature.ts"

export const azureOperations = ["add", "remove", "check"] as const
export type AzureOperation = (typeof azureOperations)[number]

const versions = ["2024-12-10-preview", "2025-05-29-preview", "2026-01-23"]

/** Recorded traffic says which versions are served. */
export const versionHeader = { "api-supported-versions": versions.join(", ") }

const readBody = jsonReader(
  Schema.Struct({
    from: Schema.NonEmptyString,
    recipients: Schema.Array(Schema.Struct({ to: Schema.NonEmptyString })).check(
      Schema.isMinLength(1),
      Schema.isMaxLength(100)
    )
  })
)

const sender = /^(\+[1-9]\d{6,14}|[1-9]\d{2,7})$/
const recipient = /^\+[1-9]\d{6,14}$/

/** Well-formed and assigned to nobody: in recorded traffic it failed the whole request. */
const unassignable = "+15550000000"

export interface OptOuts {
  readonly senders: ReadonlyArray<string>
  readonly accessKey: string
  /** How far a date may be from now (ms). */
  readonly dateTolerance: number
  readonly faults: Faults
  readonly holdings: Holdings
  readonly surroundings: Surroundings
}

/** A request with what it is about, as far as it can be read. */
export interface Asked {
  readonly call: Call
  readonly request: WireRequest
  readonly body: ReturnType<typeof readBody>
}

export const ask = (operation: AzureOperation, request: WireRequest): Asked => {
  const body = readBody(request.body)
  const call = Result.isFailure(body)
    ? { operation }
    : { operation, sender: body.success.from, recipients: body.success.recipients.map(({ to }) => to) }
  return { call, request, body }
}

/** `recipients.0.to` is `Recipients[0].To` there. */
const fieldName = (field: string): string =>
  field.replace(/\.(\d+)/g, "[$1]").replace(/(^|\.)[a-z]/g, (letter) => letter.toUpperCase())

/** @param asOf the moment that a check answers for */
const item = (
  optOuts: OptOuts,
  call: Call,
  from: string,
  to: string,
  index: number,
  asOf: number | undefined
): object | undefined => {
  const { faults, holdings, surroundings } = optOuts
  const apply = (): object => {
    const now = surroundings.now()
    if (call.operation === "add") holdings.optOut(from, to, "Account", now)
    if (call.operation === "remove") holdings.release(from, to, now)
    if (call.operation !== "check") return { to, httpStatusCode: 200 }
    return { to, isOptedOut: holdings.isOptedOut(from, to, asOf), httpStatusCode: 200 }
  }
  if (!recipient.test(to)) {
    return { to, httpStatusCode: 400, errorMessage: "Invalid recipient phone number format" }
  }
  const fault = faults.takeItem(["item-refused", "item-error", "item-missing"], call, to, index)
  if (fault === undefined) return apply()
  if ("applied" in fault && fault.applied) apply()
  if (fault.kind === "item-missing") return undefined
  return fault.kind === "item-refused"
    ? { to, httpStatusCode: 400, errorMessage: "Invalid recipient phone number format" }
    : { to, httpStatusCode: 500, errorMessage: "Internal Server Error" }
}

/** Versions are looked at before keys, keys before bodies; in which order the service does it is not published. */
export const answerOptOuts = (optOuts: OptOuts, { body, call, request }: Asked): WireResponse => {
  const { faults, senders, surroundings } = optOuts
  const traceId = `00-${surroundings.random.hex(32)}-${surroundings.random.hex(16)}-00`
  const version = new URLSearchParams(request.query).get("api-version")
  if (version === null) return versionMissing
  if (!versions.includes(version))
    return versionUnknown(`http://${request.headers["host"] ?? ""}${request.path}`, version)
  const refusal = refuseUnsigned(request, optOuts.accessKey, surroundings.now(), optOuts.dateTolerance)
  if (refusal !== undefined) return refusal
  if (Result.isFailure(body)) {
    const { field, message } = body.failure
    return validation(field === "" ? "$" : fieldName(field), message, traceId)
  }
  const { from, recipients } = body.success
  if (!sender.test(from)) return validation("From", "Invalid from phone number format.", traceId)
  if (!senders.includes(from)) return unauthorized
  if (recipients.some(({ to }) => to === unassignable) || faults.take(["invalid-input"], call)) return invalidInput
  const stale = faults.take(["stale-read"], call)
  const asOf = stale && surroundings.now() - stale.ms
  const value = recipients.map(({ to }, index) => item(optOuts, call, from, to, index, asOf))
  return json(200, { value: value.filter((item) => item !== undefined) })
}
