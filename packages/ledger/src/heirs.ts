/**
 * What becomes of a group that is configured no more. One that only got another name goes on by it; of any other, what
 * was said to senders that are gone passes to those that spoke beside them. And a number that goes over to another account
 * takes along what was said to it, and whom it spoke for. A new name forgets no STOP (L1, L3).
 */
import { type AccountName, everySender, type Group, memberName, type SenderAddress } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"

interface Speaker {
  readonly id: number
  readonly account: AccountName
  readonly sender: SenderAddress
  readonly groupId: number
  readonly group: string
}

/** Who speaks for which group. */
export const speaking = Effect.fnUntraced(function* (): Effect.fn.Return<
  ReadonlyArray<Speaker>,
  LedgerError,
  Connection
> {
  const { query } = yield* Connection
  const { rows } = yield* query("register", (db) =>
    sql<Speaker>`
      select s.id, a.name as account, s.address as sender, g.id as "groupId", g.name as "group"
      from sender s join account a on a.id = s.account_id join sender_group g on g.id = s.group_id
      where s.active`.execute(db)
  )
  return rows
})

/**
 * Gives groups their new names. A group was renamed when all that speak for it now spoke for one before, whose name is
 * gone, and that one's other senders speak for nobody else.
 *
 * @param before who spoke for which group until now
 */
export const renameGroups = Effect.fnUntraced(function* (
  groups: ReadonlyArray<Group>,
  before: ReadonlyArray<Speaker>
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  const speakers = new Map(before.map((one) => [memberName(one), one]))
  const names = new Set(groups.map(({ name }) => name))
  const drawn = groups.map(({ members, name }) => ({
    name,
    sources: new Map(
      members.flatMap((one) => speakers.get(memberName(one)) ?? []).map((one) => [one.groupId, one.group])
    )
  }))
  for (const { name, sources } of drawn) {
    const [source, ...others] = sources
    if (source === undefined || others.length > 0 || names.has(source[1])) continue
    if (drawn.some((other) => other.name !== name && other.sources.has(source[0]))) continue
    yield* query("register", (db) =>
      sql`
        update sender_group set name = ${name}
        where id = ${source[0]} and not exists (select from sender_group where name = ${name})`.execute(db)
    )
  }
})

/** A group that a sender once spoke for. */
export interface Former {
  readonly senderId: number
  readonly groupId: number
}

/**
 * Groups of their own for senders that were heard before anybody configured their numbers: each spoke for itself, and what
 * was said to it outlasts a START that was said to others (L3). No configured group goes by such a name.
 */
export const heardAlone = Effect.fnUntraced(function* (
  addresses: ReadonlyArray<SenderAddress>
): Effect.fn.Return<ReadonlyArray<Former>, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows } = yield* query("register", (db) =>
    sql<Former>`
      with stranger as (
        select s.id, a.name || '/' || s.address || ', not configured' as name
        from sender s join account a on a.id = s.account_id
        where s.address = any(${addresses}) and not exists (select from membership m where m.sender_id = s.id)
      ), own as (
        insert into sender_group (name) select name from stranger order by 1
        on conflict (name) do update set name = excluded.name returning id, name
      )
      select stranger.id as "senderId", own.id as "groupId" from stranger join own using (name)
      order by 1`.execute(db)
  )
  return rows
})

/** What a number spoke for at an account where it is no more, and not yet where it is now. */
export const spokenForElsewhere = Effect.fnUntraced(function* (): Effect.fn.Return<
  ReadonlyArray<Former>,
  LedgerError,
  Connection
> {
  const { query } = yield* Connection
  const { rows } = yield* query("register", (db) =>
    sql<Former>`
      select distinct s.id as "senderId", was.group_id as "groupId"
      from sender s
      join sender g on g.address = s.address and not g.active
      join membership was on was.sender_id = g.id
      where s.active and not exists (
        select from membership m where m.sender_id = s.id and m.group_id = was.group_id)
      order by 1, 2`.execute(db)
  )
  return rows
})

/**
 * Senders that are gone, and whose words a group keeps: those that spoke for a group, of those not in force, beside senders
 * that speak for this one now, and those with the number of one that does, at another account. The row of every sender of
 * an account is never active, and gone only with its account.
 */
export const goneBefore = Effect.fnUntraced(function* (
  groupId: number,
  inForce: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<number>, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows } = yield* query("register", (db) =>
    sql<{ id: number }>`
      select distinct g.id
      from sender s
      join sender g on not g.active
      join account a on a.id = g.account_id and not (a.active and g.address = ${everySender})
      where s.group_id = ${groupId} and s.active
        and not exists (select from membership m where m.sender_id = g.id and m.group_id = ${groupId})
        and (g.address = s.address or exists (
          select from membership was join membership gone using (group_id)
          where was.sender_id = s.id and gone.sender_id = g.id and was.group_id <> all(${inForce}::int[])))
      order by 1`.execute(db)
  )
  return rows.map(({ id }) => id)
})
