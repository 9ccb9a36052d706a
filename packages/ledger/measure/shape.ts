/** Other shapes of the big tables, to be set against the one they have. Made while they are empty. */
import { Connection } from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"

export const bigTables = ["observation", "standing", "opt_in", "view"] as const

export interface Shape {
  /** Partitions by hash of the recipient; 0: none. */
  readonly partitions: number
  /** In per cent; undefined: as it stands in the migrations. */
  readonly fillfactor: number | undefined
}

/** In a server older than 17 a partitioned table can have no identity, so there a sequence takes its place. */
const partition = (table: string, { fillfactor, partitions }: Shape): ReadonlyArray<string> => [
  `alter table ${table} rename to ${table}_plain`,
  `create table ${table} (like ${table}_plain including defaults including constraints including indexes including generated including comments) partition by hash (recipient)`,
  ...Array.from(
    { length: partitions },
    (_, i) =>
      `create table ${table}_${i} partition of ${table} for values with (modulus ${partitions}, remainder ${i})` +
      (fillfactor === undefined ? "" : ` with (fillfactor = ${fillfactor})`)
  ),
  ...(table === "observation"
    ? [
        "create sequence observation_number",
        "alter table observation alter id set default nextval('observation_number')"
      ]
    : []),
  `drop table ${table}_plain`
]

export const reshape = Effect.fn("reshape")(function* (shape: Shape) {
  const { query } = yield* Connection
  for (const table of bigTables) {
    const statements =
      shape.partitions > 0
        ? partition(table, shape)
        : shape.fillfactor === undefined
          ? []
          : [`alter table ${table} set (fillfactor = ${shape.fillfactor})`]
    for (const statement of statements) yield* query("reshape", (db) => sql.raw(statement).execute(db))
  }
})

const parts = (table: string) =>
  `(select '${table}'::regclass as oid union all select inhrelid from pg_inherits where inhparent = '${table}'::regclass)`

interface Size {
  readonly rows: number
  readonly table: number
  readonly indexes: Readonly<Record<string, number>>
}

/** Bytes of a table and of each of its indexes, all partitions together. */
export const sizeOf = Effect.fn("sizeOf")(function* (table: string) {
  const { query } = yield* Connection
  const { rows: heap } = yield* query("size", (db) =>
    sql<{ rows: number; bytes: number }>`
      select (select count(*) from ${sql.table(table)}) as rows, sum(pg_table_size(oid))::int8 as bytes from ${sql.raw(parts(table))} p`.execute(
      db
    )
  )
  const { rows: indexes } = yield* query("size", (db) =>
    sql<{ columns: string; bytes: number }>`
      select substring(pg_get_indexdef(indexrelid) from '[(].*') as columns, sum(pg_relation_size(indexrelid))::int8 as bytes
      from pg_index where indrelid in (select oid from ${sql.raw(parts(table))} p) group by 1 order by 1`.execute(db)
  )
  return {
    rows: heap[0]?.rows ?? 0,
    table: heap[0]?.bytes ?? 0,
    indexes: Object.fromEntries(indexes.map((index) => [index.columns, index.bytes]))
  } satisfies Size
})
