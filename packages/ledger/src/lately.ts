/** When things were last done, for those who watch: rounds, walks and sweeps, times of listening, and what flows at the gates. */
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { deafSince } from "./hearing.ts"

export const readings = ["walk", "sweep"] as const

export interface Lately {
  /** Absent: a round, which is of all accounts. */
  readonly accountId: number | undefined
  readonly kind: "round" | (typeof readings)[number]
  readonly attemptedAt: number | undefined
  /** When the last one that ended well was begun. */
  readonly completedAt: number | undefined
}

interface LastRow {
  readonly accountId: number | null
  readonly kind: Lately["kind"]
  readonly attemptedAt: number | null
  readonly completedAt: number | null
}

/** The last rounds, and the last walks and sweeps of these accounts. */
export const lately = Effect.fn("Ledger.lately")(function* (
  accountIds: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<Lately>, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows } = yield* query("lately", (db) => {
    // By account as well, so that the index is found where there is none.
    const last = (whose: typeof ofAccount, which = sql``) =>
      sql`(select r.started_at from run r where ${whose} and r.kind = k.kind ${which} order by r.account_id desc, r.started_at desc limit 1)`
    const ofAccount = sql`r.account_id = a.id`
    const ofAll = sql`r.account_id is null`
    const completed = sql`and r.outcome = 'completed'`
    return sql<LastRow>`
      select a.id as "accountId", k.kind, ${last(ofAccount)} as "attemptedAt", ${last(ofAccount, completed)} as "completedAt"
      from unnest(${accountIds}::int[]) a(id) cross join unnest(${[...readings]}::text[]) k(kind)
      union all
      select null, k.kind, ${last(ofAll)}, ${last(ofAll, completed)} from (values ('round')) k(kind)`.execute(db)
  })
  return rows.map((row) => ({
    accountId: row.accountId ?? undefined,
    kind: row.kind,
    attemptedAt: row.attemptedAt ?? undefined,
    completedAt: row.completedAt ?? undefined
  }))
})

export interface Listened {
  readonly accountId: number
  /** The last moment of which it is known that events came. Absent: nobody ever listened. */
  readonly heardAt: number | undefined
  /** Gaps that no finished walk has followed yet, and when the oldest of them began. */
  readonly gaps: number
  readonly gapSince: number | undefined
}

/** How well these accounts are heard. Looks at the last twenty times of listening. */
export const listened = Effect.fn("Ledger.listened")(function* (
  accountIds: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<Listened>, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows } = yield* query("listened", (db) =>
    sql<{ accountId: number; heardAt: number | null; gaps: number; gapSince: number | null }>`
      select a.id as "accountId", max(l.ended_at) as "heardAt",
        count(*) filter (where l.gap) as gaps, min(l.since) filter (where l.gap) as "gapSince"
      from unnest(${accountIds}::int[]) a(id)
      left join lateral (
        select r.started_at from run r
        where r.account_id = a.id and r.kind = 'walk' and r.outcome = 'completed' order by r.started_at desc limit 1
      ) walk on true
      left join lateral (
        select n.ended_at, n.since, n.since is not null and n.started_at > coalesce(walk.started_at, '-infinity') as gap
        from (
          select r.id, r.started_at, r.ended_at, ${deafSince} as since
          from run r where r.account_id = a.id and r.kind = 'listen' order by r.id desc limit 20
        ) n
      ) l on true
      group by a.id`.execute(db)
  )
  return rows.map(({ gapSince, heardAt, ...row }) => ({
    ...row,
    heardAt: heardAt ?? undefined,
    gapSince: gapSince ?? undefined
  }))
})
