/** A file of people: one number per line, or a CSV whose first column is the number. */
import { createReadStream } from "node:fs"
import { createInterface } from "node:readline"
import type { CountryCode } from "@stopline/consent"
import { Effect, Predicate, Stream } from "effect"
import { PeopleError, type PersonRow, readPerson } from "./rows.ts"

const firstColumn = (line: string): string =>
  (line.split(/[,;\t]/)[0] ?? "")
    .trim()
    .replace(/^"(.*)"$/, "$1")
    .trim()

/** The lines of a file, read as they are asked for. */
export const lines = (file: string): Stream.Stream<string, PeopleError> =>
  Stream.unwrap(
    Effect.sync(() => {
      const stream = createReadStream(file)
      return Stream.fromAsyncIterable(
        createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY }),
        (cause) =>
          new PeopleError({
            problem: `${file}: ${Predicate.hasProperty(cause, "code") && cause.code === "ENOENT" ? "there is no such file" : "it cannot be read"}`
          })
      ).pipe(Stream.ensuring(Effect.sync(() => stream.destroy())))
    })
  )

/** Empty lines, comments and a heading are no rows. */
export const peopleInFile = (file: string, country: CountryCode | undefined): Stream.Stream<PersonRow, PeopleError> =>
  Stream.zipWithIndex(lines(file)).pipe(
    Stream.map(([line, index]) => {
      const text = firstColumn(index === 0 ? line.replace(/^\uFEFF/, "") : line)
      const isRow = text !== "" && !text.startsWith("#") && (index > 0 || /\d/.test(text))
      return isRow ? [readPerson(text, index + 1, country)] : []
    }),
    Stream.flattenIterable
  )
