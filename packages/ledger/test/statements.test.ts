/** How Postgres carries out what the ledger asks of it all day, in the plans it really uses. */
import { assert, layer } from "@effect/vitest"
import { ask, Connection, know, notAskedSince, openIntents, settleAll, unheld } from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess } from "../../../test/process.ts"
import { fill, numberOf, recipientOf } from "../measure/fill.ts"
import { hotPaths } from "../measure/hot.ts"
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

layer(ledgerForTest, { excludeTestServices: true })("what is asked of Postgres all day", (it) => {
  it.effect("never reads a big table whole, and a plan reads only what is not settled", () =>
    Effect.gen(function* () {
      const filled = yield* fill(pairs, 1)
      const person = recipientOf(1)
      const process = yield* anotherProcess({ connections: 1 })
      yield* process.run(
        Effect.gen(function* () {
          for (const { doing } of yield* hotPaths(filled, pairs)) yield* doing()
          yield* openIntents([filled.sender])
          yield* know(filled.account, [filled.sender], [{ recipient: person, textedAt: 1 }])
          yield* notAskedSince(filled.sender, [person], 1)
          yield* settleAll("strict")
          yield* ask([{ id: filled.sender.id, everyId: filled.account.every.id }], [numberOf(1)], "strict")
          const { account, sender } = filled
          yield* unheld([{ account, sender, optOut: true, optIn: true }], { policy: "strict", now: 0, confirmMs: 0 })
        })
      )
      const asked = yield* process.run(plans)
      assert.isAbove(asked.length, 20)
      const wholes = asked.flatMap(({ nodes, text }) =>
        nodes.flatMap((node) =>
          node["Node Type"] === "Seq Scan" && bigTables.some((table) => table === node["Relation Name"])
            ? [`${node["Relation Name"]}: ${text}`]
            : []
        )
      )
      assert.deepStrictEqual(wholes, [])
      const plan = asked.filter(({ text }) => text.includes('as "inOwnWords"'))
      const scans = plan.flatMap(({ nodes }) => nodes.flatMap((node) => node["Index Name"] ?? []))
      assert.include(scans, "standing_unsettled")
    }).pipe(Effect.scoped)
  )
})
