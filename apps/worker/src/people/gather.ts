/**
 * Everybody whom the configuration names is made known to the senders of the
 * accounts that cannot list, so that sweeps ask about them (docs: the blind spot).
 */
import { createHash } from "node:crypto"
import path from "node:path"
import { Fleet } from "@stopline/engine"
import {
  beginRun,
  type Connection,
  endRun,
  know,
  lastEnded,
  type LedgerError,
  type RegisteredAccount
} from "@stopline/ledger"
import { Clock, Duration, Effect, Option, Schema, Stream } from "effect"
import type { Config, ConfigError } from "../load.ts"
import { readSecret } from "../secret.ts"
import { peopleInFile } from "./file.ts"
import { peopleInQuery } from "./query.ts"
import type { PeopleError, PersonRow } from "./rows.ts"

export interface People {
  /** Reads the list anew: it is never held in memory. */
  readonly rows: () => Stream.Stream<PersonRow, PeopleError>
  readonly everyMs: number
  /** Which list it is, of what country: a digest. */
  readonly digest: string
}

/** The people that the configuration names, if it names any. */
export const peopleOf = Effect.fn("peopleOf")(function* (
  config: Config
): Effect.fn.Return<People | undefined, ConfigError> {
  const { people } = config.content
  if (people === undefined) return undefined
  const everyMs = people.every === undefined ? Duration.toMillis(Duration.days(1)) : Duration.toMillis(people.every)
  const { country, database, file } = people
  const digest = createHash("sha256").update(JSON.stringify({ country, database, file })).digest("hex").slice(0, 32)
  if (database === undefined) {
    const there = path.resolve(config.folder, file ?? "")
    return { rows: () => peopleInFile(there, country), everyMs, digest }
  }
  const url = yield* Effect.mapError(readSecret(database.url), (error) =>
    config.problem(["people", "database", "url"], error.message)
  )
  return { rows: () => peopleInQuery({ url, text: database.query }, country), everyMs, digest }
})

/** What became of a list, as it is stored with its run. */
export const Gathered = Schema.Struct({
  read: Schema.Int,
  /** Pairs of a sender and one of them that were not known before. */
  fresh: Schema.Int,
  unreadable: Schema.Int,
  /** The first of those that could not be read. */
  examples: Schema.Array(Schema.Struct({ row: Schema.Int, text: Schema.String }))
})
export type Gathered = typeof Gathered.Type

/** Stored beside it: which list was made known to whom. */
const Known = Schema.Struct({ digest: Schema.String, senders: Schema.Array(Schema.Int) })
const readKnown = Schema.decodeUnknownOption(Known)

const mostExamples = 20
const atOnce = 1000

/** The accounts that cannot list, and can be asked. */
const askedAbout = Effect.map(Fleet, ({ stations }) =>
  stations
    .filter(({ adapter }) => adapter.list._tag !== "Can" && adapter.check._tag === "Can")
    .map(({ account }) => account)
)

const idsOf = (accounts: ReadonlyArray<RegisteredAccount>): ReadonlyArray<number> =>
  accounts.flatMap(({ senders }) => senders.map(({ id }) => id))

const gather = Effect.fn("gather")(function* (
  people: People,
  startedBy: string
): Effect.fn.Return<Gathered, PeopleError | LedgerError, Fleet | Connection> {
  const asked = yield* askedAbout
  const runId = yield* beginRun({ kind: "people", accountId: null, startedBy, at: yield* Clock.currentTimeMillis })
  let gathered: Gathered = { read: 0, fresh: 0, unreadable: 0, examples: [] }
  const take = Effect.fnUntraced(function* (rows: ReadonlyArray<PersonRow>) {
    // Whoever was texted in the future would be asked about for ever.
    const now = yield* Clock.currentTimeMillis
    const good = rows.flatMap((row) =>
      "recipient" in row ? [{ recipient: row.recipient, textedAt: row.textedAt && Math.min(row.textedAt, now) }] : []
    )
    let fresh = 0
    for (const account of asked) fresh += yield* know(account, account.senders, good)
    gathered = add(gathered, rows, good.length, fresh)
  })
  const known = { digest: people.digest, senders: idsOf(asked) }
  const end = (outcome: string) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => endRun(runId, outcome, { ...gathered, ...known }, now))
  yield* Stream.runForEach(Stream.grouped(people.rows(), atOnce), take).pipe(
    Effect.tapError(() => Effect.ignore(end("failed")))
  )
  yield* end("completed")
  return gathered
})

const add = (sum: Gathered, rows: ReadonlyArray<PersonRow>, good: number, fresh: number): Gathered => ({
  read: sum.read + good,
  fresh: sum.fresh + fresh,
  unreadable: sum.unreadable + rows.length - good,
  examples: [
    ...sum.examples,
    ...rows.flatMap((row) => ("unreadable" in row ? [{ row: row.row, text: row.unreadable }] : []))
  ].slice(0, mostExamples)
})

/** After how long it is time to gather (ms): at once when the list is another one now, or a sender has joined. */
export const gatherDue = Effect.fn("gatherDue")(function* (
  people: People
): Effect.fn.Return<number, LedgerError, Fleet | Connection> {
  const last = yield* lastEnded("people", null)
  const known = Option.getOrUndefined(readKnown(last?.counts))
  if (last?.outcome !== "completed" || known?.digest !== people.digest) return 0
  if (idsOf(yield* askedAbout).some((id) => !known.senders.includes(id))) return 0
  return Math.max(0, last.startedAt + people.everyMs - (yield* Clock.currentTimeMillis))
})

/** Gathers if it is time to; after how long it is so again. A list that cannot be read now is told of, and read the next time. */
export const gatherWhenDue = Effect.fn("gatherWhenDue")(function* (
  people: People
): Effect.fn.Return<number, LedgerError, Fleet | Connection> {
  const due = yield* gatherDue(people)
  if (due > 0) return due
  const { owner } = yield* Fleet
  return yield* gather(people, owner).pipe(
    Effect.tap(({ examples, fresh, read, unreadable }) =>
      Effect.andThen(
        Effect.logInfo("people were read", { read, fresh, unreadable }),
        Effect.forEach(examples, ({ row, text }) => Effect.logWarning("no phone number", { row, text }))
      )
    ),
    Effect.as(people.everyMs),
    Effect.catchTag("PeopleError", (error) =>
      Effect.as(Effect.logError("people could not be read", { error: error.message }), gatherAgainMs)
    )
  )
})

/** After a list that could not be read (ms). */
export const gatherAgainMs = 5 * 60_000
