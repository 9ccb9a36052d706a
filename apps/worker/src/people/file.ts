/** A file of people: one number per line, or a CSV whose first column is the number. */
import { createReadStream } from "node:fs"
import { stat } from "node:fs/promises"
import { createInterface } from "node:readline"
import type { CountryCode } from "@stopline/consent"
import { Effect, Predicate, Stream } from "effect"
import { PeopleError, type PersonRow, readPerson } from "./rows.ts"

const firstColumn = (line: string): string =>
  (line.split(/[,;\t]/)[0] ?? "")
    .trim()
    .replace(/^"(.*)"$/, "$1")
    .trim()

/** What gives each byte only once: the second reading would find nothing, and everybody in it would be lost. */
const isPipe = (file: string) =>
  Effect.promise(() =>
    stat(file).then(
      (found) => !found.isFile() && !found.isDirectory(),
      () => false
    )
  )

/** The lines of a file, read as they are asked for, and as often. */
export const lines = (file: string): Stream.Stream<string, PeopleError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      if (yield* isPipe(file)) {
        const problem = `${file}: a pipe can be read only once, and this is read twice; write it into a file first`
        return yield* new PeopleError({ problem })
      }
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

/** Empty lines, those of an empty spreadsheet row among them, comments and a heading are no rows. */
export const peopleInFile = (file: string, country: CountryCode | undefined): Stream.Stream<PersonRow, PeopleError> =>
  Stream.zipWithIndex(lines(file)).pipe(
    Stream.map(([line, index]) => {
      const text = firstColumn(index === 0 ? line.replace(/^\uFEFF/, "") : line)
      const isRow = /[^\s,;"]/.test(line) && !text.startsWith("#") && (index > 0 || /\d/.test(text))
      return isRow ? [readPerson(text, index + 1, country)] : []
    }),
    Stream.flattenIterable
  )
