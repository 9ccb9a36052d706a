/**
 * A ledger of many pairs, made in SQL: one person, one opt-out, one standing and
 * one view each. Numbers come in no order, as they do from a provider, so that
 * the indexes are as loose as they are in real life.
 */
import { AccountName, Recipient, SenderAddress } from "@stopline/consent"
import { Connection, type RegisteredAccount, type RegisteredSender, register } from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"

/** The `i`th person's number without its plus. Prime to the modulus, so nobody comes twice. */
export const numberOf = (i: number): number => 10_000_000_000 + Number((BigInt(i) * 2_654_435_761n) % 8_000_000_000n)

export const recipientOf = (i: number): Recipient => Recipient.make(`+${numberOf(i)}`)

const numberInSql = "10000000000 + i * 2654435761 % 8000000000"

/** One in a thousand is not held where it must be: what a plan has to find among the others. */
const differs = "i % 1000 = 0"
/** One in five said it in a message that has a key and evidence; the others were read from a list. */
const said = "i % 5 = 0"

const tables = (ids: { account: number; sender: number; group: number }): ReadonlyArray<string> => [
  `insert into observation (recipient, account_id, sender_id, group_id, state, origin, basis, reach, not_before, not_after, key, evidence, recorded_at)
   select ${numberInSql}, ${ids.account}, ${ids.sender}, ${ids.group}, 'opted-out',
     (case when ${said} then 'recipient' else 'unknown' end)::origin, (case when ${said} then 'message' else 'listed' end)::basis, 'pair',
     case when ${said} then at else '-infinity' end, at,
     case when ${said} then md5(i::text)::uuid::text end,
     case when ${said} then jsonb_build_object('messageId', md5(i::text)::uuid, 'keyword', 'STOP', 'acted', true) end, at`,
  `insert into standing (group_id, recipient, out_at, out_because, settled)
   select ${ids.group}, ${numberInSql}, at, i, not (${differs})`,
  `insert into opt_in (sender_id, recipient, said_at, said_because)
   select ${ids.sender}, ${numberInSql}, at - interval '1 day', i`,
  `insert into view (sender_id, recipient, held, read_at, asked_at)
   select ${ids.sender}, ${numberInSql}, case when not (${differs}) then 'opted-out'::consent_state end, at, at`
]

/** Only some ever opted in. */
const sampled = (statement: string, oneIn: number): string =>
  statement.startsWith("insert into opt_in") ? `where i % ${oneIn} = 0` : ""

export interface Filled {
  readonly account: RegisteredAccount
  readonly sender: RegisteredSender
}

const chunk = 500_000

/** One account of one sender. */
export const registerOne = Effect.gen(function* () {
  const address = SenderAddress.make("+14255550101")
  const name = AccountName.make("measured")
  const registry = yield* register(
    [{ name, vendor: "measured", senders: [address] }],
    [{ name: "brand", members: [{ account: name, sender: address }] }],
    "strict",
    0
  )
  const account = registry.accounts[0]!
  return { account, sender: account.senders[0]! } satisfies Filled
})

/** Registers one account of one sender, and fills the ledger with so many pairs of it. One in `optIns` once opted in. */
export const fill = Effect.fn("fill")(function* (pairs: number, optIns = 50) {
  const { account, sender } = yield* registerOne
  const ids = { account: account.id, sender: sender.id, group: sender.groupId! }
  const { query } = yield* Connection
  for (let from = 1; from <= pairs; from += chunk) {
    const range = `from (select i, '2026-01-01'::timestamptz + i * interval '1 second' as at
      from generate_series(${from}::bigint, ${Math.min(pairs, from + chunk - 1)}) i) g`
    for (const insert of tables(ids)) {
      yield* query("fill", (db) => sql.raw(`${insert} ${range} ${sampled(insert, optIns)}`).execute(db))
    }
  }
  yield* query("fill", (db) => sql.raw("vacuum analyze").execute(db))
  return { account, sender } satisfies Filled
})
