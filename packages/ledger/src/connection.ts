/**
 * One pool of connections to Postgres, and queries and transactions as effects.
 *
 * Kysely owns the driver. A transaction that is interrupted is rolled back, and
 * one that met another in a conflict is tried again, whole.
 */
import { Context, Effect, Layer, Option, Redacted, type Scope } from "effect"
import { type ControlledTransaction, Kysely, PostgresDialect } from "kysely"
import pg from "pg"
import Cursor from "pg-cursor"
import { LedgerError, ledgerError } from "./error.ts"
import type { Tables } from "./schema.ts"

export type Database = Kysely<Tables>

/** timestamptz, float8 and int8 as numbers. Counts and ids stay far below 2^53; recipients are read as text. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: "text" | "binary") => {
    if (oid === 1184) return parseInstant
    if (oid === 20) return Number
    return pg.types.getTypeParser(oid, format)
  }) as pg.CustomTypesConfig["getTypeParser"]
}

const parseInstant = (text: string): number =>
  text === "-infinity"
    ? Number.NEGATIVE_INFINITY
    : text === "infinity"
      ? Number.POSITIVE_INFINITY
      : Date.parse(text.replace(" ", "T").replace(/([+-]\d{2})$/, "$1:00"))

/** Milliseconds since the epoch, as Postgres reads them. */
export const instant = (ms: number): string =>
  ms === Number.NEGATIVE_INFINITY
    ? "-infinity"
    : ms === Number.POSITIVE_INFINITY
      ? "infinity"
      : new Date(ms).toISOString()

export const maybeInstant = (ms: number | undefined): string | null => (ms === undefined ? null : instant(ms))

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
  }
>()("@stopline/ledger/Connection") {
  static readonly layer = (url: Redacted.Redacted, options?: { readonly connections?: number }) =>
    Layer.effect(Connection, open(url, options?.connections ?? 10))
}

/** First key of the advisory locks by which processes show that they live. */
export const sessionLocks = 6_277_001

const open = (
  url: Redacted.Redacted,
  connections: number
): Effect.Effect<Connection["Service"], LedgerError, Scope.Scope> =>
  Effect.gen(function* () {
    const config: pg.PoolConfig = {
      connectionString: Redacted.value(url),
      max: connections,
      types,
      connectionTimeoutMillis: 10_000,
      application_name: "stopline"
    }
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new pg.Pool(config)),
      (pool) => Effect.promise(() => pool.end())
    )
    // A connection that dies idle is replaced by the pool; unheard, its error would end the process.
    pool.on("error", () => undefined)
    const root = new Kysely<Tables>({ dialect: new PostgresDialect({ pool, cursor: Cursor }) })
    const session = yield* holdSession(config)

    const query = <A>(operation: string, run: (db: Database) => Promise<A>) =>
      Effect.flatMap(Current, (current) =>
        Effect.tryPromise({
          try: () => run(Option.getOrElse(current, () => root as Database)),
          catch: ledgerError(operation)
        })
      )

    const once = <A, E, R>(operation: string, self: Effect.Effect<A, E, R>) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const attempt = <B>(run: () => Promise<B>) => Effect.tryPromise({ try: run, catch: ledgerError(operation) })
          const trx = yield* attempt(() => root.startTransaction().execute())
          const exit = yield* Effect.exit(restore(Effect.provideService(self, Current, Option.some(trx))))
          if (exit._tag === "Success") {
            yield* attempt(() => trx.commit().execute())
            return exit.value
          }
          // The rollback of a lost connection fails too; what counts is why we are here.
          yield* Effect.ignore(attempt(() => trx.rollback().execute()))
          return yield* exit
        })
      )

    const transaction = <A, E, R>(
      operation: string,
      self: Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | LedgerError, R> =>
      Effect.flatMap(Current, (current) =>
        Option.isSome(current)
          ? self
          : Effect.retry(once(operation, self), {
              while: (error) => error instanceof LedgerError && error.kind === "conflict",
              times: 5
            })
      )

    return Connection.of({ query, transaction, session })
  })

/** Takes a free session number and keeps it locked, on a connection of its own, until the scope ends. */
const holdSession = Effect.fnUntraced(function* (config: pg.PoolConfig) {
  const attempt = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: ledgerError("connect") })
  const client = yield* Effect.acquireRelease(
    attempt(async () => {
      const client = new pg.Client(config)
      client.on("error", () => undefined)
      await client.connect()
      return client
    }),
    (client) => Effect.promise(() => client.end().catch(() => undefined))
  )
  const taken = yield* attempt(() =>
    client.query<{ session: number }>(
      "select s as session from (select (random() * 2000000000)::int as s from generate_series(1, 20)) c where pg_try_advisory_lock($1, s) limit 1",
      [sessionLocks]
    )
  )
  const session = taken.rows[0]?.session
  if (session === undefined) {
    return yield* new LedgerError({ kind: "broken", operation: "connect", detail: "no free session number" })
  }
  return session
})
