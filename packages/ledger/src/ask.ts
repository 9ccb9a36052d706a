/**
 * What the ledger knows of some people at some senders, in one statement however
 * many they are: what is asked before somebody is texted (L16).
 *
 * A sender that is no longer in force has no rows, nor has whoever is let in only by
 * a policy that is not, and whoever reads them takes a missing row for a no.
 */
import type { Basis, ConsentState, OptInPolicy, Origin } from "@stopline/consent"
import { Effect } from "effect"
import { CompiledQuery, sql } from "kysely"
import { Connection, type Database } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { because, isPolicy, mustBeOut, optInAt, optInSinceJoining, silencedBefore } from "./must.ts"

export interface Known {
  /** Which of the people asked about, from 0. */
  readonly person: number
  readonly senderId: number
  /** Opted out by what was said. */
  readonly out: boolean
  /** An opt-out of another group that the sender once spoke for still stands. */
  readonly silencedBefore: boolean
  /** What the provider was last known to hold for the pair. */
  readonly held: ConsentState | null
  /** The provider blocks the person for every sender of the account. */
  readonly heldForAll: boolean
  /** A write that is on its way. */
  readonly intent: ConsentState | null
  /** When the pair was last read or written (ms); null when it never was. */
  readonly readAt: number | null
  /** What decides: the observation, when it counts from, who said it how, and where. */
  readonly because: number | null
  readonly since: number | null
  readonly origin: Origin | null
  readonly basis: Basis | null
  readonly account: string | null
  readonly sender: string | null
}

/** A sender, and the row that stands for every sender of its account. */
export interface AskedSender {
  readonly id: number
  readonly everyId: number
}

export const ask = Effect.fnUntraced(function* (
  senders: ReadonlyArray<AskedSender>,
  people: ReadonlyArray<number>,
  policy: OptInPolicy
): Effect.fn.Return<ReadonlyArray<Known>, LedgerError, Connection> {
  const { query } = yield* Connection
  const values = [senders.map((sender) => sender.id), senders.map((sender) => sender.everyId), people]
  const result = yield* query("ask", (db) => db.executeQuery<Known>(CompiledQuery.raw(textOf(policy, db), values)))
  return result.rows
})

const texts = new Map<OptInPolicy, string>()

/** Of all statements the most asked, and the dearest to put together: it is written once. */
const textOf = (policy: OptInPolicy, db: Database): string => {
  const known = texts.get(policy)
  if (known !== undefined) return known
  const text = statement(policy).compile(db).sql
  texts.set(policy, text)
  return text
}

/** Its parameters: the ids of the senders, of those that stand for their accounts, and the people. */
const statement = (policy: OptInPolicy) => {
  const said = optInAt[policy]
  const optIn = sql`case when ${isPolicy(policy)} then ${optInSinceJoining[policy]} end`
  const [senders, every, people] = [sql`${null}`, sql`${null}`, sql`${null}`]
  return sql`
    with w as materialized (
      select s.id as sender_id, s.group_id, a.every_id
      from unnest(${senders}::int[], ${every}::int[]) as a(id, every_id)
      join sender s on s.id = a.id and s.active and s.group_id is not null
    )
    select (r.place - 1)::int as person, w.sender_id as "senderId",
      ${mustBeOut(policy)} as out,
      ${silencedBefore(sql`r.recipient`, optIn)} as "silencedBefore",
      v.held, coalesce(e.held = 'opted-out', false) as "heldForAll", v.intent,
      case when v.held is not null then v.read_at end as "readAt",
      d.because, case when ${mustBeOut(policy)} then st.out_at else ${said} end as since,
      ob.origin, ob.basis, a.name as account, t.address as sender
    from unnest(${people}::bigint[]) with ordinality as r(recipient, place)
    cross join w
    left join standing st on st.group_id = w.group_id and st.recipient = r.recipient
    left join opt_in o on o.sender_id = w.sender_id and o.recipient = r.recipient
    left join view v on v.sender_id = w.sender_id and v.recipient = r.recipient
    left join view e on e.sender_id = w.every_id and e.recipient = r.recipient
    cross join lateral (select ${because(policy)} as because) d
    left join observation ob on ob.recipient = r.recipient and ob.id = d.because
    left join sender t on t.id = ob.sender_id
    left join account a on a.id = ob.account_id
    where st.out_at is null or ${mustBeOut(policy)} or ${isPolicy(policy)}
    order by r.place, w.sender_id`
}
