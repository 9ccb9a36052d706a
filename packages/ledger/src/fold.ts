/**
 * Appends observations and folds them into standings, in one statement however
 * many there are. The pure fold in @stopline/consent is the law; this is the same
 * two max-registers as set operations.
 */
import { everySender, type Observation } from "@stopline/consent"
import { Effect } from "effect"
import { type RawBuilder, sql } from "kysely"
import { digits } from "./codec.ts"
import { Connection, instant } from "./connection.ts"
import type { LedgerError } from "./error.ts"

export interface Recorded {
  readonly id: number
  readonly senderId: number
  readonly recipient: number
}

/** An observation whose sender has its id. */
export interface Append {
  readonly senderId: number
  readonly observation: Observation
}

/**
 * Records what is new and moves the standings it touches, which are then not
 * settled. A fact already known, by its key, adds nothing (L11). Returns the new ones.
 *
 * To be called inside a transaction that also moves views and cursors.
 */
export const append = Effect.fn("Ledger.append")(function* (
  accountId: number,
  runId: number | null,
  now: number,
  facts: ReadonlyArray<Append>
): Effect.fn.Return<ReadonlyArray<Recorded>, LedgerError, Connection> {
  if (facts.length === 0) return []
  const { query, wrote } = yield* Connection
  const { rows } = yield* query("append", (db) => appendAndFold(accountId, runId, now, facts).execute(db))
  wrote(rows.length)
  // By a statement of its own: what another account was just storing is seen by now, as its standing was waited for.
  const letIn = rows.filter((row) => row.hasOptedIn)
  if (letIn.length > 0) yield* query("append", (db) => knowLetIn(letIn).execute(db))
  return rows.map(({ id, recipient, senderId }) => ({ id, senderId, recipient }))
})

const appendAndFold = (accountId: number, runId: number | null, now: number, facts: ReadonlyArray<Append>) => {
  const column = <A>(pick: (fact: Append) => A) => facts.map(pick)
  return sql<Recorded & { readonly hasOptedIn: boolean }>`
with given as (
  select * from unnest(
    ${column((f) => digits(f.observation.recipient))}::bigint[],
    ${column((f) => f.senderId)}::int[],
    ${column((f) => f.observation.state)}::consent_state[],
    ${column((f) => f.observation.origin)}::origin[],
    ${column((f) => f.observation.basis)}::basis[],
    ${column((f) => f.observation.reach)}::reach[],
    ${column((f) => instant(f.observation.time.notBefore))}::timestamptz[],
    ${column((f) => instant(f.observation.time.notAfter))}::timestamptz[],
    ${column((f) => f.observation.key)}::text[],
    ${column((f) => evidence(f.observation))}::jsonb[]
  ) with ordinality as g(recipient, sender_id, state, origin, basis, reach, not_before, not_after, key, evidence, position)
), fresh as (
  insert into observation
    (recipient, account_id, sender_id, group_id, state, origin, basis, reach, not_before, not_after, key, evidence, run_id, recorded_at)
  select g.recipient, ${accountId}, g.sender_id, s.group_id, g.state, g.origin, g.basis, g.reach,
         g.not_before, g.not_after, g.key, g.evidence, ${runId}::bigint, ${instant(now)}::timestamptz
  from given g join sender s on s.id = g.sender_id
  order by g.recipient, g.position
  on conflict do nothing
  returning *
), graded as (
  select f.*, ${grade} as grade from fresh f
), touched as (
  select m.group_id, f.recipient, f.not_after as out_at, f.id as out_because, null::timestamptz as in_at, null::bigint as in_because
  from fresh f join membership m on m.sender_id = f.sender_id
  where f.state = 'opted-out'
  union all
  select f.group_id, f.recipient, null, null, ${groupIn}, case when ${groupIn} is not null then f.id end
  from graded f
  where f.state = 'opted-in' and f.group_id is not null
), standings as (
  ${foldStandings}
), pairs as (
  insert into opt_in (sender_id, recipient, said_at, said_because, told_at, told_because)
  select sender_id, recipient,
    max(not_before) filter (where grade = 'said'), ${firstAt("said")},
    max(not_before) filter (where grade = 'told'), ${firstAt("told")}
  from graded where grade is not null
  group by sender_id, recipient
  order by sender_id, recipient
  on conflict (sender_id, recipient) do update set
    ${keepLater("opt_in", "said_at", "said_because")},
    ${keepLater("opt_in", "told_at", "told_because")}
)
select id::int8 as id, sender_id as "senderId", recipient,
  recipient in (select recipient from standings where in_at is not null) as "hasOptedIn" from fresh`
}

/** gradeOptIn, in SQL. An opt-in of which nobody knows when it began counts for nothing. */
const grade = sql`case
  when f.state <> 'opted-in' or f.not_before = '-infinity' then null
  when f.basis = 'imported' or f.origin = 'import' then null
  when f.origin = 'recipient' or (f.origin = 'operator' and f.basis = 'attested') then 'said'
  when f.basis = 'event' or (f.basis = 'listed' and f.origin <> 'unknown') then 'told'
end`

const groupIn = sql`case when f.grade = 'said' and f.reach = 'group' then f.not_before end`

/** The id of the first of the observations that have the latest moment. */
const firstAt = (kind: "said" | "told") =>
  sql`(array_agg(id order by not_before desc, id) filter (where grade = ${sql.lit(kind)}))[1]`

/** `later`, in SQL: the register with the later moment; at a tie the earlier observation. */
const keepLater = (table: string, at: string, because: string): RawBuilder<unknown> => {
  const old = sql.ref(`${table}.${at}`)
  const oldBecause = sql.ref(`${table}.${because}`)
  const next = sql.ref(`excluded.${at}`)
  const nextBecause = sql.ref(`excluded.${because}`)
  return sql`${sql.ref(at)} = greatest(${old}, ${next}),
    ${sql.ref(because)} = case
      when ${next} is null then ${oldBecause}
      when ${old} is null or ${next} > ${old} then ${nextBecause}
      when ${next} = ${old} then least(${oldBecause}, ${nextBecause})
      else ${oldBecause}
    end`
}

/** Folds the rows of a CTE named `touched` into standings, in key order so that two writers cannot deadlock. */
const foldStandings = sql`
  insert into standing (group_id, recipient, out_at, out_because, in_at, in_because, settled)
  select group_id, recipient,
    max(out_at), (array_agg(out_because order by out_at desc, out_because) filter (where out_at is not null))[1],
    max(in_at), (array_agg(in_because order by in_at desc, in_because) filter (where in_at is not null))[1],
    false
  from touched
  group by group_id, recipient
  order by group_id, recipient
  on conflict (group_id, recipient) do update set
    ${keepLater("standing", "out_at", "out_because")},
    ${keepLater("standing", "in_at", "in_because")},
    settled = false
  returning group_id, recipient, in_at`

/**
 * An opt-in may reach senders that were told to stop before it was written anywhere that they were: what their provider
 * made of it nobody knows. So whoever has opted in to a group, of the CTE `standings`, is known wherever in it they had
 * opted out: where there is no list, a sweep has to ask (L10).
 */
const knowWhereOptedOut = sql`
  insert into view (sender_id, recipient, read_at, asked_at)
  select s.id, st.recipient, '-infinity', '-infinity'
  from standings st
  -- All that was said of a person, by the person: joined, the whole table could be read.
  cross join lateral (
    select distinct sender_id from observation where recipient = st.recipient and state = 'opted-out' offset 0
  ) o
  join sender s on s.id = o.sender_id and s.group_id = st.group_id and s.active and s.address <> ${everySender}
  where st.in_at is not null
    -- One that is there already may be on its way to be written by another account, which waits for the standing.
    and not exists (select from view v where v.sender_id = s.id and v.recipient = st.recipient)
  order by s.id, st.recipient
  on conflict do nothing`

/** The same for what was just recorded of whoever has opted in to a group. */
const knowLetIn = (rows: ReadonlyArray<Recorded>): RawBuilder<unknown> => sql`
with standings as (
  select group_id, recipient, in_at from standing
  where group_id in (select group_id from membership where sender_id = any(${rows.map((row) => row.senderId)}::int[]))
    and recipient = any(${rows.map((row) => row.recipient)}::bigint[])
)
${knowWhereOptedOut}`

/** All that was ever said to a sender, folded into a group that it joins. */
export const standingOfJoiner = (senderId: number, groupId: number): RawBuilder<unknown> => sql`
with touched as (
  select ${groupId}::int as group_id, recipient, not_after as out_at, id as out_because, null::timestamptz as in_at, null::bigint as in_because
  from observation where sender_id = ${senderId} and state = 'opted-out'
), standings as (
  ${foldStandings}
)
${knowWhereOptedOut}`

const evidence = (observation: Observation): string | null =>
  Object.keys(observation.evidence).length === 0 ? null : JSON.stringify(observation.evidence)
