/**
 * How large a ledger gets and what its statements cost, on a Postgres of its own
 * that is thrown away afterwards. Prints one JSON document.
 *
 *   node packages/ledger/measure/main.ts --pairs 1000000 [--partitions 16] [--fillfactor 85] [--more]
 */
import { cpus, totalmem } from "node:os"
import { parseArgs } from "node:util"
import { Connection, embeddedPostgres, migrate, temporaryFolder } from "@stopline/ledger"
import { Clock, Console, Effect } from "effect"
import { sql } from "kysely"
import { bulk } from "./bulk.ts"
import { churn } from "./churn.ts"
import { costOf } from "./cost.ts"
import { fill } from "./fill.ts"
import { hotPaths } from "./hot.ts"
import { bigTables, reshape, sizeOf } from "./shape.ts"

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "1000000" },
    partitions: { type: "string", default: "0" },
    fillfactor: { type: "string" },
    more: { type: "boolean", default: false }
  }
})
const pairs = Number(values.pairs)
const shape = {
  partitions: Number(values.partitions),
  fillfactor: values.fillfactor === undefined ? undefined : Number(values.fillfactor)
}

const settings = ["shared_buffers = '2GB'", "max_wal_size = '2GB'", "maintenance_work_mem = '256MB'"]

/** A server with room: its settings are read when it is started again. */
const server = Effect.gen(function* () {
  const folder = yield* temporaryFolder("measure")
  yield* Effect.scoped(
    Effect.gen(function* () {
      const url = yield* embeddedPostgres({ folder, disposable: true })
      yield* Effect.provide(
        Effect.flatMap(Connection, ({ query }) =>
          Effect.forEach(settings, (setting) =>
            query("set", (db) => sql.raw(`alter system set ${setting}`).execute(db))
          )
        ),
        Connection.layer(url, { connections: 1 })
      )
    })
  )
  return yield* embeddedPostgres({ folder, disposable: true })
})

const measure = Effect.gen(function* () {
  yield* migrate
  yield* reshape(shape)
  const began = yield* Clock.currentTimeMillis
  const filled = yield* fill(pairs)
  const fillMs = (yield* Clock.currentTimeMillis) - began
  const sizes = yield* Effect.forEach(bigTables, (table) => Effect.map(sizeOf(table), (size) => [table, size] as const))
  const costs = yield* Effect.forEach(yield* hotPaths(filled, pairs), costOf)
  const churned = values.more ? yield* churn() : undefined
  const rowsPerSecond = values.more ? yield* bulk(filled, pairs) : undefined
  const { query } = yield* Connection
  const { rows } = yield* query("version", (db) => sql<{ version: string }>`select version()`.execute(db))
  return {
    machine: `${cpus().length} x ${cpus()[0]?.model ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    postgres: rows[0]?.version,
    pairs,
    ...shape,
    fillRowsPerSecond: Math.round(pairs / (fillMs / 1000)),
    sizes: Object.fromEntries(sizes),
    costs,
    churn: churned,
    rowsPerSecond
  }
})

await Effect.gen(function* () {
  const url = yield* server
  const result = yield* Effect.provide(measure, Connection.layer(url, { connections: 1 }))
  yield* Console.log(JSON.stringify(result, null, 2))
}).pipe(Effect.scoped, Effect.runPromise)
