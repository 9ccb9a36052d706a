/**
 * A halt is a stored, named stop with numbers in it, that a person clears. While
 * one is open for an account, what reading found in bulk is not written there;
 * what people said themselves still is (L8).
 */
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"

export interface Halt {
  readonly id: number
  readonly account: string
  /** `too-many-opt-outs`, `too-many-opt-ins`, `listing-emptied`, `listing-shrank`, `denied`. */
  readonly kind: string
  readonly message: string
  readonly numbers: Readonly<Record<string, number>>
  /** The plan that was held back; approving it clears the halt. */
  readonly digest: string | null
  readonly raisedAt: number
}

export interface NewHalt {
  readonly accountId: number
  readonly kind: string
  readonly message: string
  readonly numbers: Readonly<Record<string, number>>
  readonly digest: string | null
}

/** Raises a halt, or brings the numbers of the open one of its kind up to date. Returns whether it is new. */
export const raiseHalt = Effect.fn("Ledger.raiseHalt")(function* (
  halt: NewHalt,
  now: number
): Effect.fn.Return<boolean, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("raise halt", (db) =>
    sql<{ fresh: boolean }>`
      insert into halt (account_id, kind, message, numbers, digest, raised_at)
      values (${halt.accountId}, ${halt.kind}, ${halt.message}, ${JSON.stringify(halt.numbers)}::jsonb, ${halt.digest}, ${instant(now)})
      on conflict (account_id, kind) where cleared_at is null
        do update set message = excluded.message, numbers = excluded.numbers, digest = excluded.digest
      returning xmax = 0 as fresh`.execute(db)
  )
  return result.rows[0]?.fresh === true
})

export const openHalts = Effect.fn("Ledger.openHalts")(function* (): Effect.fn.Return<
  ReadonlyArray<Halt>,
  LedgerError,
  Connection
> {
  const { query } = yield* Connection
  const rows = yield* query("open halts", (db) =>
    db
      .selectFrom("halt")
      .innerJoin("account", "account.id", "halt.account_id")
      .select(["halt.id", "account.name as account", "kind", "message", "numbers", "digest", "raised_at as raisedAt"])
      .where("cleared_at", "is", null)
      .orderBy("halt.id")
      .execute()
  )
  return rows
})

/** Clears open halts, by the name of the person who looked. Returns those it cleared. */
export const clearHalts = Effect.fn("Ledger.clearHalts")(function* (
  which: {
    readonly ids?: ReadonlyArray<number>
    readonly digest?: string
    readonly kinds?: ReadonlyArray<string>
    readonly account?: string
  },
  by: string,
  now: number
): Effect.fn.Return<ReadonlyArray<Halt>, LedgerError, Connection> {
  const connection = yield* Connection
  return yield* connection.transaction(
    "clear halts",
    Effect.gen(function* () {
      yield* connection.query("clear halts", (db) =>
        sql`select from halt where cleared_at is null order by id for update`.execute(db)
      )
      const open = yield* openHalts()
      const chosen = open.filter(
        (halt) =>
          (which.ids === undefined || which.ids.includes(halt.id)) &&
          (which.digest === undefined || halt.digest === which.digest) &&
          (which.kinds === undefined || which.kinds.includes(halt.kind)) &&
          (which.account === undefined || halt.account === which.account)
      )
      if (chosen.length === 0) return []
      yield* connection.query("clear halts", (db) =>
        db
          .updateTable("halt")
          .set({ cleared_at: instant(now), cleared_by: by })
          .where(
            "id",
            "in",
            chosen.map((halt) => halt.id)
          )
          .where("cleared_at", "is", null)
          .execute()
      )
      return chosen
    })
  )
})

/** Whether a person cleared a halt of this kind since a moment: then they have looked, and it is believed. */
export const clearedSince = Effect.fn("Ledger.clearedSince")(function* (
  accountId: number,
  kind: string,
  since: number
): Effect.fn.Return<boolean, LedgerError, Connection> {
  const { query } = yield* Connection
  const row = yield* query("cleared since", (db) =>
    db
      .selectFrom("halt")
      .select("id")
      .where("account_id", "=", accountId)
      .where("kind", "=", kind)
      .where("cleared_at", ">=", sql<number>`${instant(since)}::timestamptz`)
      .limit(1)
      .executeTakeFirst()
  )
  return row !== undefined
})
