/** The keys by which applications ask over HTTP. What is stored of a key is its SHA-256, and never the key. */
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection, instant, maybeInstant } from "./connection.ts"
import type { LedgerError } from "./error.ts"

/** What a key may do; each may do what those before it may. */
export const scopes = ["read", "attest", "operate"] as const
export type Scope = (typeof scopes)[number]

export interface ApiKey {
  readonly name: string
  readonly handle: string
  readonly scope: Scope
  readonly createdAt: number
  readonly createdBy: string
  readonly expiresAt: number | null
}

export interface HashedKey extends ApiKey {
  readonly digest: Buffer
}

export interface NewKey {
  readonly name: string
  readonly handle: string
  readonly digest: Buffer
  readonly scope: Scope
  readonly createdBy: string
  readonly expiresAt?: number
}

/** Adds a key. False: there is one of that name that is not revoked. */
export const addKey = Effect.fn("Ledger.addKey")(function* (
  key: NewKey,
  now: number
): Effect.fn.Return<boolean, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("add key", (db) =>
    sql`
      insert into api_key (name, handle, digest, scope, created_at, created_by, expires_at)
      values (${key.name}, ${key.handle}, ${key.digest}, ${key.scope}, ${instant(now)}, ${key.createdBy}, ${maybeInstant(key.expiresAt)})
      on conflict (name) where revoked_at is null do nothing
      returning id`.execute(db)
  )
  return result.rows.length === 1
})

/** Every key that is not revoked, expired ones among them. */
export const standingKeys = Effect.fn("Ledger.standingKeys")(function* (): Effect.fn.Return<
  ReadonlyArray<HashedKey>,
  LedgerError,
  Connection
> {
  const { query } = yield* Connection
  const result = yield* query("keys", (db) =>
    sql<HashedKey>`
      select name, handle, digest, scope, created_at as "createdAt", created_by as "createdBy", expires_at as "expiresAt"
      from api_key where revoked_at is null order by name`.execute(db)
  )
  return result.rows
})

/** Revokes a key by its name. False: there is none of that name. */
export const revokeKey = Effect.fn("Ledger.revokeKey")(function* (
  name: string,
  by: string,
  now: number
): Effect.fn.Return<boolean, LedgerError, Connection> {
  const { query } = yield* Connection
  const result = yield* query("revoke key", (db) =>
    sql`
      update api_key set revoked_at = ${instant(now)}::timestamptz, revoked_by = ${by}
      where name = ${name} and revoked_at is null returning id`.execute(db)
  )
  return result.rows.length === 1
})
