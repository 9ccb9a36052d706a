/**
 * People whom a sender is known to text. Where a provider cannot list, an opt-out
 * can only be found by asking about somebody, so everybody whose name comes up is
 * kept to be asked about.
 */
import type { Recipient } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { digits } from "./codec.ts"
import { Connection, maybeInstant } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { lockAccount } from "./locks.ts"
import type { RegisteredAccount, RegisteredSender } from "./registry.ts"

export interface Person {
  readonly recipient: Recipient
  /** When a text last went between the two (ms), where somebody knows. */
  readonly textedAt?: number | undefined
}

/**
 * Makes people known to some senders of an account, and moves the moment of
 * their last text forward. What is known of them already stays as it is. Returns
 * how many pairs were not known before.
 */
export const know = Effect.fn("Ledger.know")(function* (
  account: RegisteredAccount,
  senders: ReadonlyArray<RegisteredSender>,
  people: ReadonlyArray<Person>
): Effect.fn.Return<number, LedgerError, Connection> {
  if (senders.length === 0 || people.length === 0) return 0
  const connection = yield* Connection
  const { rows } = yield* connection.transaction(
    "know",
    Effect.andThen(
      lockAccount(account.id),
      connection.query("know", (db) =>
        sql<{ fresh: boolean }>`
          insert into view as v (sender_id, recipient, read_at, asked_at, texted_at)
          select s.id, p.recipient, '-infinity', '-infinity', max(p.texted_at)
          from unnest(${senders.map((sender) => sender.id)}::int[]) as s(id)
          cross join unnest(
            ${people.map((person) => digits(person.recipient))}::bigint[],
            ${people.map((person) => maybeInstant(person.textedAt))}::timestamptz[]
          ) as p(recipient, texted_at)
          group by s.id, p.recipient
          on conflict (sender_id, recipient) do update set texted_at = excluded.texted_at
            where excluded.texted_at > coalesce(v.texted_at, '-infinity')
          returning (xmax = 0) as fresh`.execute(db)
      )
    ).pipe(Effect.tap((result) => Effect.sync(() => connection.wrote(result.rows.length))))
  )
  return rows.filter((row) => row.fresh).length
})
