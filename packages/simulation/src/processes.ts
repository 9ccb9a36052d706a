/**
 * The ledger connections of simulated processes. They are shared, and only their
 * session locks are each process's own: a process that is killed loses its lock
 * and nothing else, since no statement of it is ever under way when it dies.
 */
import { Connection, openPool, sessionLocks } from "@stopline/ledger"
import { Effect, type Redacted, type Scope } from "effect"

export interface Processes {
  /** For what is asked from outside, by nobody. */
  readonly ledger: Connection["Service"]
  /** A process begins to live. */
  readonly start: Effect.Effect<{ readonly ledger: Connection["Service"]; readonly session: number }>
  /** A process is gone. */
  readonly end: (session: number) => Effect.Effect<void>
}

export const openProcesses = Effect.fnUntraced(function* (
  url: Redacted.Redacted
): Effect.fn.Return<Processes, never, Scope.Scope> {
  const pool = yield* openPool(url, 2)
  const ledger = Connection.over(pool, 0)
  const keepers = yield* openPool(url, 1)
  // One connection holds the locks of all of them. A pool closes what is idle for long, so it is never given back.
  const keeper = yield* Effect.acquireRelease(
    Effect.promise(() => keepers.connect()),
    (client) => Effect.sync(() => client.release())
  )
  const lock = (which: "lock" | "unlock", session: number) =>
    Effect.promise(() => keeper.query(`select pg_advisory_${which}(${sessionLocks}, ${session})`))
  let born = 0
  return {
    ledger,
    start: Effect.suspend(() => {
      const session = (born += 1)
      return Effect.as(lock("lock", session), { ledger: Connection.over(pool, session), session })
    }),
    end: (session) => lock("unlock", session)
  }
})
