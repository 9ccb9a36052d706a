/**
 * One pool of connections to Postgres, and queries and transactions as effects.
 *
 * Kysely owns the driver. A transaction that is interrupted is rolled back. What
 * met another in a conflict is tried again: a transaction as a whole.
 */
import { Context, Effect, Layer, Option, Redacted, type Scope, Semaphore } from "effect"
import { type ControlledTransaction, Kysely, PostgresDialect } from "kysely"
import pg from "pg"
import { type Bell, makeBell } from "./bell.ts"
import { SwiftClient } from "./client.ts"
import { LedgerError, ledgerError } from "./error.ts"
import { Growth } from "./growth.ts"
import type { Tables } from "./schema.ts"
import { holdSession, type Session } from "./session.ts"

export type Database = Kysely<Tables>

/** timestamptz, float8 and int8 as numbers. Counts, ids and recipients stay far below 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) => {
    if (oid === pg.types.builtins.TIMESTAMPTZ) return parseInstant
    if (oid === pg.types.builtins.INT8) return Number
    return format === "binary" ? pg.types.getTypeParser(oid, "binary") : pg.types.getTypeParser(oid, "text")
  }
}

const parseInstant = (text: string): number => {
  // The rows of a page often tell of one moment.
  if (text !== parsed.text) parsed = { text, ms: instantOf(text) }
  return parsed.ms
}

let parsed = { text: "-infinity", ms: Number.NEGATIVE_INFINITY }

const instantOf = (text: string): number =>
  text === "-infinity"
    ? Number.NEGATIVE_INFINITY
    : text === "infinity"
      ? Number.POSITIVE_INFINITY
      : Date.parse(inUtc(text) ? `${text.slice(0, 10)}T${text.slice(11, -3)}Z` : isoOf(text))

/** By far the most: `2026-01-05 10:11:12.345+00`. */
const inUtc = (text: string): boolean => text.endsWith("+00") && text[10] === " "

const isoOf = (text: string): string => text.replace(" ", "T").replace(/([+-]\d{2})$/, "$1:00")

const firstYear = Date.parse("0001-01-01T00:00:00Z")
const lastYear = Date.parse("9999-12-31T23:59:59.999Z")

/**
 * Milliseconds since the epoch, as Postgres reads them. Providers write "no end"
 * as the last moment of the calendar and "never" as the first: a moment beyond
 * is kept as the nearest one that has a name, for whatever came with it must not
 * be lost over it (L1).
 */
export const instant = (ms: number): string => {
  if (ms === Number.NEGATIVE_INFINITY) return "-infinity"
  if (ms === Number.POSITIVE_INFINITY) return "infinity"
  // All rows of a page were read at one moment, and writing it once is enough.
  if (ms !== latest.ms) latest = { ms, text: new Date(Math.min(lastYear, Math.max(firstYear, ms))).toISOString() }
  return latest.text
}

let latest = { ms: 0, text: "1970-01-01T00:00:00.000Z" }

export const maybeInstant = (ms: number | undefined): string | null => (ms === undefined ? null : instant(ms))

export interface PoolUse {
  readonly busy: number
  readonly idle: number
  /** Who waits for a connection. */
  readonly waiting: number
  /** So many there can be. */
  readonly most: number
}

/** The transaction a fiber is in, inherited by its children. */
const Current = Context.Reference<Option.Option<ControlledTransaction<Tables>>>("@stopline/ledger/Transaction", {
  defaultValue: () => Option.none()
})

export class Connection extends Context.Service<
  Connection,
  {
    /** Runs one query, inside the fiber's transaction if there is one. */
    readonly query: <A>(operation: string, run: (db: Database) => Promise<A>) => Effect.Effect<A, LedgerError>
    /** All or nothing. Inside a transaction it joins that transaction. Conflicts are tried again, whole. */
    readonly transaction: <A, E, R>(
      operation: string,
      self: Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | LedgerError, R>
    /** The number that says this process is alive: it holds an advisory lock of this number as long as it lives. */
    readonly session: number
    /** Rings for each lane that any process lets go. It may miss one. */
    readonly freed: Bell
    /** Whether a process whose session is not locked is dead, as far as this one can know. */
    readonly certain: () => boolean
    /** Told of about how many rows were written to the big tables, so that Postgres plans for as many. */
    readonly wrote: (rows: number) => void
    /** How the pool of connections is used at this moment. */
    readonly use: Effect.Effect<PoolUse>
  }
>()("@stopline/ledger/Connection") {
  static readonly layer = (url: Redacted.Redacted, options?: { readonly connections?: number }) =>
    Layer.effect(Connection, open(url, options?.connections ?? 10))

  /** A ledger over connections that somebody else keeps, for a process whose session number is locked by them. */
  static readonly over = (pool: pg.Pool, session: number): Connection["Service"] =>
    connect(pool, { number: session, freed: makeBell(), certain: () => true })
}

const open = Effect.fnUntraced(function* (
  url: Redacted.Redacted,
  connections: number
): Effect.fn.Return<Connection["Service"], LedgerError, Scope.Scope> {
  const pool = yield* openPool(url, connections)
  return connect(pool, yield* holdSession(configFor(url)))
})

const configFor = (url: Redacted.Redacted): pg.ClientConfig => ({
  connectionString: Redacted.value(url),
  types,
  connectionTimeoutMillis: 10_000,
  application_name: "stopline",
  // Statements here are many and small, and go by keys whatever their parameters are: compiling one, or planning it
  // for each set of parameters anew, costs more than it could save. What is asked for was touched just before: reading
  // a table whole is no cheaper than finding a thousand of its rows by their keys.
  // Nobody here thinks in the middle of a transaction: one that stands still has lost its process, and holds locks.
  options:
    "-c jit=off -c plan_cache_mode=force_generic_plan -c random_page_cost=1.1 -c idle_in_transaction_session_timeout=10s"
})

/** Connections to a ledger, for as long as the scope lives. */
export const openPool = (url: Redacted.Redacted, connections: number): Effect.Effect<pg.Pool, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const pool = new pg.Pool({ ...configFor(url), max: connections, Client: SwiftClient })
      // A connection that dies is replaced by the pool, and what ran on it fails. Idle or in the middle of a
      // transaction, its own error would end the process if nobody heard it.
      pool.on("error", () => undefined)
      pool.on("connect", (client) => client.on("error", () => undefined))
      return pool
    }),
    (pool) => Effect.promise(() => pool.end())
  )

/** For what met another in a conflict, such as a deadlock: it has done nothing, and the same again will do. */
const again = { while: (error: unknown) => error instanceof LedgerError && error.kind === "conflict", times: 5 }

const connect = (pool: pg.Pool, { certain, freed, number }: Session): Connection["Service"] => {
  const root = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) })
  const growth = new Growth(root)

  const query = <A>(operation: string, run: (db: Database) => Promise<A>) =>
    Effect.flatMap(Current, (current) => {
      const ask = (db: Database) => Effect.tryPromise({ try: () => run(db), catch: ledgerError(operation) })
      // In a transaction the whole of it is to be tried again.
      return Option.match(current, { onSome: ask, onNone: () => Effect.retry(ask(root), again) })
    })

  const once = <A, E, R>(operation: string, self: Effect.Effect<A, E, R>) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.gen(function* () {
        const attempt = <B>(run: () => Promise<B>) => Effect.tryPromise({ try: run, catch: ledgerError(operation) })
        const trx = yield* attempt(() => root.startTransaction().execute())
        // The rollback of a lost connection fails too; what counts is why we are here.
        const rollback = Effect.ignore(attempt(() => trx.rollback().execute()))
        const exit = yield* Effect.exit(restore(Effect.provideService(self, Current, Option.some(trx))))
        if (exit._tag === "Success") {
          // A commit that fails keeps its connection; only a rollback gives it back to the pool.
          yield* Effect.tapError(
            attempt(() => trx.commit().execute()),
            () => rollback
          )
          return exit.value
        }
        yield* rollback
        return yield* exit
      })
    )

  // What was committed counts, whatever becomes of this.
  const refresh = Effect.ignore(Effect.tryPromise({ try: () => growth.refresh(), catch: ledgerError("analyze") }))

  const transaction = <A, E, R>(
    operation: string,
    self: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | LedgerError, R> =>
    Effect.flatMap(Current, (current) =>
      Option.isSome(current)
        ? self
        : Effect.tap(Effect.retry(once(operation, self), again), () => (growth.isDue ? refresh : Effect.void))
    )

  const use = Effect.sync(() => ({
    busy: pool.totalCount - pool.idleCount,
    idle: pool.idleCount,
    waiting: pool.waitingCount,
    most: pool.options.max
  }))

  return Connection.of({ query, transaction, session: number, freed, certain, wrote: (rows) => growth.note(rows), use })
}

/** The same ledger for what can wait: it takes at most half of the connections at once, and waits for one as long as it takes. */
export const patiently = Effect.fnUntraced(function* (
  connection: Connection["Service"]
): Effect.fn.Return<Connection["Service"]> {
  const { most } = yield* connection.use
  const some = yield* Semaphore.make(Math.max(1, Math.floor(most / 2)))
  // What is in a transaction has its connection already.
  const waiting = <A, E, R>(self: Effect.Effect<A, E, R>) =>
    Effect.flatMap(Current, (current) => (Option.isSome(current) ? self : some.withPermit(self)))
  return Connection.of({
    ...connection,
    query: (operation, run) => waiting(connection.query(operation, run)),
    transaction: (operation, self) => waiting(connection.transaction(operation, self))
  })
})
