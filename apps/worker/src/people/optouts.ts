/**
 * A list of opt-outs, from a file or a request: one number per line, or a CSV with a header that names its
 * columns: recipient, and if it likes opted_out_at, sender and state. Rows that
 * cannot be believed are told by their line, never by what stands there.
 */
import { createHash } from "node:crypto"
import { type CountryCode, type Interval, parseSender, type SenderAddress } from "@stopline/consent"
import type { OptedOutAt, OptOutRow } from "@stopline/engine"
import { Effect, Option, Result, Stream } from "effect"
import { PeopleError, readNumber } from "./rows.ts"
import { parseWhen, whenExample } from "./when.ts"

export interface Refused {
  readonly line: number
  readonly why: string
}

export interface OptOutFile {
  readonly count: number
  readonly refused: ReadonlyArray<Refused>
  /** Also of those that were too many to be named. */
  readonly refusedCount: number
  /** Columns that nothing was made of. */
  readonly unused: ReadonlyArray<string>
  /** A digest of its lines. */
  readonly source: string
  /** Reads the file anew: it is never held in memory. */
  readonly rows: Stream.Stream<OptOutRow, PeopleError>
}

export interface FileContext {
  readonly country: CountryCode | undefined
  readonly now: number
  /** Of a row that names no time. */
  readonly time: Interval | undefined
  /** Why a row is refused whose time nobody says. Absent: it means some time before now. */
  readonly undated?: string
  /** How many refused rows are named. Absent: all of them. */
  readonly mostRefused?: number
  /** Of a row that names no sender. */
  readonly places: ReadonlyArray<OptedOutAt>
  /** Where a sender is, or why that cannot be said. */
  readonly find: (sender: SenderAddress) => OptedOutAt | string
}

const columns = ["recipient", "opted_out_at", "sender", "state"] as const
export type Column = (typeof columns)[number]

interface Layout {
  /** Of the header; -1 when there is none. */
  readonly line: number
  readonly separators: string
  readonly at: Readonly<Record<Column, number>>
  readonly unused: ReadonlyArray<string>
}

const plain: Layout = {
  line: -1,
  separators: ",;\t",
  at: { recipient: 0, opted_out_at: -1, sender: -1, state: -1 },
  unused: []
}

/** Reads the lines, from the first one each time. */
export type Lines = () => Stream.Stream<string, PeopleError>

/** Of the lines only those that say something. */
const meaningful = (lines: Lines, layout: Layout): Stream.Stream<readonly [text: string, line: number], PeopleError> =>
  Stream.zipWithIndex(lines()).pipe(
    Stream.map(([text, index]) => [index === 0 ? text.replace(/^\uFEFF/, "") : text, index] as const),
    Stream.filter(([text]) => text.trim() !== "" && !isComment(text, layout))
  )

/** Nobody's number begins with a #, but an order's does, and the number of who opted out may stand behind it. */
const isComment = (text: string, { at, separators }: Layout): boolean =>
  text.trimStart().startsWith("#") && (at.recipient === 0 || cellsOf(text, separators)?.[at.recipient] === undefined)

/** The cells of a line; undefined when a quote is not closed. */
const cellsOf = (text: string, separators: string): ReadonlyArray<string> | undefined => {
  const cells: Array<string> = []
  let cell = ""
  let quoted = false
  for (const char of text) {
    if (char === '"') quoted = !quoted
    else if (quoted || !separators.includes(char)) cell += char
    else {
      cells.push(cell.trim())
      cell = ""
    }
  }
  return quoted ? undefined : [...cells, cell.trim()]
}

const readHeader = Effect.fnUntraced(function* (file: string, text: string, line: number) {
  const separators = /[,;\t]/.exec(text)?.[0] ?? ","
  const names = cellsOf(text, separators) ?? []
  const words = names.map((name) => name.toLowerCase().replaceAll(/[\s-]+/g, "_"))
  const at = (column: Column) => words.indexOf(column)
  if (at("recipient") === -1) {
    // A word without a digit is the title of a plain list. Several words without a number are a header.
    if (names.length === 1) return /\d/.test(text) ? plain : { ...plain, line }
    if (/\d{7}/.test(text.replaceAll(/[\s().-]/g, ""))) return { ...plain, unused: ["all but the first column"] }
    return yield* new PeopleError({
      problem: `${file}: no column is called recipient; rename the one that holds the phone numbers`
    })
  }
  const repeated = columns.find((column) => words.indexOf(column) !== words.lastIndexOf(column))
  if (repeated !== undefined) return yield* new PeopleError({ problem: `${file}: two columns are called ${repeated}` })
  const layout: Layout = {
    line,
    separators,
    at: { recipient: at("recipient"), opted_out_at: at("opted_out_at"), sender: at("sender"), state: at("state") },
    unused: names.filter((_, index) => !columns.some((column) => words[index] === column))
  }
  return layout
})

/** A row, or why it is none. */
const readRow = (text: string, { at, separators }: Layout, context: FileContext): OptOutRow | string => {
  const cells = cellsOf(text, separators)
  if (cells === undefined) return "a quote is not closed"
  return readCells((column) => (at[column] === -1 ? undefined : (cells[at[column]] ?? "")), context)
}

/** The same of cells that are apart already; undefined where there is no such column. */
export const readCells = (told: (column: Column) => string | undefined, context: FileContext): OptOutRow | string => {
  const cell = (column: Column) => told(column) ?? ""
  const number = readNumber(cell("recipient"), context.country)
  if (Result.isFailure(number)) {
    return number.failure === undefined ? "there is no phone number" : `its number ${number.failure}`
  }
  if (told("state") !== undefined) {
    const state = cell("state")
      .toLowerCase()
      .replaceAll(/[^a-z]/g, "")
    if (/^opt(ed)?in$/.test(state)) {
      return "it says opted-in, and a file is never believed to opt anyone in; `stopline attest` is for what a person said"
    }
    if (!/^opt(ed)?out$/.test(state)) return "its state is not opted-out"
  }
  const time = cell("opted_out_at") === "" ? context.time : parseWhen(cell("opted_out_at"))
  if (time === undefined && cell("opted_out_at") !== "") {
    return `opted_out_at is no time; write it with its zone, as ${whenExample}`
  }
  if (time === undefined && context.undated !== undefined) return context.undated
  if (time !== undefined && time.notBefore > context.now) return "opted_out_at lies in the future"
  const places = placesOf(cell("sender"), context)
  return typeof places === "string"
    ? places
    : { recipient: number.success, places, ...(time !== undefined && { time }) }
}

const placesOf = (text: string, { find, places }: FileContext): ReadonlyArray<OptedOutAt> | string => {
  if (text === "") return places
  const sender = Option.getOrUndefined(parseSender(text))
  const place = sender === undefined ? "its sender is neither a phone number nor a short code" : find(sender)
  return typeof place === "string" ? place : [place]
}

/**
 * Reads a list once to know what is in it.
 *
 * @param file what to call it
 */
export const openOptOuts = Effect.fn("openOptOuts")(function* (
  file: string,
  lines: Lines,
  context: FileContext
): Effect.fn.Return<OptOutFile, PeopleError> {
  const first = yield* Stream.runHead(meaningful(lines, plain))
  const layout = Option.isNone(first) ? plain : yield* readHeader(file, ...first.value)
  const rows = meaningful(lines, layout).pipe(
    Stream.filter(([, line]) => line !== layout.line),
    Stream.map(([text, line]) => ({ text, line: line + 1, row: readRow(text, layout, context) }))
  )
  const digest = createHash("sha256")
  const { mostRefused = Infinity } = context
  const refused: Array<Refused> = []
  let refusedCount = 0
  let count = 0
  yield* Stream.runForEach(rows, ({ text, line, row }) =>
    Effect.sync(() => {
      digest.update(`${text}\n`)
      if (typeof row !== "string") count += 1
      else if (refusedCount++ < mostRefused) refused.push({ line, why: row })
    })
  )
  return {
    count,
    refused,
    refusedCount,
    unused: layout.unused,
    source: digest.digest("hex").slice(0, 32),
    rows: rows.pipe(Stream.flatMap(({ row }) => (typeof row === "string" ? Stream.empty : Stream.succeed(row))))
  }
})
