/** Whether every stored standing is what the observations alone make of it (L13). */
import { bases, mask, type OptInPolicy, policies, Standing } from "@stopline/consent"
import { Connection, type LedgerError, toRecipient } from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"

interface Pair {
  /** `account/sender` */
  readonly name: string
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

export interface Rebuilt {
  /** What is wrong, in words; nothing when all is well. */
  readonly problems: ReadonlyArray<string>
  /** What the ledger says of each pair, `account/sender person`: must it be silent? */
  readonly silent: ReadonlyMap<string, boolean>
}

/** Looks at all pairs of these people. */
export const rebuild = Effect.fnUntraced(function* (
  people: ReadonlyArray<string>,
  policy: OptInPolicy
): Effect.fn.Return<Rebuilt, LedgerError, Connection> {
  const { query } = yield* Connection
  const numbers = people.map((person) => Number(person.slice(1)))
  const { rows } = yield* query("rebuild", (db) =>
    sql<Row>`
      select o.recipient, o.id, o.sender_id, o.group_id, o.state, o.origin, o.basis, o.reach, o.not_before, o.not_after,
        coalesce((select array_agg(group_id) from membership m where m.sender_id = o.sender_id), '{}') as groups
      from observation o where o.recipient = any(${numbers}::bigint[])`.execute(db)
  )
  const pairs = yield* query("rebuild", (db) =>
    sql<Pair>`
      select a.name || '/' || s.address as name, s.id as sender_id, s.group_id, p.recipient,
        st.out_at, st.in_at, o.said_at, o.told_at
      from sender s join account a on a.id = s.account_id cross join unnest(${numbers}::bigint[]) as p(recipient)
      left join standing st on st.group_id = s.group_id and st.recipient = p.recipient
      left join opt_in o on o.sender_id = s.id and o.recipient = p.recipient
      where s.group_id is not null and s.active`.execute(db)
  )
  const problems = pairs.rows.flatMap((pair) => {
    const law = rows
      .filter((row) => row.recipient === pair.recipient)
      .map((row) => contribution(row, pair))
      .reduce(Standing.join, Standing.empty)
    return policies.flatMap((one) => {
      const stored = mustByColumns(pair, one)
      return stored === Standing.mustBeOptedOut(law, one)
        ? []
        : [
            `${mask(toRecipient(pair.recipient))}: under ${one} the ledger says ${stored ? "opted out" : "opted in"}, and the observations do not`
          ]
    })
  })
  const silent = new Map(
    pairs.rows.map((pair) => [`${pair.name} ${toRecipient(pair.recipient)}`, mustByColumns(pair, policy)])
  )
  return { problems, silent }
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
