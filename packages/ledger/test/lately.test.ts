import { assert, layer } from "@effect/vitest"
import {
  beginHearing,
  beginRun,
  block,
  Connection,
  endRun,
  flows,
  gapsOf,
  lastEnded,
  lastHearing,
  lately,
  listened,
  reserve,
  stillHeard,
  walkedBefore
} from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import { accountOf, east, fresh, west } from "../../../test/world.ts"

const ran = (kind: "round" | "walk" | "sweep", accountId: number | null, from: number, outcome?: string) =>
  Effect.tap(beginRun({ kind, accountId, startedBy: "test", at: from }), (id) =>
    outcome === undefined ? Effect.void : endRun(id, outcome, null, from + 1)
  )

layer(ledgerForTest, { excludeTestServices: true })("what was done lately", (it) => {
  it.effect("is the last that was begun, and the last that ended well", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const [here, there] = [accountOf(registry, east).id, accountOf(registry, west).id]
      yield* ran("round", null, 1_000, "completed")
      yield* ran("round", null, 2_000, "incomplete")
      yield* ran("walk", here, 3_000, "completed")
      yield* ran("walk", here, 4_000)
      yield* ran("sweep", there, 5_000, "halted")
      const found = yield* lately([here, there])
      const of = (kind: string, accountId?: number) => {
        const { attemptedAt, completedAt } = found.find((one) => one.kind === kind && one.accountId === accountId)!
        return [attemptedAt, completedAt]
      }
      assert.deepStrictEqual(of("round"), [2_000, 1_000])
      assert.deepStrictEqual(of("walk", here), [4_000, 3_000])
      assert.deepStrictEqual(of("walk", there), [undefined, undefined])
      assert.deepStrictEqual(of("sweep", there), [5_000, undefined])
    })
  )

  it.effect("counts the gaps that no finished walk has followed", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const [here, there] = [accountOf(registry, east).id, accountOf(registry, west).id]
      const look = Effect.map(listened([here, there]), ([one, other]) => [one, other])
      const nothing = { heardAt: undefined, gaps: 0, gapSince: undefined }
      const deaf = { accountId: there, ...nothing }
      assert.deepStrictEqual(yield* look, [{ accountId: here, ...nothing }, deaf])
      yield* beginHearing({ accountId: here, subscription: "one", startedBy: "test" }, 10_000)
      yield* stillHeard((yield* lastHearing(here))!.runId, 11_000)
      assert.deepStrictEqual(yield* look, [{ accountId: here, ...nothing, heardAt: 11_000 }, deaf])
      yield* beginHearing({ accountId: here, subscription: "two", startedBy: "test" }, 20_000)
      yield* beginHearing({ accountId: here, subscription: "two", startedBy: "test" }, 30_000)
      const blind = { accountId: here, heardAt: 30_000, gaps: 2, gapSince: 11_000 }
      assert.deepStrictEqual(yield* look, [blind, deaf])
      yield* ran("walk", here, 19_000, "completed")
      yield* ran("walk", here, 25_000, "incomplete")
      assert.deepStrictEqual(yield* look, [blind, deaf])
      yield* ran("walk", here, 25_000, "completed")
      assert.deepStrictEqual(yield* look, [{ ...blind, gaps: 1, gapSince: 20_000 }, deaf])
      yield* ran("walk", here, 31_000, "completed")
      assert.deepStrictEqual(yield* look, [{ ...blind, gaps: 0, gapSince: undefined }, deaf])
    })
  )

  it.effect("counts the time before the first listening as a gap where a walk had begun in it", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const here = accountOf(registry, east).id
      const look = Effect.map(listened([here]), ([{ gapSince, gaps } = {}]) => [gaps, gapSince])
      yield* ran("walk", here, 5_000, "completed")
      yield* beginHearing({ accountId: here, subscription: "one", startedBy: "test" }, 10_000)
      assert.deepStrictEqual(yield* look, [1, 5_000])
      yield* ran("walk", here, 11_000, "completed")
      assert.deepStrictEqual(yield* look, [0, undefined])
    })
  )

  it.effect("is found without reading the runs of years, also where nothing ever ended well or listened", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const [here, there] = [accountOf(registry, east).id, accountOf(registry, west).id]
      const { query, transaction } = yield* Connection
      yield* query("test", (db) =>
        sql`insert into run (kind, account_id, started_by, started_at, ended_at, outcome, unguarded)
          select k.kind, a.id, 'test', now() - n * interval '1 minute', now(), 'incomplete', false
          from generate_series(1, 5000) n, (values ('walk'), ('round')) k(kind), (values (${here}::int), (null)) a(id)`.execute(
          db
        )
      )
      yield* query("test", (db) => sql`analyze run`.execute(db))
      const asked = Effect.all([
        lately([here, there]),
        listened([here, there]),
        lastHearing(here),
        gapsOf(here),
        walkedBefore(here, Date.UTC(2100, 0)),
        lastEnded("sweep", here),
        lastEnded("apply", null)
      ])
      const read = yield* transaction(
        "test",
        Effect.andThen(
          asked,
          query("test", (db) =>
            sql<{ rows: number }>`
              select seq_tup_read + idx_tup_fetch as rows from pg_stat_xact_user_tables where relname = 'run'`.execute(
              db
            )
          )
        )
      )
      assert.isBelow(read.rows[0]!.rows, 100)
    })
  )

  it.effect("is the share of each limit that is spent, and the penalty", () =>
    Effect.gen(function* () {
      yield* fresh()
      const bucket = { key: "one", requests: 100, windowMs: 76_000, atOnce: 25 }
      const unused = { ...bucket, key: "other" }
      for (let n = 0; n < 10; n++) yield* reserve(bucket, 0)
      const used = Effect.fn(function* (now: number) {
        return (yield* flows([bucket, unused], now)).map((one) => [
          one.key,
          Number(one.used.toFixed(2)),
          one.blockedUntil
        ])
      })
      assert.deepStrictEqual(yield* used(0), [
        ["one", 0.4, undefined],
        ["other", 0, undefined]
      ])
      assert.deepStrictEqual(yield* used(5_000), [
        ["one", 0.2, undefined],
        ["other", 0, undefined]
      ])
      yield* block(bucket, 60_000, 5_000)
      assert.deepStrictEqual((yield* used(5_000))[0], ["one", 0.8, 60_000])
      assert.deepStrictEqual((yield* used(60_000))[0]![2], undefined)
    })
  )
})
