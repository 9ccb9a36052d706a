/**
 * All consents of an account in one file: GET …/sms/consents/export
 * (RingCentral OpenAPI 2026-08-13), or the same file got by hand.
 *
 * The API's description names eight columns, an older guide four others, so the
 * columns are known by their names, and whatever else there is is left alone.
 */
import { parseSender, type Reading, type SenderAddress } from "@stopline/consent"
import type { ProviderError, RowProblem } from "@stopline/provider"
import { parse } from "csv-parse/sync"
import { Effect, Option, Result, Schema, type Scope } from "effect"
import { type Call, makeClient } from "./client.ts"
import { resolveConfig, type RingCentralConfig, type RingCentralConfigError } from "./config.ts"
import { readConsent } from "./consent.ts"
import { openRingCentralCredentials } from "./credential.ts"

export interface ConsentExport {
  readonly readings: ReadonlyArray<Reading>
  /** Lines that could not be understood, each with its reason. */
  readonly problems: ReadonlyArray<RowProblem>
}

/** The file is no export of consents: it is no CSV, or lacks a column that says who or what. */
export class ConsentExportError extends Schema.TaggedError<ConsentExportError>()("ConsentExportError", {
  problem: Schema.String
}) {
  override get message(): string {
    return this.problem
  }
}

/**
 * Downloads the export.
 *
 * @param senders the account's own: see {@link readConsentExport}
 */
export const exportConsents = Effect.fn("exportConsents")(function* (
  given: RingCentralConfig,
  senders: ReadonlyArray<SenderAddress>,
  network?: typeof fetch
): Effect.fn.Return<ConsentExport, ProviderError | RingCentralConfigError, Scope.Scope> {
  const config = yield* resolveConfig(given, network)
  const credentials = yield* openRingCentralCredentials()
  const client = makeClient(config, yield* credentials(config))
  const call: Call = {
    operation: "list",
    group: "light",
    method: "GET",
    path: `${client.consents}/export`,
    accept: "text/csv",
    writes: false
  }
  const { text } = yield* client.send(call)
  return yield* Effect.mapError(Effect.fromResult(readConsentExport(text, senders)), ({ problem }) =>
    client.unreadable(call, problem)
  )
})

/** The names of a column, as the API's description and the older guide write them. */
const columns = {
  from: ["internal party number", "from"],
  to: ["external party number", "to"],
  optStatus: ["consent status", "status"],
  source: ["source"],
  coverage: ["coverage"],
  campaignType: ["campaign type"],
  lastModifiedTime: ["last modified time"]
} as const
const needed = ["from", "to", "optStatus"] as const

/**
 * Reads the text of an export.
 *
 * @param senders the account's own. The API's description calls the external party
 * the sender here and the person everywhere else, so a row that has one of these
 * in the person's place is read the other way round
 */
export const readConsentExport = (
  text: string,
  senders: ReadonlyArray<SenderAddress>
): Result.Result<ConsentExport, ConsentExportError> =>
  Result.gen(function* () {
    const [header = [], ...lines] = yield* readCells(text)
    const named = header.map((name) => name.trim().toLowerCase())
    const places = Object.fromEntries(
      Object.entries(columns).map(([field, names]) => [field, named.findIndex((name) => isOneOf(names, name))])
    )
    const missing = needed.find((field) => places[field] === -1)
    if (missing !== undefined) {
      const problem = `the export has no column ${columns[missing].map((name) => `"${name}"`).join(" or ")}`
      return yield* Result.fail(new ConsentExportError({ problem }))
    }
    const own: ReadonlySet<string> = new Set(senders)
    const readings: Array<Reading> = []
    const problems: Array<RowProblem> = []
    for (const [index, cells] of lines.entries()) {
      const row = readConsent(turned(recordOf(cells, places), own))
      if (Result.isSuccess(row)) readings.push(row.success)
      // The header is the first line.
      else problems.push({ row: `line ${index + 2}`, reason: row.failure })
    }
    return { readings, problems }
  })

const isOneOf = (names: ReadonlyArray<string>, name: string): boolean => names.includes(name)

const readCells = (text: string): Result.Result<ReadonlyArray<ReadonlyArray<string>>, ConsentExportError> =>
  Result.try({
    try: () => parse(text, { bom: true, relax_column_count: true, skip_empty_lines: true }),
    catch: () => new ConsentExportError({ problem: "the export is no CSV" })
  })

type Cells = Readonly<Record<string, string | undefined>>

/** An empty cell says nothing. */
const recordOf = (cells: ReadonlyArray<string>, places: Readonly<Record<string, number>>): Cells =>
  Object.fromEntries(Object.entries(places).map(([field, place]) => [field, cells[place]?.trim() || undefined]))

const turned = (record: Cells, own: ReadonlySet<string>): Cells => {
  const isOwn = (text: string | undefined) => own.has(Option.getOrElse(parseSender(text ?? ""), () => ""))
  return isOwn(record["to"]) && !isOwn(record["from"]) ? { ...record, from: record["to"], to: record["from"] } : record
}
