/**
 * People from a query on the customer's own Postgres. It runs in a transaction
 * that can only read, and its rows pass by a page at a time: neither their
 * database nor our memory holds the whole list for us.
 */
import { type CountryCode, parseTimestamp } from "@stopline/consent"
import { Effect, Predicate, Redacted, Stream } from "effect"
import pg from "pg"
import Cursor from "pg-cursor"
import { PeopleError, type PersonRow, readPerson } from "./rows.ts"

const pageSize = 1000

/** A server that says nothing is not waited for longer than this. */
const patienceMs = 10_000

export interface PeopleQuery {
  readonly url: Redacted.Redacted
  /** The first column is the number, and the second, if there is one, when they were texted last. */
  readonly text: string
}

export const peopleInQuery = (
  query: PeopleQuery,
  country: CountryCode | undefined
): Stream.Stream<PersonRow, PeopleError> =>
  Stream.unwrap(
    Effect.map(openCursor(query), (cursor) =>
      Stream.fromAsyncIterable(pagesOf(cursor), (cause) => failed("the query of people failed", cause)).pipe(
        Stream.flattenIterable,
        Stream.zipWithIndex,
        Stream.map(([row, index]) => readRow(row, index + 1, country))
      )
    )
  )

const openCursor = Effect.fnUntraced(function* ({ text, url }: PeopleQuery) {
  const client = yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const client = new pg.Client({
          connectionString: Redacted.value(url),
          connectionTimeoutMillis: patienceMs,
          application_name: "stopline people",
          options: "-c default_transaction_read_only=on"
        })
        // A connection that dies fails what runs on it; unheard, its own error would end the process.
        client.on("error", () => undefined)
        await client.connect()
        return client
      },
      catch: (cause) => failed("the database of people cannot be reached", cause)
    }),
    (client) => Effect.promise(() => client.end().catch(() => undefined))
  )
  yield* Effect.tryPromise({
    try: () => client.query("begin transaction read only"),
    catch: (cause) => failed("the database of people does not answer", cause)
  })
  // With a cursor a text is one statement: what a second one would do is refused before the first one runs.
  return client.query(new Cursor<ReadonlyArray<unknown>>(text, [], { rowMode: "array" }))
})

async function* pagesOf(cursor: Cursor<ReadonlyArray<unknown>>) {
  for (;;) {
    const page = await cursor.read(pageSize)
    if (page.length === 0) return
    yield page
  }
}

const readRow = (
  [number, texted]: ReadonlyArray<unknown>,
  row: number,
  country: CountryCode | undefined
): PersonRow => {
  const person = readPerson(
    Predicate.isString(number) || Predicate.isNumber(number) ? String(number) : "",
    row,
    country
  )
  const textedAt = Predicate.isDate(texted)
    ? texted.getTime()
    : parseTimestamp(Predicate.isString(texted) ? texted : "")?.notAfter
  return "recipient" in person && textedAt !== undefined && Number.isFinite(textedAt) ? { ...person, textedAt } : person
}

/** By SQLSTATE alone: the database's own sentence can quote a number out of a row. */
const failed = (what: string, cause: unknown): PeopleError => {
  const code = Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : "no code"
  return new PeopleError({ problem: `${what} (${code})` })
}
