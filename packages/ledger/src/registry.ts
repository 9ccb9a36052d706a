/**
 * Who there is: accounts, their senders, and the groups that senders speak for.
 *
 * The configuration is the truth; the ledger gives it ids and remembers every
 * group a sender ever spoke for. An opt-out said to a sender counts for all of
 * those groups, so that no change of configuration opts anyone back in (L3).
 */
import {
  type AccountName,
  type EverySender,
  everySender,
  type Group,
  memberName,
  type OptInPolicy,
  type SenderAddress
} from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { Connection, instant } from "./connection.ts"
import { LedgerError } from "./error.ts"
import { standingOfJoiner } from "./fold.ts"
import { goneBefore, heardAlone, renameGroups, speaking, spokenForElsewhere } from "./heirs.ts"
import { lockAccounts, lockRegistry } from "./locks.ts"

export interface AccountSpec {
  readonly name: AccountName
  readonly vendor: string
  readonly senders: ReadonlyArray<SenderAddress>
}

export interface RegisteredAccount {
  readonly id: number
  readonly name: AccountName
  readonly vendor: string
  readonly senders: ReadonlyArray<RegisteredSender>
  /** The row that stands for every sender of the account. */
  readonly every: { readonly id: number }
}

export interface RegisteredSender {
  readonly id: number
  readonly account: AccountName
  readonly accountId: number
  readonly address: SenderAddress
  /** Null for senders of no group. */
  readonly groupId: number | null
}

export interface Registry {
  readonly accounts: ReadonlyArray<RegisteredAccount>
  readonly groups: ReadonlyMap<number, string>
  readonly policy: OptInPolicy
}

/** Brings the ledger in line with the configuration, and says what has which id. All or nothing. */
export const register = Effect.fn("Ledger.register")(function* (
  accounts: ReadonlyArray<AccountSpec>,
  groups: ReadonlyArray<Group>,
  policy: OptInPolicy,
  now: number
): Effect.fn.Return<Registry, LedgerError, Connection> {
  const connection = yield* Connection
  return yield* connection.transaction("register", upsert(accounts, groups, policy, now))
})

const upsert = Effect.fnUntraced(function* (
  accounts: ReadonlyArray<AccountSpec>,
  groups: ReadonlyArray<Group>,
  policy: OptInPolicy,
  now: number
) {
  const { query } = yield* Connection
  // What is being said to a sender that joins is heard by its group, too: nothing is stored meanwhile (L1).
  yield* lockAccounts()
  yield* lockRegistry()
  yield* query("register", (db) =>
    sql`update account set active = name = any(${accounts.map((account) => account.name)})`.execute(db)
  )
  // A sender that was away, or spoke for another group, missed what was said meanwhile.
  const before = yield* speaking()
  const groupBefore = new Map(before.map((row) => [row.id, row.groupId]))
  yield* renameGroups(groups, before)
  // Whoever is configured no more speaks for nobody: a START said there counts there.
  yield* query("register", (db) =>
    sql`update sender set active = false, group_id = null where active or group_id is not null`.execute(db)
  )

  const groupIds = new Map<string, number>()
  const groupOf = new Map<string, number>()
  for (const group of groups) {
    const row = yield* query("register", (db) =>
      db
        .insertInto("sender_group")
        .values({ name: group.name })
        .onConflict((c) => c.column("name").doUpdateSet({ name: group.name }))
        .returning("id")
        .executeTakeFirstOrThrow()
    )
    groupIds.set(group.name, row.id)
    for (const member of group.members) groupOf.set(memberName(member), row.id)
  }
  const numbers = accounts.flatMap((account) => account.senders)
  for (const { groupId, senderId } of yield* heardAlone(numbers)) yield* speakFor(senderId, groupId, inherited)

  const registered: Array<RegisteredAccount> = []
  for (const account of accounts) {
    const id = yield* upsertAccount(account)
    const senders: Array<RegisteredSender> = []
    for (const address of account.senders) {
      const groupId = groupOf.get(memberName({ account: account.name, sender: address })) ?? null
      const senderId = yield* upsertSender(id, address, groupId)
      senders.push({ id: senderId, account: account.name, accountId: id, address, groupId })
      if (groupId !== null && groupBefore.get(senderId) !== groupId) yield* joinGroup(senderId, groupId, now)
    }
    const every = { id: yield* upsertSender(id, everySender, null) }
    // What a provider says of every sender counts for every group that its senders speak for.
    for (const groupId of new Set(senders.flatMap((sender) => sender.groupId ?? []))) {
      yield* joinEvery(every.id, groupId, now)
    }
    registered.push({ id, name: account.name, vendor: account.vendor, senders, every })
  }
  for (const { groupId, senderId } of yield* spokenForElsewhere()) yield* speakFor(senderId, groupId, inherited)
  const inForce = [...groupIds.values()]
  for (const groupId of inForce) {
    for (const gone of yield* goneBefore(groupId, inForce)) yield* joinGroup(gone, groupId, now)
  }
  yield* adopt(policy)
  return {
    accounts: registered,
    groups: new Map([...groupIds].map(([name, id]) => [id, name])),
    policy
  }
})

const upsertAccount = Effect.fnUntraced(function* ({ name, vendor }: AccountSpec) {
  const { query } = yield* Connection
  const row = yield* query("register", (db) =>
    db
      .insertInto("account")
      .values({ name, vendor, active: true })
      .onConflict((c) => c.column("name").doUpdateSet({ active: true }).where("account.vendor", "=", vendor))
      .returning("id")
      .executeTakeFirst()
  )
  if (row !== undefined) return row.id
  // What the one before held is not held by this one (L5).
  const detail = `the account ${name} was at another provider than ${vendor}; give the one at ${vendor} a name of its own`
  return yield* new LedgerError({ kind: "broken", operation: "register", detail })
})

const upsertSender = Effect.fnUntraced(function* (
  accountId: number,
  address: SenderAddress | EverySender,
  groupId: number | null
) {
  const { query } = yield* Connection
  const { id } = yield* query("register", (db) =>
    db
      .insertInto("sender")
      .values({ account_id: accountId, address, group_id: groupId, active: groupId !== null })
      .onConflict((c) =>
        c.columns(["account_id", "address"]).doUpdateSet({ group_id: groupId, active: groupId !== null })
      )
      .returning("id")
      .executeTakeFirstOrThrow()
  )
  return id
})

const joinEvery = Effect.fnUntraced(function* (everyId: number, groupId: number, now: number) {
  const { query } = yield* Connection
  const known = yield* query("register", (db) =>
    db
      .selectFrom("membership")
      .select("sender_id")
      .where("sender_id", "=", everyId)
      .where("group_id", "=", groupId)
      .executeTakeFirst()
  )
  if (known === undefined) yield* joinGroup(everyId, groupId, now)
})

/** Since when a sender speaks for a group that it never joined itself: it joins it anew whenever it does. */
const inherited = Number.NEGATIVE_INFINITY

/** A sender speaks for a group, or did once: the group hears what was said to the sender. */
const speakFor = Effect.fnUntraced(function* (senderId: number, groupId: number, now: number) {
  const { query } = yield* Connection
  yield* query("register", (db) =>
    db
      .insertInto("membership")
      .values({ sender_id: senderId, group_id: groupId, since: instant(now) })
      // One that comes back from another group joins anew; one that was nowhere meanwhile was never away.
      .onConflict((c) =>
        c
          .columns(["sender_id", "group_id"])
          .doUpdateSet({ since: instant(now) })
          .where(
            sql<boolean>`membership.since = '-infinity' or membership.since < (
              select max(m.since) from membership m where m.sender_id = ${senderId})`
          )
      )
      .execute()
  )
  // For one that is back, too: who said START meanwhile may be known everywhere but there.
  yield* query("register", (db) => standingOfJoiner(senderId, groupId).execute(db))
})

/** A sender joins a group, and must hold what the group must. */
const joinGroup = Effect.fnUntraced(function* (senderId: number, groupId: number, now: number) {
  const { query } = yield* Connection
  yield* speakFor(senderId, groupId, now)
  yield* query("register", (db) =>
    db
      .updateTable("standing")
      .set({ settled: false })
      .where("group_id", "=", groupId)
      .where("settled", "=", true)
      .execute()
  )
})

/** Under another policy other opt-ins count: every pair that has one is looked at again. */
const adopt = Effect.fnUntraced(function* (policy: OptInPolicy) {
  const { query } = yield* Connection
  if ((yield* policyInForce()) === policy) return
  const value = JSON.stringify(policy)
  yield* query("register", (db) =>
    db
      .insertInto("setting")
      .values({ name: "policy", value })
      .onConflict((c) => c.column("name").doUpdateSet({ value }))
      .execute()
  )
  yield* query("register", (db) =>
    sql`update standing st set settled = false
        where st.settled and (st.in_at is not null or exists (
          select from opt_in o join sender s on s.id = o.sender_id
          where s.group_id = st.group_id and o.recipient = st.recipient))`.execute(db)
  )
})

/** The policy of whoever was started last. What an older process decides by another one is not carried out. */
export const policyInForce = Effect.fn("Ledger.policyInForce")(function* (): Effect.fn.Return<
  unknown,
  LedgerError,
  Connection
> {
  const { query } = yield* Connection
  const row = yield* query("policy in force", (db) =>
    db.selectFrom("setting").select("value").where("name", "=", "policy").executeTakeFirst()
  )
  return row?.value
})

/** The id of a sender that a provider named and nobody configured. What is said to it is kept, and counts once it joins a group (L1). */
export const senderId = Effect.fnUntraced(function* (
  account: RegisteredAccount,
  address: SenderAddress | EverySender
): Effect.fn.Return<number, LedgerError, Connection> {
  if (address === everySender) return account.every.id
  const known = account.senders.find((sender) => sender.address === address)
  if (known !== undefined) return known.id
  const { query } = yield* Connection
  // Where another account lists its number, it is heard there from its first word on.
  const result = yield* query("stranger", (db) =>
    sql<{ id: number }>`
      with stranger as (
        insert into sender (account_id, address) values (${account.id}, ${address})
        on conflict (account_id, address) do update set address = excluded.address returning id
      ), heard as (
        insert into membership (sender_id, group_id, since)
        select stranger.id, m.group_id, m.since
        from stranger, sender s join membership m on m.sender_id = s.id and m.group_id = s.group_id
        where s.active and s.address = ${address}
        on conflict do nothing
      )
      select id from stranger`.execute(db)
  )
  const [row] = result.rows
  if (row === undefined) return yield* new LedgerError({ kind: "broken", operation: "stranger", detail: "no row" })
  return row.id
})
