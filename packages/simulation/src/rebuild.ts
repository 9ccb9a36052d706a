/** Whether every stored standing is what the observations alone make of it (L13). */
import { bases, mask, type OptInPolicy, policies, Standing } from "@stopline/consent"
import { Connection, type LedgerError, toRecipient } from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"

interface Pair {
  readonly sender_id: number
  readonly group_id: number
  readonly recipient: number
  readonly out_at: number | null
  readonly in_at: number | null
  readonly said_at: number | null
  readonly told_at: number | null
}

interface Row {
  readonly id: number
  readonly recipient: number
  readonly sender_id: number
  readonly group_id: number | null
  readonly groups: ReadonlyArray<number>
  readonly state: "opted-out" | "opted-in"
  readonly origin: Parameters<typeof Standing.contribution>[0]["origin"]
  readonly basis: (typeof bases)[number]
  readonly reach: "pair" | "group"
  readonly not_before: number
  readonly not_after: number
}

/** What is wrong, in words; nothing when all is well. */
export const checkRebuild: Effect.Effect<ReadonlyArray<string>, LedgerError, Connection> = Effect.gen(function* () {
  const { query } = yield* Connection
  const rows = yield* query("rebuild", (db) =>
    sql<Row>`select o.*, coalesce((select array_agg(group_id) from membership m where m.sender_id = o.sender_id), '{}') as groups from observation o`.execute(
      db
    )
  )
  const pairs = yield* query("rebuild", (db) =>
    sql<Pair>`
      select s.id as sender_id, s.group_id, p.recipient, st.out_at, st.in_at, o.said_at, o.told_at
      from sender s cross join (select distinct recipient from observation) p
      left join standing st on st.group_id = s.group_id and st.recipient = p.recipient
      left join opt_in o on o.sender_id = s.id and o.recipient = p.recipient
      where s.group_id is not null`.execute(db)
  )
  return pairs.rows.flatMap((pair) => {
    const law = rows.rows
      .filter((row) => row.recipient === pair.recipient)
      .map((row) => contribution(row, pair))
      .reduce(Standing.join, Standing.empty)
    return policies.flatMap((policy) => {
      const stored = mustByColumns(pair, policy)
      return stored === Standing.mustBeOptedOut(law, policy)
        ? []
        : [
            `${mask(toRecipient(pair.recipient))}: under ${policy} the ledger says ${stored ? "opted out" : "opted in"}, and the observations do not`
          ]
    })
  })
})

const contribution = (row: Row, pair: Pair): Standing.Standing => {
  const told = Standing.contribution(
    { ...row, time: { notBefore: row.not_before, notAfter: row.not_after } },
    row.id,
    row.sender_id === pair.sender_id
  )
  // An opt-out counts for every group its sender ever spoke for; an opt-in for the one it was said to.
  const { groupIn, out, ...rest } = told
  return {
    ...rest,
    ...(out !== undefined && row.groups.includes(pair.group_id) && { out }),
    ...(groupIn !== undefined && row.group_id === pair.group_id && { groupIn })
  }
}

const mustByColumns = (pair: Pair, policy: OptInPolicy): boolean => {
  const register = (at: number | null) => (at === null ? {} : { at, because: 0 })
  const of = (name: string, at: number | null) => (at === null ? {} : { [name]: register(at) })
  return Standing.mustBeOptedOut(
    {
      ...of("out", pair.out_at),
      ...of("groupIn", pair.in_at),
      ...of("pairIn", pair.said_at),
      ...of("toldIn", pair.told_at)
    },
    policy
  )
}
