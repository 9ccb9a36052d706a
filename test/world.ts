/** A small world for ledger tests: two accounts, three senders, one group or two. */
import {
  type AccountName,
  bases,
  everySender,
  type Group,
  type Observation,
  type OptInPolicy,
  type Reading,
  type Recipient,
  type SenderAddress
} from "@stopline/consent"
import {
  beginRun,
  commitCheck,
  Connection,
  differences,
  digits,
  history,
  loadViews,
  pairKey,
  type RegisteredAccount,
  type RegisteredSender,
  register,
  type Registry
} from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"

export const east = "east" as AccountName
export const west = "west" as AccountName
export const eastOne = "+14255550101" as SenderAddress
export const eastTwo = "+14255550102" as SenderAddress
export const westOne = "+16505550101" as SenderAddress

export const accounts = [
  { name: east, vendor: "alpha", senders: [eastOne, eastTwo] },
  { name: west, vendor: "beta", senders: [westOne] }
]

export const brand: Group = {
  name: "brand",
  members: [
    { account: east, sender: eastOne },
    { account: east, sender: eastTwo },
    { account: west, sender: westOne }
  ]
}

/** Two brands that know nothing of each other: one for each account. */
export const easternBrand: Group = {
  name: "eastern",
  members: [
    { account: east, sender: eastOne },
    { account: east, sender: eastTwo }
  ]
}
export const westernBrand: Group = { name: "western", members: [{ account: west, sender: westOne }] }

export const setUp = (policy: OptInPolicy = "strict", groups: ReadonlyArray<Group> = [brand]) =>
  register(accounts, groups, policy, 1_000)

/** How a fact can be known, whatever was known before: a refused text is one only where no block was known. */
export const factualBases = bases.filter((basis) => basis !== "send-error")

/** A sender of the east account that nobody configured. */
export const stranger = "+14255550199" as SenderAddress

/** It is configured, and joins the brand. */
export const strangerJoins = (policy: OptInPolicy, now: number) => {
  const wider = accounts.map((one) => (one.name === east ? { ...one, senders: [...one.senders, stranger] } : one))
  const group = { ...brand, members: [...brand.members, { account: east, sender: stranger }] }
  return register(wider, [group], policy, now)
}

/** Those that point at others first. */
const tables = `observation standing opt_in view walk_seen walk run halt lane pace setting membership sender
  sender_group account`.split(/\s+/)

/** Forgets everything, for a test that counts or that changes who there is. Far quicker than truncating so little. */
export const empty = Effect.gen(function* () {
  const { query } = yield* Connection
  const statements = tables.map((table) => `delete from ${table}`).join("; ")
  yield* query("test", (db) => sql.raw(statements).execute(db))
})

/** How many rows every table has, and the last transaction that wrote one of them. */
export const rowCounts = Effect.gen(function* () {
  const { query } = yield* Connection
  const counts = yield* Effect.forEach(tables, (table) =>
    query("test", (db) =>
      sql<{ count: number; last: number }>`
        select count(*) as count, coalesce(max(xmin::text::bigint), 0) as last from ${sql.table(table)}`.execute(db)
    )
  )
  return Object.fromEntries(counts.map(({ rows }, index) => [tables[index], rows[0]]))
})

/** An empty ledger, and the two accounts in it. */
export const fresh = (policy: OptInPolicy = "strict", groups: ReadonlyArray<Group> = [brand]) =>
  Effect.andThen(empty, setUp(policy, groups))

export const person = (n: number): Recipient => `+1555${String(n).padStart(7, "0")}` as Recipient

export const observation = (given: Partial<Observation> & Pick<Observation, "recipient">): Observation => ({
  account: east,
  sender: eastOne,
  state: "opted-out",
  origin: "recipient",
  basis: "message",
  time: { notBefore: 10_000, notAfter: 10_000 },
  reach: "group",
  key: null,
  evidence: {},
  ...given
})

export { point as at } from "@stopline/consent"

export const accountOf = (registry: Registry, name: AccountName): RegisteredAccount =>
  registry.accounts.find((account) => account.name === name)!

export const senderOf = (registry: Registry, address: SenderAddress): RegisteredSender =>
  registry.accounts.flatMap((account) => account.senders).find((sender) => sender.address === address)!

export const reading = (recipient: Recipient, given: Partial<Reading> = {}): Reading => ({
  sender: eastOne,
  recipient,
  state: "opted-out",
  origin: "unknown",
  ...given
})

/** Stores what a provider answered about pairs of one sender, read from `beganAt` to `endedAt` (ms). */
export const checkPairs = Effect.fnUntraced(function* (
  registry: Registry,
  readings: ReadonlyArray<Reading>,
  span: { readonly beganAt: number; readonly endedAt: number },
  settle = 0
) {
  const asked = readings[0]?.sender
  const sender = senderOf(registry, asked === undefined || asked === everySender ? eastOne : asked)
  const account = accountOf(registry, sender.account)
  const runId = yield* beginRun({ kind: "sweep", accountId: account.id, startedBy: "test", at: span.beganAt })
  return yield* commitCheck({ account, runId, basis: "checked", span, settle }, sender, readings, [])
})

/** What must be and what is held, by sender: `opted-out held opted-in`. */
export const standings = Effect.fnUntraced(function* (recipient: Recipient, policy: OptInPolicy = "strict") {
  const known = yield* history(recipient, policy)
  return Object.fromEntries(known.standings.map((one) => [one.sender, `${one.must} held ${one.held ?? "unknown"}`]))
})

export const viewOf = Effect.fnUntraced(function* (sender: RegisteredSender, recipient: Recipient) {
  const pair = { senderId: sender.id, recipient: digits(recipient) }
  return (yield* loadViews([pair])).get(pairKey(pair))
})

/** The observations about a person: `opted-out listed 10000..20000`. */
export const saidOf = Effect.fnUntraced(function* (recipient: Recipient) {
  const { observations } = yield* history(recipient, "strict")
  return observations.map((one) => `${one.state} ${one.basis} ${one.notBefore}..${one.notAfter}`)
})

/** The people of whom a sender's provider is not known to hold what it must. */
export const differing = Effect.fnUntraced(function* (
  registry: Registry,
  address: SenderAddress,
  policy: OptInPolicy = "strict"
) {
  const sender = senderOf(registry, address)
  const cursor = { account: accountOf(registry, sender.account), sender, after: 0 }
  return (yield* differences([cursor], policy, 1000)).get(sender.id)!
})

export const isSettled = Effect.fnUntraced(function* (sender: RegisteredSender, recipient: Recipient) {
  const { query } = yield* Connection
  const row = yield* query("test", (db) =>
    db
      .selectFrom("standing")
      .select("settled")
      .where("group_id", "=", sender.groupId)
      .where("recipient", "=", digits(recipient))
      .executeTakeFirst()
  )
  return row?.settled
})
