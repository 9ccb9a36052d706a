/** A finished walk has seen all that was there when it began: no page was lost on the way (L1). */
import { clockSlack, mask, Recipient } from "@stopline/consent"
import { Connection, type LedgerError, toRecipient } from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"
import type { Excuses } from "./excuses.ts"
import type { Oracle } from "./oracle.ts"
import type { Truth } from "./truth.ts"
import { settleMs } from "./worker.ts"

interface Walk {
  readonly run_id: number
  readonly account_id: number
  readonly account: string
  readonly started_at: number
}

interface Row {
  readonly sender: string
  readonly recipient: number
  readonly held: "opted-out" | "opted-in" | null
  readonly intent: "opted-out" | "opted-in" | null
  readonly read_at: number
  readonly written_at: number | null
  readonly lifted_at: number | null
  readonly asked_at: number
}

/** So long a write may be on its way: it waits out a penalty, or its worker freezes (ms). */
const mostUnderway = 300_000

export interface WalkBook {
  readonly oracle: Oracle
  readonly truth: Truth
  readonly excuses: Excuses
  readonly skew: number
  readonly now: () => number
  readonly breaks: (law: string, what: string) => void
}

export class Walked {
  readonly #book: WalkBook
  /** Runs that were looked at. */
  readonly #seen = new Set<number>()

  constructor(book: WalkBook) {
    this.#book = book
  }

  /** A page was committed, which may have been the last. */
  readonly check = Effect.fnUntraced(
    function* (this: Walked): Effect.fn.Return<void, LedgerError, Connection> {
      const { query } = yield* Connection
      const { rows } = yield* query("walked", (db) =>
        sql<Walk>`
          select w.run_id, w.account_id, a.name as account, w.started_at
          from walk w join account a on a.id = w.account_id where w.finished_at is not null and w.whole`.execute(db)
      )
      for (const walk of rows) {
        if (this.#seen.has(walk.run_id)) continue
        this.#seen.add(walk.run_id)
        yield* this.#hold(walk)
      }
    }.bind(this)
  )

  readonly #hold = Effect.fnUntraced(
    function* (this: Walked, walk: Walk): Effect.fn.Return<void, LedgerError, Connection> {
      const { breaks, excuses, now, oracle, skew, truth } = this.#book
      if (excuses.count(walk.account, walk.started_at, now()) > 0) return
      const there = truth.blockedSince(walk.account, walk.started_at - skew)
      if (there.length === 0) return
      const { query } = yield* Connection
      const { rows } = yield* query("walked", (db) =>
        sql<Row>`
          select s.address as sender, v.recipient, v.held, v.intent, v.read_at, v.written_at, v.lifted_at, v.asked_at
          from view v join sender s on s.id = v.sender_id where s.account_id = ${walk.account_id}`.execute(db)
      )
      const views = new Map(rows.map((row) => [`${walk.account}/${row.sender} ${toRecipient(row.recipient)}`, row]))
      for (const pair of there) {
        const view = views.get(pair)
        const known =
          view !== undefined &&
          (view.held === "opted-out" || view.intent !== null || view.read_at >= walk.started_at - skew)
        // What was read while a write of ours was on its way, or soon after one, or after a START that the provider acted
        // on, is left undecided, also where that write has come to nothing since. Who was neither read nor written was
        // not asked about.
        const changedAt = Math.max(view?.written_at ?? 0, (view?.lifted_at ?? 0) + clockSlack)
        const underway = (view?.asked_at ?? 0) + mostUnderway
        const settling = Math.max(changedAt + settleMs, underway) >= walk.started_at - skew
        const [place = "", person = ""] = pair.split(" ")
        // A START that is heard of late lifts what was known before it, also where the page was read already that says otherwise.
        if (known || settling || oracle.optInHeardSince(person, place, walk.started_at - skew)) continue
        breaks("L1", `a finished walk did not see that ${place} blocks ${mask(Recipient.make(person))}`)
      }
    }.bind(this)
  )
}
