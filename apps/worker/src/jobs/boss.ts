/** pg-boss, opened on the ledger's database with tables of its own, and closed with the scope. */
import { LedgerError, ledgerError, LedgerUrl, WatchfulClient } from "@stopline/ledger"
import { Effect, FiberSet, Redacted, type Scope } from "effect"
import type { PgBoss } from "pg-boss"
import manifest from "pg-boss/package.json" with { type: "json" }
import { deadQueue, deadRetention, queues } from "./queues.ts"

export const jobsSchema = "stopline_jobs"

/** How often (s) jobs are looked for whose worker is gone. With the heartbeat, so long it takes until another has them. */
const superviseSeconds = 5

/** For jobs under way to be given back when the process ends (ms). */
const stopMs = 5_000

export interface BossOptions {
  /** Whether this process does jobs, and looks after those whose worker is gone. */
  readonly works: boolean
}

/** Fails `newer` when a newer pg-boss has been here. An older one's tables are brought up to date. */
export const openBoss = Effect.fn("openBoss")(function* (
  options: BossOptions
): Effect.fn.Return<PgBoss, LedgerError, Scope.Scope | LedgerUrl> {
  const url = yield* LedgerUrl
  const log = yield* FiberSet.makeRuntime<never, void, never>()
  // Loaded when it is needed: most commands need no queue.
  const library = yield* Effect.promise(() => import("pg-boss"))
  // What it does not name it passes on to its pool: connections that died without a word would fill that for ever.
  const pool = { Client: WatchfulClient }
  const boss = new library.PgBoss({
    ...pool,
    connectionString: Redacted.value(url),
    schema: jobsSchema,
    application_name: "stopline",
    max: 4,
    schedule: false,
    monitorVacuum: false,
    supervise: options.works,
    superviseIntervalSeconds: superviseSeconds,
    monitorIntervalSeconds: superviseSeconds,
    useListenNotify: options.works
  })
  const tell = sayOnce()
  boss.on("error", (error) => void log(tell(error.message)))
  boss.on("warning", ({ message }) => void log(tell(message)))
  yield* Effect.acquireRelease(start(boss), () => Effect.promise(() => boss.stop({ graceful: true, timeout: stopMs })))
  yield* attempt(async () => {
    await boss.createQueue(deadQueue, { retentionSeconds: deadRetention, deleteAfterSeconds: deadRetention })
    // Where the dead of one go has to be there before it.
    await boss.createQueue("reconcile", queues.reconcile)
    await Promise.all(Object.entries(queues).map(([name, queue]) => boss.createQueue(name, queue)))
  })
  return boss
})

const start = (boss: PgBoss): Effect.Effect<void, LedgerError> =>
  Effect.gen(function* () {
    const started = yield* Effect.result(attempt(() => boss.start()))
    const version = yield* Effect.orElseSucceed(
      attempt(() => boss.schemaVersion()),
      () => null
    )
    if (version !== null && version > manifest.pgboss.schema) {
      const detail = `the queues in this database (schema ${jobsSchema}, version ${version}) were made by a newer Stopline; run that version, or use another database`
      return yield* new LedgerError({ kind: "newer", operation: "open the queues", detail })
    }
    if (started._tag === "Failure") return yield* started.failure
  }).pipe(Effect.tapError(() => Effect.promise(() => boss.stop({ graceful: false }).catch(() => undefined))))

export const attempt = <A>(run: () => Promise<A>): Effect.Effect<A, LedgerError> =>
  Effect.tryPromise({ try: run, catch: ledgerError("jobs") })

/** A database that is away is found so by every look at every queue. Once a minute is enough to know. */
const sayOnce = () => {
  const said = new Set<string>()
  return (message: string): Effect.Effect<void> =>
    Effect.suspend(() => {
      // Which queue and which of its workers it was tells nobody anything.
      const text = message.replace(/ \(Queue: .*$/, "")
      if (said.has(text)) return Effect.void
      said.add(text)
      return Effect.logWarning("the queues of jobs cannot be looked at", { reason: text }).pipe(
        Effect.andThen(Effect.sleep("1 minute")),
        Effect.andThen(Effect.sync(() => void said.delete(text)))
      )
    })
}
