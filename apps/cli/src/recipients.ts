/**
 * A file of people: one number per line, or a CSV whose first column is the
 * number. Rows that are no number are told by line, and the rest is used.
 */
import type { CountryCode, Recipient } from "@stopline/consent"
import { type PeopleError, peopleInFile, type PersonRow } from "@stopline/worker"
import { Effect, Stream } from "effect"
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

const toUsage = ({ problem }: PeopleError) => new UsageError({ problem })

/** Reads a file of people once to know what is in it. */
export const openRecipients = (file: string, country: CountryCode | undefined) =>
  countPeople(() => peopleInFile(file, country))

/** Reads a list of people once to know what is in it. */
export const countPeople = Effect.fn("countPeople")(function* (
  list: () => Stream.Stream<PersonRow, PeopleError>
): Effect.fn.Return<RecipientsFile, UsageError> {
  const rows = () => Stream.mapError(list(), toUsage)
  const bad: Array<BadRow> = []
  let count = 0
  yield* Stream.runForEach(rows(), (row) =>
    Effect.sync(() => {
      if ("recipient" in row) count += 1
      else bad.push({ line: row.row, text: row.unreadable })
    })
  )
  const recipients = () =>
    Stream.flatMap(rows(), (row) => ("recipient" in row ? Stream.succeed(row.recipient) : Stream.empty))
  return { count, bad, recipients }
})
