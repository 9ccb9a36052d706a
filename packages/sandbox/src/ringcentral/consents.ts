/**
 * Reading `…/v2/accounts/{id}/sms/consents`: search, history and export
 * (RingCentral OpenAPI 2026-08-13). They show the rows that the older
 * `…/a2p-sms/opt-outs` shows, in other words.
 */
import { Result, Schema } from "effect"
import { jsonReader, queryRecord, reader } from "../decode.ts"
import type { Call } from "../fault.ts"
import { type OptOutList, type Row, type Source, latest, stoodAt } from "../list.ts"
import { type WireRequest, type WireResponse, json } from "../wire.ts"
import { parameterRefused } from "./answers.ts"
import { PerPage, number, showPage } from "./listing.ts"
import type { Service } from "./routes.ts"
import { everySender } from "./traffic.ts"

/** PhoneNumberE164 of the API's description. */
export const E164 = /^\+[1-9]\d{1,14}$/

/** Without the parameter; more than 1000 is taken as 1000. */
const usualPerPage = 100
/** Numbers in one filter. */
const mostNumbers = 20

const Numbers = Schema.Array(Schema.String.check(Schema.isPattern(E164))).check(
  Schema.isMinLength(1),
  Schema.isMaxLength(mostNumbers),
  Schema.isUnique()
)
const readCriteria = jsonReader(
  Schema.Struct({
    from: Schema.optionalKey(Numbers),
    to: Schema.optionalKey(Numbers),
    optStatus: Schema.optionalKey(Schema.Literals(["OptOut", "OptIn"])),
    coverage: Schema.optionalKey(
      Schema.Array(Schema.Literals(["PhoneNumber", "Account", "CampaignType"])).check(
        Schema.isMinLength(1),
        Schema.isUnique()
      )
    ),
    pageToken: Schema.optionalKey(Schema.String),
    perPage: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThan(0)))
  })
)

/** The newer API has no word for a colleague: whoever is neither the person nor a network is `Api`. */
const sources: Record<Source, string> = {
  Recipient: "Recipient",
  Account: "Api",
  Upstream: "Upstream",
  Carrier: "Carrier"
}

/** The published samples have nine digits of a second. Those behind the milliseconds are made of the row's id. */
const instant = ({ at, id }: Row): string =>
  new Date(at).toISOString().replace("Z", `${String((id * 7_919) % 1_000_000).padStart(6, "0")}Z`)

const coverage = ({ from }: Row): "Account" | "PhoneNumber" => (from === everySender ? "Account" : "PhoneNumber")

/** Records carry their coverage unless they are to be bare: the API's description filters by it and does not show it. */
const record = (row: Row, bare: boolean): object => ({
  from: row.from,
  to: row.to,
  optStatus: row.status,
  source: sources[row.source],
  ...(!bare && { coverage: coverage(row) })
})

/** By growing id: of these people, who are looked up one by one, or of all. */
const rowsOf = (list: OptOutList, people: ReadonlyArray<string> | undefined, sender?: string): ReadonlyArray<Row> =>
  people === undefined
    ? list.rows(sender)
    : people.flatMap((person) => list.rowsTo(person, sender)).toSorted((a, b) => a.id - b.id)

export interface Search {
  readonly call: Call
  readonly criteria: ReturnType<typeof readCriteria>
}

export const describeSearch = (request: WireRequest): Search => {
  const criteria = readCriteria(request.body)
  if (Result.isFailure(criteria)) return { call: { operation: "list" }, criteria }
  const { from: [sender, ...others] = [], to = [] } = criteria.success
  return {
    call: { operation: "list", ...(others.length === 0 && sender !== undefined && { sender }), recipients: to },
    criteria
  }
}

/** Without `optStatus` both states are shown: nothing is published about it. */
export const answerSearch = (
  service: Service,
  { call, criteria }: Search
): { response: WireResponse; count: number } => {
  if (Result.isFailure(criteria)) return { response: parameterRefused(criteria.failure.field), count: 0 }
  const { faults, list, now } = service
  const { coverage: covered, from, optStatus, pageToken, perPage, to } = criteria.success
  const stale = faults.take(["stale-read"], call)
  const asOf = stale === undefined ? latest : now() - stale.ms
  const page = showPage(service, call, {
    rows: rowsOf(list, to, from?.length === 1 ? from[0] : undefined),
    accept: (row: Row) =>
      stoodAt(row, asOf) &&
      (optStatus === undefined || row.status === optStatus) &&
      (from === undefined || from.includes(row.from)) &&
      (covered === undefined || covered.includes(coverage(row))),
    perPage: perPage ?? usualPerPage,
    pageToken
  })
  const records = page.records.map((row) => ({ ...record(row, service.bare), lastModifiedTime: instant(row) }))
  return { response: json(200, { records, paging: page.paging }), count: records.length }
}

const readHistoryParameters = reader(
  Schema.Struct({ pageToken: Schema.optionalKey(Schema.String), perPage: Schema.optionalKey(PerPage) })
)

export const describeHistory = (request: WireRequest): Call => ({
  operation: "history",
  recipients: new URLSearchParams(request.query).getAll("to").map(number)
})

/** Every state that every pair ever had, and when it came about. */
export const answerHistory = (
  service: Service,
  call: Call,
  request: WireRequest
): { response: WireResponse; count: number } => {
  const people = call.recipients ?? []
  if (people.length > mostNumbers) return { response: parameterRefused("to"), count: 0 }
  const parameters = readHistoryParameters(queryRecord(request.query))
  if (Result.isFailure(parameters)) return { response: parameterRefused(parameters.failure.field), count: 0 }
  const { pageToken, perPage = usualPerPage } = parameters.success
  const page = showPage(service, call, {
    rows: rowsOf(service.list, people.length === 0 ? undefined : people),
    accept: () => true,
    perPage,
    pageToken
  })
  const records = page.records.map((row) => ({ ...record(row, service.bare), createdAt: instant(row) }))
  return { response: json(200, { records, paging: page.paging }), count: records.length }
}

/** The columns in the order in which the API's description names them; `Account` is written `Company`. */
const header =
  "External Party Number,Internal Party Number,Consent Status,Source,Coverage,Campaign Type,Notes,Last Modified Time"

export const answerExport = ({ list }: Service): { response: WireResponse; count: number } => {
  const rows = list.rows().filter((row) => stoodAt(row, latest))
  const lines = rows.map((row) =>
    [
      row.to,
      row.from,
      row.status,
      sources[row.source],
      coverage(row) === "Account" ? "Company" : "PhoneNumber",
      "",
      "",
      instant(row)
    ].join(",")
  )
  const body = [header, ...lines, ""].join("\r\n")
  return { response: { status: 200, headers: { "content-type": "text/csv" }, body }, count: rows.length }
}
