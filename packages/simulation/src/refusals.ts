/** A report that a text of ours was refused since the person opted out: once it was answered 2xx, that is known (L1). */
import { Connection, type LedgerError } from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"
import type { GridEvent } from "./grid.ts"
import { settings } from "./worker.ts"

/** So long before a report something may have changed that explains it, or that it is an old copy of (ms). */
const window = 2 * settings.echoMs

interface Refusal {
  readonly account: string
  readonly id: string
  /** Numbers without their plus. */
  readonly sender: string
  readonly person: string
  readonly since: number
}

export class Refusals {
  readonly #breaks: (law: string, what: string) => void
  #open: Array<Refusal> = []

  constructor(breaks: (law: string, what: string) => void) {
    this.#breaks = breaks
  }

  /** A webhook was answered 2xx. */
  note(account: string, grid: ReadonlyArray<GridEvent>): void {
    for (const { deliveryStatus, from, messageId, receivedTimestamp, to } of grid) {
      if (deliveryStatus !== "Failed" || receivedTimestamp === undefined) continue
      const since = Date.parse(receivedTimestamp) - window
      this.#open.push({ account, id: messageId, sender: from, person: to, since })
    }
  }

  /** Each has its row, unless the block was known, or something was learnt or done there that it cannot be told from. */
  readonly check = Effect.fnUntraced(
    function* (this: Refusals): Effect.fn.Return<void, LedgerError, Connection> {
      const open = this.#open
      this.#open = []
      const { query } = yield* Connection
      for (const { account, id, person, sender, since } of open) {
        const { rows } = yield* query("refusals", (db) =>
          sql`
            select from sender s join account a on a.id = s.account_id
            where a.name = ${account} and ltrim(s.address, '+') = ${sender}
              and not exists (
                select from observation o
                where o.account_id = a.id and o.recipient = ${person}::bigint and o.evidence->>'messageId' = ${id})
              and not exists (
                select from view v where v.sender_id = s.id and v.recipient = ${person}::bigint
                  and (v.held = 'opted-out' or v.intent is not null
                    or greatest(v.lifted_at, v.doubted_at, v.written_at) >= to_timestamp(${since / 1000})))`.execute(db)
        )
        if (rows.length > 0) {
          this.#breaks("L1", `${account}: a text was refused, that was answered 2xx, and nobody knows of the block`)
        }
      }
    }.bind(this)
  )
}
