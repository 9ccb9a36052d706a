/**
 * The advisory locks of the ledger, all in one place so that no two share a
 * number. But for the session's they end with their transaction.
 */
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"

const registration = 6_277_002
const accounts = 6_277_003

/**
 * Takes the account's write lock for this transaction. Views are read, judged
 * and written back; two transactions on one account must not do so at once.
 */
export const lockAccount = Effect.fnUntraced(function* (
  accountId: number
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  yield* query("lock account", (db) => sql`select ${accountLock(accountId)}`.execute(db))
})

/** The same, as an expression within a statement. */
export const accountLock = (accountId: number) => sql`pg_advisory_xact_lock(${accounts}::int, ${accountId}::int)`

/** No account has this id. */
const everyAccount = 0

/**
 * Takes the write lock of every account for this transaction, in the order of their ids. One transaction at a time, by a
 * statement of its own: which accounts there are is seen as the next one begins, with those that the one before added.
 */
export const lockAccounts = Effect.fnUntraced(function* (): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  yield* lockAccount(everyAccount)
  yield* query("lock accounts", (db) =>
    sql`select pg_advisory_xact_lock(${accounts}::int, id) from (select id from account order by id) a`.execute(db)
  )
})

/** One registration at a time. */
export const lockRegistry = Effect.fnUntraced(function* (): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  yield* query("lock registry", (db) => sql`select pg_advisory_xact_lock(${registration})`.execute(db))
})

/**
 * Keeps registrations out until this transaction ends; an expression within a
 * statement. Who judges by all senders of a group must not do so while one is
 * joining it, unseen.
 */
export const registryShare = sql`pg_advisory_xact_lock_shared(${registration}::bigint)`
