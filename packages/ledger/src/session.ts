/**
 * How other processes see that this one lives: an advisory lock on a number of
 * its own, held by a connection of its own. The same connection hears which
 * lanes others let go. When it is lost while the process lives (a restart of
 * Postgres, a cut line) it is made again and the lock taken again; otherwise a
 * living process would pass for dead until it ends. Others may have lost theirs
 * together with it, and live: until they have had the time to come back, nobody
 * passes for dead. Nor does anybody at first where Postgres itself began a moment
 * ago: who begins with it has lost nothing, and those that lived before have.
 */
import { Effect, type Scope } from "effect"
import type pg from "pg"
import { type Bell, makeBell } from "./bell.ts"
import { SwiftClient } from "./client.ts"
import { LedgerError, ledgerError } from "./error.ts"

/** First key of the advisory locks by which processes show that they live. */
export const sessionLocks = 6_277_001

/** Where it is told which lane was let go. */
export const freedChannel = "stopline_lane_freed"

export interface Session {
  readonly number: number
  /** Rings for each lane that a process lets go. */
  readonly freed: Bell
  /** Whether a process whose number is not locked is dead. Not for a while after our own lock was lost, or Postgres began. */
  readonly certain: () => boolean
}

/** A process that lives has its lock again in this time: it tries every second (ms). */
const othersAreBackMs = 3_000

/** Takes a free session number and keeps it locked until the scope ends. */
export const holdSession = Effect.fnUntraced(function* (
  config: pg.ClientConfig
): Effect.fn.Return<Session, LedgerError, Scope.Scope> {
  const freed = makeBell()
  const { client, lost } = yield* connect(config, freed)
  const number = yield* lock(
    client,
    "select s as session from (select (random() * 2000000000)::int as s from generate_series(1, 20)) c where pg_try_advisory_lock($1, s) limit 1",
    [sessionLocks]
  )
  let certain = !(yield* begunLately(client))
  const doubting = Effect.sync(() => (certain = false))
  const trusting = Effect.andThen(
    Effect.sleep(othersAreBackMs),
    Effect.sync(() => (certain = true))
  )
  // Others have their time to come back; as soon as we lose our own lock again, they have it anew.
  const trustUntil = (lost: Effect.Effect<void>) =>
    Effect.andThen(Effect.raceFirst(lost, Effect.andThen(trusting, Effect.never)), doubting)
  const again = Effect.scoped(
    Effect.gen(function* () {
      const { client, lost } = yield* connect(config, freed)
      yield* lock(client, "select $2::int as session where pg_try_advisory_lock($1, $2::int)", [sessionLocks, number])
      // What was told in the meantime was told to nobody.
      freed.ringAll()
      yield* trustUntil(lost)
    })
  )
  const anew = Effect.forever(Effect.andThen(Effect.ignore(again), Effect.sleep("1 second")))
  yield* Effect.forkScoped(Effect.andThen(trustUntil(lost), anew))
  return { number, freed, certain: () => certain }
})

const attempt = <A>(run: () => Promise<A>) => Effect.tryPromise({ try: run, catch: ledgerError("connect") })

/** A connection that listens, and the moment it is lost. */
const connect = Effect.fnUntraced(function* (config: pg.ClientConfig, freed: Bell) {
  const client = yield* Effect.acquireRelease(
    attempt(async () => {
      const client = new SwiftClient({ ...config, keepAlive: true })
      // Its end says all that matters; unheard, its error would end the process.
      client.on("error", () => undefined)
      client.on("notification", ({ payload }) => freed.ring(payload ?? ""))
      await client.connect()
      await client.query(`listen ${freedChannel}`)
      return client
    }),
    (client) => Effect.promise(() => client.end().catch(() => undefined))
  )
  const ended = new Promise<void>((resolve) => client.once("end", () => resolve()))
  // A connection that nobody uses would not be missed.
  const alive = Effect.forever(
    Effect.andThen(
      Effect.sleep("10 seconds"),
      attempt(() => client.query("select 1"))
    )
  )
  return {
    client,
    lost: Effect.raceFirst(
      Effect.promise(() => ended),
      Effect.ignore(alive)
    )
  }
})

/** Whether Postgres began so short a time ago that others may not be back. What it began with may have been to recover from a crash: that takes minutes at most. */
const begunLately = (client: pg.Client) =>
  Effect.map(
    attempt(() =>
      client.query<{ lately: boolean }>("select now() - pg_postmaster_start_time() < interval '5 minutes' as lately")
    ),
    ({ rows }) => rows[0]?.lately ?? true
  )

const lock = Effect.fnUntraced(function* (client: pg.Client, statement: string, values: ReadonlyArray<number>) {
  const taken = yield* attempt(() => client.query<{ session: number }>(statement, [...values]))
  const session = taken.rows[0]?.session
  if (session === undefined) {
    return yield* new LedgerError({ kind: "broken", operation: "connect", detail: "no free session number" })
  }
  return session
})
