/**
 * How other processes see that this one lives: an advisory lock on a number of
 * its own, held by a connection of its own. A connection that is lost while the
 * process lives (a restart of Postgres, a cut line) is made again and the lock
 * taken again; otherwise a living process would pass for dead until it ends.
 */
import { Effect, type Scope } from "effect"
import pg from "pg"
import { LedgerError, ledgerError } from "./error.ts"

/** First key of the advisory locks by which processes show that they live. */
export const sessionLocks = 6_277_001

/** Takes a free session number and keeps it locked until the scope ends. */
export const holdSession = Effect.fnUntraced(function* (
  config: pg.ClientConfig
): Effect.fn.Return<number, LedgerError, Scope.Scope> {
  const { client, lost } = yield* connect(config)
  const session = yield* lock(
    client,
    "select s as session from (select (random() * 2000000000)::int as s from generate_series(1, 20)) c where pg_try_advisory_lock($1, s) limit 1",
    [sessionLocks]
  )
  const again = Effect.scoped(
    Effect.gen(function* () {
      const { client, lost } = yield* connect(config)
      yield* lock(client, "select $2::int as session where pg_try_advisory_lock($1, $2::int)", [sessionLocks, session])
      yield* lost
    })
  )
  yield* Effect.forkScoped(
    Effect.andThen(lost, Effect.forever(Effect.andThen(Effect.ignore(again), Effect.sleep("1 second"))))
  )
  return session
})

const attempt = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: ledgerError("connect") })

/** A connection, and the moment it is lost. */
const connect = Effect.fnUntraced(function* (config: pg.ClientConfig) {
  const client = yield* Effect.acquireRelease(
    attempt(async () => {
      const client = new pg.Client({ ...config, keepAlive: true })
      // Its end says all that matters; unheard, its error would end the process.
      client.on("error", () => undefined)
      await client.connect()
      return client
    }),
    (client) => Effect.promise(() => client.end().catch(() => undefined))
  )
  const ended = new Promise<void>((resolve) => client.once("end", () => resolve()))
  return { client, lost: Effect.promise(() => ended) }
})

const lock = Effect.fnUntraced(function* (client: pg.Client, statement: string, values: ReadonlyArray<number>) {
  const taken = yield* attempt(() => client.query<{ session: number }>(statement, [...values]))
  const session = taken.rows[0]?.session
  if (session === undefined) {
    return yield* new LedgerError({ kind: "broken", operation: "connect", detail: "no free session number" })
  }
  return session
})
