/** What the ledger believes of the providers, held to what they hold: a view that says so was once so (L5, L9). */
import { mask } from "@stopline/consent"
import { Connection, type LedgerError, toRecipient } from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"
import type { Excuses } from "./excuses.ts"
import type { Truth, Turn } from "./truth.ts"
import type { Stored, Written } from "./written.ts"

interface Row extends Stored {
  /** `account/sender` */
  readonly name: string
  readonly account: string
  readonly recipient: number
  readonly written_at: number | null
  readonly written_begun_at: number | null
  /** Which transaction stored it. */
  readonly version: number
}

/** A write that was done, and when. */
type Done = Pick<Row, "name" | "recipient" | "read_at" | "written_begun_at">

export interface Believed {
  readonly truth: Truth
  readonly excuses: Excuses
  readonly written: Written
  readonly now: () => number
  readonly breaks: (law: string, what: string) => void
}

export class Views {
  readonly #book: Believed
  /** Of each pair, the last write that was done. */
  readonly #begun = new Map<string, { readonly begunAt: number; readonly endedAt: number }>()
  /** Of each pair, the last block that the ledger was seen to know of. */
  readonly #known = new Map<string, Turn>()
  #version = 0

  constructor(book: Believed) {
    this.#book = book
  }

  /** Whether the ledger was seen to know, by the last time, of the block that stands. */
  knew(pair: string): boolean {
    const block = this.#book.truth.block(pair)
    return block !== undefined && this.#known.get(pair) === block
  }

  /** Looks at what was stored since the last time. */
  readonly check = Effect.fnUntraced(
    function* (this: Views): Effect.fn.Return<void, LedgerError, Connection> {
      const { query } = yield* Connection
      const { rows } = yield* query("views", (db) =>
        sql<Row>`
          select a.name || '/' || s.address as name, a.name as account, v.recipient, v.held, v.intent, v.read_at,
            v.written_at, v.written_begun_at, v.xmin::text::bigint as version
          from view v join sender s on s.id = v.sender_id join account a on a.id = s.account_id
          where v.xmin::text::bigint > ${this.#version} and s.address <> '*'
          order by version, v.sender_id, v.recipient`.execute(db)
      )
      for (const row of rows) {
        this.#version = row.version
        this.#book.written.settle(row.name, toRecipient(row.recipient), row)
        if (row.held !== null && row.intent === null) this.#hold(row)
      }
    }.bind(this)
  )

  /** Writes have ended. Before the next look others may be begun, of which the ledger remembers no more than of these. */
  readonly ended = Effect.fnUntraced(
    function* (this: Views): Effect.fn.Return<void, LedgerError, Connection> {
      const { query } = yield* Connection
      const { rows } = yield* query("views", (db) =>
        sql<Done>`
          select a.name || '/' || s.address as name, v.recipient, v.read_at, v.written_begun_at
          from view v join sender s on s.id = v.sender_id join account a on a.id = s.account_id
          where v.xmin::text::bigint > ${this.#version} and v.written_at = v.read_at and v.intent is null`.execute(db)
      )
      for (const row of rows) this.#done(row)
    }.bind(this)
  )

  /** A write was done somewhere between its beginning and its end, also when another one has been tried since. */
  #done({ name, read_at, recipient, written_begun_at }: Done): void {
    this.#begun.set(`${name} ${toRecipient(recipient)}`, { begunAt: written_begun_at ?? read_at, endedAt: read_at })
  }

  #hold(row: Row): void {
    const { breaks, excuses, now, truth } = this.#book
    const person = toRecipient(row.recipient)
    const pair = `${row.name} ${person}`
    const written = row.written_at === row.read_at
    if (written) this.#done(row)
    const write = this.#begun.get(pair)
    const from = write?.endedAt === row.read_at ? write.begunAt : row.read_at
    const slack = excuses.slack(row.account, row.read_at)
    const block = truth.block(pair)
    if (row.held === "opted-out" && block !== undefined && block.at <= row.read_at + slack) this.#known.set(pair, block)
    if (truth.was(pair, row.held === "opted-out", from - slack, now())) return
    breaks(
      written ? "L9" : "L5",
      `${row.name} is believed to have ${mask(person)} ${row.held ?? ""}, and never had since`
    )
  }
}
