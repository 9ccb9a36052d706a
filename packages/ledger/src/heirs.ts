/**
 * What becomes of a group that is configured no more. One that only got another name goes on by it; of any other, what
 * was said to senders that are gone passes to those that spoke beside them. A new name forgets no STOP (L1, L3).
 */
import { type AccountName, type Group, memberName, type SenderAddress } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"

/**
 * Gives groups their new names. A group was renamed when all that speak for it now spoke for one before, whose name is
 * gone, and that one's other senders speak for nobody else. To be called while the senders are as they were.
 */
export const renameGroups = Effect.fnUntraced(function* (
  groups: ReadonlyArray<Group>
): Effect.fn.Return<void, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows } = yield* query("register", (db) =>
    sql<{ account: AccountName; sender: SenderAddress; id: number; name: string }>`
      select a.name as account, s.address as sender, g.id, g.name
      from sender s join account a on a.id = s.account_id join sender_group g on g.id = s.group_id
      where s.active`.execute(db)
  )
  const before = new Map(rows.map((row) => [memberName(row), row]))
  const names = new Set(groups.map(({ name }) => name))
  const known = new Set(rows.map(({ name }) => name))
  const sourcesOf = (group: Group) =>
    new Map(
      group.members.flatMap((one) => {
        const was = before.get(memberName(one))
        return was === undefined ? [] : [[was.id, was.name]]
      })
    )
  for (const group of groups) {
    const [source, ...others] = sourcesOf(group)
    if (source === undefined || others.length > 0 || known.has(group.name) || names.has(source[1])) continue
    if (groups.some((other) => other !== group && sourcesOf(other).has(source[0]))) continue
    yield* query("register", (db) =>
      sql`
        update sender_group set name = ${group.name}
        where id = ${source[0]} and not exists (select from sender_group where name = ${group.name})`.execute(db)
    )
  }
})

/** Senders that are gone and that spoke for a group, of those not in force, beside senders that speak for this one now. */
export const goneBeside = Effect.fnUntraced(function* (
  groupId: number,
  inForce: ReadonlyArray<number>
): Effect.fn.Return<ReadonlyArray<number>, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows } = yield* query("register", (db) =>
    sql<{ id: number }>`
      select distinct gone.sender_id as id
      from sender s
      join membership was on was.sender_id = s.id and was.group_id <> all(${inForce}::int[])
      join membership gone on gone.group_id = was.group_id
      join sender g on g.id = gone.sender_id and not g.active
      where s.group_id = ${groupId} and s.active
        and not exists (select from membership m where m.sender_id = gone.sender_id and m.group_id = ${groupId})
      order by 1`.execute(db)
  )
  return rows.map(({ id }) => id)
})
