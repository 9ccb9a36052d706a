/**
 * A file of people: one number per line, or a CSV whose first column is the
 * number. Rows that are no number are told by line, and the rest is used.
 */
import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
import { type CountryCode, maskMistyped, parseRecipient, type Recipient } from "@stopline/consent"
import { Effect, Option, Predicate, Stream } from "effect"
import { UsageError } from "./exit.ts"

export interface BadRow {
  readonly line: number
  /** What stands there, masked. */
  readonly text: string
}

export interface RecipientsFile {
  readonly count: number
  readonly bad: ReadonlyArray<BadRow>
  /** Reads the file anew: it is never held in memory. */
  readonly recipients: () => Stream.Stream<Recipient, UsageError>
}

const firstColumn = (line: string): string =>
  (line.split(/[,;\t]/)[0] ?? "")
    .trim()
    .replace(/^"(.*)"$/, "$1")
    .trim()

/** The lines of a file, read as they are asked for. */
export const lines = (file: string): Stream.Stream<string, UsageError> =>
  Stream.unwrap(
    Effect.sync(() => {
      const stream = createReadStream(file)
      return Stream.fromAsyncIterable(
        createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }),
        (cause) =>
          new UsageError({
            problem: `${file}: ${Predicate.hasProperty(cause, "code") && cause.code === "ENOENT" ? "there is no such file" : "it cannot be read"}`
          })
      ).pipe(Stream.ensuring(Effect.sync(() => stream.destroy())))
    })
  )

type Row = { readonly recipient: Recipient } | { readonly bad: string } | undefined

/** Empty lines, comments and a heading are no rows. */
const readRow = (line: string, index: number, country: CountryCode | undefined): Row => {
  const text = firstColumn(index === 0 ? line.replace(/^\uFEFF/, "") : line)
  if (text === "" || text.startsWith("#") || (index === 0 && !/\d/.test(text))) return undefined
  return Option.match(parseRecipient(text, country), {
    onNone: () => ({ bad: text }),
    onSome: (recipient) => ({ recipient })
  })
}

/** Reads the file once to know what is in it. */
export const openRecipients = Effect.fn("openRecipients")(function* (
  file: string,
  country: CountryCode | undefined
): Effect.fn.Return<RecipientsFile, UsageError> {
  const rows = Stream.zipWithIndex(lines(file)).pipe(
    Stream.map(([line, index]) => [readRow(line, index, country), index] as const)
  )
  const bad: Array<BadRow> = []
  let count = 0
  yield* Stream.runForEach(rows, ([row, index]) =>
    Effect.sync(() => {
      if (row === undefined) return
      if ("bad" in row) bad.push({ line: index + 1, text: maskMistyped(row.bad) })
      else count += 1
    })
  )
  const recipients = () =>
    Stream.flatMap(rows, ([row]) =>
      row !== undefined && "recipient" in row ? Stream.succeed(row.recipient) : Stream.empty
    )
  return { count, bad, recipients }
})
