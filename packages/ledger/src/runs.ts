/** Who started what when, and how it ended: rounds, walks, sweeps, backfills, imports, and times of listening (see hearing.ts). */
import type { SenderAddress } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import type { RunKind } from "./schema.ts"

export interface NewRun {
  readonly kind: RunKind
  readonly accountId: number | null
  readonly startedBy: string
  readonly at: number
  /** What this run finds may be carried in bulk without a guard. */
  readonly unguarded?: boolean
  /** What it has done so far, where it is known already what that is about. */
  readonly counts?: unknown
}

export const beginRun = Effect.fn("Ledger.beginRun")(function* (
  run: NewRun
): Effect.fn.Return<number, LedgerError, Connection> {
  const { query } = yield* Connection
  const row = yield* query("begin run", (db) =>
    db
      .insertInto("run")
      .values({
        kind: run.kind,
        account_id: run.accountId,
        started_by: run.startedBy,
        started_at: instant(run.at),
        unguarded: run.unguarded ?? false,
        counts: run.counts === undefined ? null : JSON.stringify(run.counts)
      })
      .returning("id")
      .executeTakeFirstOrThrow()
  )
  return row.id
})

export const endRun = Effect.fn("Ledger.endRun")(function* (
  id: number,
  outcome: string,
  counts: unknown,
  at: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  yield* query("end run", (db) =>
    db
      .updateTable("run")
      .set({ ended_at: instant(at), outcome, counts: JSON.stringify(counts) })
      .where("id", "=", id)
      .execute()
  )
})

/** What a run has done so far, so that it counts also if the process dies. */
export const noteRun = Effect.fn("Ledger.noteRun")(function* (
  id: number,
  counts: unknown
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  yield* query("note run", (db) =>
    db
      .updateTable("run")
      .set({ counts: JSON.stringify(counts) })
      .where("id", "=", id)
      .execute()
  )
})

export interface EndedRun {
  readonly startedAt: number
  readonly outcome: string | null
  readonly counts: unknown
}

/** The last run of a kind that has ended, with what it counted. */
export const lastEnded = Effect.fn("Ledger.lastEnded")(function* (
  kind: RunKind,
  accountId: number | null
): Effect.fn.Return<EndedRun | undefined, LedgerError, Connection> {
  const { query } = yield* Connection
  return yield* query("last ended", (db) =>
    db
      .selectFrom("run")
      .select(["started_at as startedAt", "outcome", "counts"])
      .where("kind", "=", kind)
      .where("account_id", accountId === null ? "is" : "=", accountId)
      .where("ended_at", "is not", null)
      // Postgres finds the last of a null by its index only if it is told to look through it in its order.
      .orderBy("account_id", "desc")
      .orderBy("id", "desc")
      .limit(1)
      .executeTakeFirst()
  )
})

/**
 * A backfill of an account, or of this sender of it, that was begun and not ended, and was at work since then: its process
 * died, and it can be gone on with.
 */
export const unfinishedBackfill = Effect.fn("Ledger.unfinishedBackfill")(function* (
  accountId: number,
  sender: SenderAddress | undefined,
  atWorkSince: number
): Effect.fn.Return<{ readonly id: number; readonly startedAt: number } | undefined, LedgerError, Connection> {
  const { query } = yield* Connection
  return yield* query("unfinished backfill", (db) =>
    db
      .selectFrom("run")
      .select(["id", "started_at as startedAt"])
      .where("account_id", "=", accountId)
      .where("kind", "=", "backfill")
      .where("ended_at", "is", null)
      .where(sql<boolean>`counts ->> 'sender' is not distinct from ${sender ?? null}`)
      .where(
        sql<boolean>`coalesce(to_timestamp((counts ->> 'at')::float8 / 1000), started_at) >= ${instant(atWorkSince)}`
      )
      .orderBy("id", "desc")
      .limit(1)
      .executeTakeFirst()
  )
})

/** Whether a backfill of this account has ever been finished. */
export const hasBackfilled = Effect.fn("Ledger.hasBackfilled")(function* (
  accountId: number
): Effect.fn.Return<boolean, LedgerError, Connection> {
  const { query } = yield* Connection
  const row = yield* query("has backfilled", (db) =>
    db
      .selectFrom("run")
      .select("id")
      .where("account_id", "=", accountId)
      .where("kind", "=", "backfill")
      .where("outcome", "=", "completed")
      .limit(1)
      .executeTakeFirst()
  )
  return row !== undefined
})

export interface LastRuns {
  readonly attemptedAt: number | undefined
  readonly completedAt: number | undefined
}

/** When a kind of run was last begun, and when one last ended well: not the same, and the difference is the alarm. */
export const lastRuns = Effect.fn("Ledger.lastRuns")(function* (
  kind: RunKind,
  accountId: number | null
): Effect.fn.Return<LastRuns, LedgerError, Connection> {
  const { query } = yield* Connection
  const of = (completed: boolean) =>
    query("last runs", (db) =>
      db
        .selectFrom("run")
        .select("started_at")
        .where("kind", "=", kind)
        .where("account_id", "is not distinct from", accountId)
        .$if(completed, (q) => q.where("outcome", "=", "completed"))
        .orderBy("id", "desc")
        .limit(1)
        .executeTakeFirst()
    )
  const attempted = yield* of(false)
  const completed = yield* of(true)
  return { attemptedAt: attempted?.started_at, completedAt: completed?.started_at }
})
