/** How Postgres carries out what the ledger asks of it all day, in the plans it really uses. */
import { assert, layer } from "@effect/vitest"
import {
  ask,
  Connection,
  know,
  type LedgerError,
  notAskedSince,
  openIntents,
  settleAll,
  unheld
} from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess } from "../../../test/process.ts"
import { fill, type Filled, numberOf, recipientOf, registerOne } from "../measure/fill.ts"
import { type Hot, hotPaths } from "../measure/hot.ts"
import { bigTables } from "../measure/shape.ts"

interface Node {
  readonly "Node Type": string
  readonly "Relation Name"?: string
  readonly "Index Name"?: string
  readonly Plans?: ReadonlyArray<Node>
}

const nodesOf = (node: Node): ReadonlyArray<Node> => [node, ...(node.Plans ?? []).flatMap(nodesOf)]

const Explained = Schema.Struct({ "QUERY PLAN": Schema.Tuple([Schema.Struct({ Plan: Schema.Any })]) })

interface Planned {
  readonly text: string
  readonly nodes: ReadonlyArray<Node>
}

/** Every statement that this connection has prepared, with the plan that it has for any parameters. */
const plans = Effect.gen(function* () {
  const { query } = yield* Connection
  const prepared = yield* query("test", (db) =>
    sql<{ name: string; text: string; parameters: number }>`
      select name, statement as text, cardinality(parameter_types) as parameters from pg_prepared_statements`.execute(
      db
    )
  )
  const planned: Array<Planned> = []
  for (const { name, parameters, text } of prepared.rows) {
    const nothing = Array.from({ length: parameters }, () => "null").join(", ")
    const { rows } = yield* query("test", (db) =>
      sql.raw(`explain (format json) execute "${name}" ${parameters === 0 ? "" : `(${nothing})`}`).execute(db)
    )
    planned.push({ text, nodes: nodesOf(Schema.decodeUnknownSync(Explained)(rows[0])["QUERY PLAN"][0].Plan) })
  }
  return planned
})

const pairs = 20_000

/** Asks once for all that is asked all day. */
const askAll = Effect.fnUntraced(function* ({ account, sender }: Filled, paths: ReadonlyArray<Hot>) {
  const person = recipientOf(1)
  for (const { doing } of paths) yield* doing()
  yield* openIntents([sender])
  yield* know(account, [sender], [{ recipient: person, textedAt: 1 }])
  yield* notAskedSince(sender, [person], 1)
  yield* settleAll("strict")
  yield* ask([{ id: sender.id, everyId: account.every.id }], [numberOf(1)], "strict")
  yield* unheld([{ account, sender, optOut: true, optIn: true }], { policy: "strict", now: 0, confirmMs: 0 })
})

/** The big tables that are read whole, each with what was asked. */
const readWhole = (asked: ReadonlyArray<Planned>): ReadonlyArray<string> =>
  asked.flatMap(({ nodes, text }) =>
    nodes.flatMap((node) =>
      node["Node Type"] === "Seq Scan" && bigTables.some((table) => table === node["Relation Name"])
        ? [`${node["Relation Name"]}: ${text}`]
        : []
    )
  )

layer(ledgerForTest, { excludeTestServices: true })("what is asked of Postgres all day", (it) => {
  it.effect("never reads a big table whole, and a plan reads only what is not settled", () =>
    Effect.gen(function* () {
      const filled = yield* fill(pairs, 1)
      const process = yield* anotherProcess({ connections: 1 })
      yield* process.run(askAll(filled, yield* process.run(hotPaths(filled, pairs))))
      const asked = yield* process.run(plans)
      assert.isAbove(asked.length, 20)
      assert.deepStrictEqual(readWhole(asked), [])
      const plan = asked.filter(({ text }) => text.includes('as "inOwnWords"'))
      const scans = plan.flatMap(({ nodes }) => nodes.flatMap((node) => node["Index Name"] ?? []))
      assert.include(scans, "standing_unsettled")
    }).pipe(Effect.scoped)
  )
})

/** How many rows of the big tables are read on the way, however they are found. */
const rowsRead = Effect.fnUntraced(function* (self: Effect.Effect<unknown, LedgerError, Connection>) {
  const { query, transaction } = yield* Connection
  const soFar = query("test", (db) =>
    sql<{ read: number }>`
      select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_xact_user_tables`.execute(db)
  ).pipe(Effect.map(({ rows }) => rows[0]!.read))
  const read = Effect.gen(function* () {
    const before = yield* soFar
    yield* self
    return (yield* soFar) - before
  })
  return yield* transaction("test", read)
})

layer(ledgerForTest, { excludeTestServices: true })("a worker that was there when the ledger was empty", (it) => {
  it.effect("does not go on as it was planned then when a long list has come", () =>
    Effect.gen(function* () {
      const filled = yield* registerOne
      const { account, sender } = filled
      const process = yield* anotherProcess({ connections: 1 })
      const paths = yield* process.run(hotPaths(filled, pairs))
      const named = (name: string) => paths.find((one) => one.name === name)!
      yield* process.run(askAll(filled, paths))
      for (let pages = 0; pages < 20; pages++) yield* process.run(named("a page of 1000 that is all news").doing())

      const person = [recipientOf(1_234)]
      const read = yield* process.run(
        Effect.all({
          page: rowsRead(named("a plan's page of 1000").doing()),
          event: rowsRead(named("one event, an opt-out that is news").doing()),
          one: rowsRead(ask([{ id: sender.id, everyId: account.every.id }], [numberOf(1_234)], "strict")),
          asked: rowsRead(notAskedSince(sender, person, 1))
        })
      )
      // Read whole, each table would be read once for each of the thousand.
      assert.isBelow(read.page, 200_000)
      assert.isBelow(read.event, 100)
      assert.isBelow(read.one, 100)
      assert.isBelow(read.asked, 100)
    }).pipe(Effect.scoped)
  )
})
