/** All that is known about one recipient: what was said, what must be, what is held. */
import type { Basis, ConsentState, Evidence, OptInPolicy, Origin, Recipient } from "@stopline/consent"
import { everySender } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { digits } from "./codec.ts"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { because, inDoubt, mustBeOut } from "./must.ts"

export interface Said {
  readonly id: number
  readonly account: string
  readonly sender: string
  readonly state: ConsentState
  readonly origin: Origin
  readonly basis: Basis
  readonly notBefore: number
  readonly notAfter: number
  readonly recordedAt: number
  readonly evidence: Evidence | null
}

export interface Stands {
  readonly account: string
  readonly sender: string
  readonly group: string
  readonly must: ConsentState
  /** The observation that decides; null when nothing was ever said. */
  readonly because: number | null
  readonly held: ConsentState | null
  /** When `held` was last read or written (ms); null when it never was. */
  readonly heldAt: number | null
  /** Something may have moved it since: a write of ours without an answer, or an opt-in said as it was written or read. It counts for unknown. */
  readonly inDoubt: boolean
  readonly refused: string | null
}

export interface History {
  readonly recipient: Recipient
  readonly observations: ReadonlyArray<Said>
  readonly standings: ReadonlyArray<Stands>
}

export const history = Effect.fn("Ledger.history")(function* (
  recipient: Recipient,
  policy: OptInPolicy
): Effect.fn.Return<History, LedgerError, Connection> {
  const { query } = yield* Connection
  const number = digits(recipient)
  const observations = yield* query("history", (db) =>
    db
      .selectFrom("observation as o")
      .innerJoin("sender as s", "s.id", "o.sender_id")
      .innerJoin("account as a", "a.id", "o.account_id")
      .select([
        "o.id",
        "a.name as account",
        "s.address as sender",
        "o.state",
        "o.origin",
        "o.basis",
        "o.not_before as notBefore",
        "o.not_after as notAfter",
        "o.recorded_at as recordedAt",
        "o.evidence"
      ])
      .where("o.recipient", "=", number)
      .orderBy("o.id")
      .execute()
  )
  const standings = yield* query("history", (db) =>
    sql<Stands>`
      select a.name as account, s.address as sender, g.name as group,
        case when ${mustBeOut(policy)} then 'opted-out' else 'opted-in' end as must,
        ${because(policy)} as because, v.held,
        case when v.held is not null then v.read_at end as "heldAt", ${inDoubt} as "inDoubt", v.refused
      from sender s
      join account a on a.id = s.account_id
      join sender_group g on g.id = s.group_id
      left join standing st on st.group_id = s.group_id and st.recipient = ${number}
      left join opt_in o on o.sender_id = s.id and o.recipient = ${number}
      left join view v on v.sender_id = s.id and v.recipient = ${number}
      where s.active and s.address <> ${everySender}
      order by a.name, s.address`.execute(db)
  )
  return { recipient, observations, standings: standings.rows }
})
