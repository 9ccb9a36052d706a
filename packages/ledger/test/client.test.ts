import { assert, describe, it, layer } from "@effect/vitest"
import { Connection, openPool } from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { sql } from "kysely"
import { freshDatabase, ledgerForTest } from "../../../test/database.ts"

const Text = Schema.NullOr(
  Schema.String.check(Schema.makeFilter((text) => !text.includes("\0") && text.isWellFormed()))
)

const strange = [
  "",
  " ",
  "null",
  "NULL",
  `a"b`,
  "c\\d",
  "{x}",
  "{",
  "a,b",
  "'",
  "ü 1\n",
  "2026-01-05T10:00:00.000Z",
  null
]

layer(ledgerForTest, { excludeTestServices: true })("an array parameter", (it) => {
  const sent = Effect.fnUntraced(function* <A>(values: ReadonlyArray<A>, type: string) {
    const { query } = yield* Connection
    const { rows } = yield* query("test", (db) =>
      sql<{ values: ReadonlyArray<A> }>`select ${values}::${sql.raw(type)} as values`.execute(db)
    )
    return rows[0]!.values
  })

  it.effect("arrives as it was, whatever is in it", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* sent(strange, "text[]"), strange)
      assert.deepStrictEqual(yield* sent([15_551_230_001, null, 0, -1], "float8[]"), [15_551_230_001, null, 0, -1])
      assert.deepStrictEqual(yield* sent([true, null, false], "bool[]"), [true, null, false])
      assert.deepStrictEqual(yield* sent([], "text[]"), [])
    })
  )

  it.effect.prop("arrives as it was", [Schema.Array(Text)], ([values]) =>
    Effect.map(sent(values, "text[]"), (back) => assert.deepStrictEqual(back, values))
  )
})

describe("a pool", () => {
  it.live("answers who asks it itself, with parameters and without", () =>
    Effect.gen(function* () {
      const pool = yield* openPool(yield* freshDatabase, 1)
      const ask = (text: string, values?: Array<number>) =>
        Effect.promise(() => pool.query<{ n: number }>(text, values)).pipe(Effect.map(({ rows }) => rows[0]?.n))
      assert.strictEqual(yield* ask("select 1::float8 as n"), 1)
      assert.strictEqual(yield* ask("select $1::float8 as n", [2]), 2)
    })
  )
})
