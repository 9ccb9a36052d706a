import { assert, layer } from "@effect/vitest"
import { Connection, type LedgerError, ledgerLayer, migrate } from "@stopline/ledger"
import { Effect, Layer } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import { migrations } from "../src/migrations.ts"
import { here } from "../../../test/process.ts"

const done = Effect.gen(function* () {
  const { query } = yield* Connection
  const { rows } = yield* query("test", (db) =>
    sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  )
  return rows.map((row) => row.name)
})

const run = (statement: string) =>
  Effect.flatMap(Connection, ({ query }) => query("test", (db) => sql.raw(statement).execute(db)))

layer(ledgerForTest, { excludeTestServices: true })("a migration", (it) => {
  it.effect("is done once, by however many at the same time", () =>
    Effect.gen(function* () {
      yield* run("drop schema public cascade; create schema public")
      yield* Effect.all([migrate, migrate, migrate], { concurrency: "unbounded" })
      assert.deepStrictEqual(yield* done, Object.keys(migrations).toSorted())
      yield* migrate
      assert.deepStrictEqual(yield* done, Object.keys(migrations).toSorted())
    })
  )

  it.effect("is done when the ledger is opened", () =>
    Effect.gen(function* () {
      yield* run("drop schema public cascade; create schema public")
      const url = yield* here
      yield* Effect.scoped(Layer.build(ledgerLayer({ _tag: "Url", url })))
      assert.deepStrictEqual(yield* done, Object.keys(migrations).toSorted())
    })
  )

  it.effect("of a newer version is respected: the database is left alone", () =>
    Effect.gen(function* () {
      yield* run("insert into kysely_migration (name, timestamp) values ('9999-later', '2030-01-01T00:00:00Z')")
      const before = yield* done
      const error: LedgerError = yield* Effect.flip(migrate)
      assert.strictEqual(error.kind, "newer")
      assert.include(error.message, "newer Stopline")
      assert.deepStrictEqual(yield* done, before)
    })
  )
})
