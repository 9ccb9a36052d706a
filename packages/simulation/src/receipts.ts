/** What we said that we have is there: each webhook about consent that was answered 2xx has its row, or was our own echo (L1). */
import { Connection, type LedgerError } from "@stopline/ledger"
import type { OutgoingRequest } from "@stopline/sandbox"
import { Effect, Option, Schema } from "effect"
import { sql } from "kysely"
import { type GridEvent, readGrid } from "./grid.ts"
import { Refusals } from "./refusals.ts"
import { meaningOf } from "./vocabulary.ts"

/** A text at RingCentral, or a change of an opt-out. */
const Ring = Schema.fromJsonString(
  Schema.Struct({
    uuid: Schema.String,
    body: Schema.Struct({
      id: Schema.optionalKey(Schema.String),
      text: Schema.optionalKey(Schema.String),
      from: Schema.optionalKey(Schema.Unknown),
      to: Schema.optionalKey(Schema.Unknown),
      active: Schema.optionalKey(Schema.Boolean)
    })
  })
)
const readRing = Schema.decodeUnknownOption(Ring)

interface Receipt {
  readonly account: string
  /** The provider's own id of it. */
  readonly id: string
  /** The pair that it says was changed, if it can be our own echo. */
  readonly pair: string | undefined
}

/** Whose webhook it is. */
export const accountOf = ({ url }: OutgoingRequest): string => new URL(url).pathname.slice(1)

/** What of a webhook's body has to leave a trace; a refused text not always. */
const receiptsOf = (account: string, body: string, grid: ReadonlyArray<GridEvent>): ReadonlyArray<Receipt> => {
  const texts = grid.filter(({ message }) => meaningOf(message, "azure") !== "nothing")
  const event = Option.getOrUndefined(readRing(body))
  const told: Array<Receipt> = texts.map(({ messageId }) => ({ account, id: messageId, pair: undefined }))
  if (event?.body.active !== undefined)
    told.push({ account, id: event.uuid, pair: `${account}/${String(event.body.from)} ${String(event.body.to)}` })
  else if (event?.body.id !== undefined && meaningOf(event.body.text, "ringcentral") !== "nothing")
    told.push({ account, id: event.body.id, pair: undefined })
  return told
}

/** An echo comes so long after its write, at most (ms). */
const longestEcho = 3_600_000

export class Receipts {
  readonly #breaks: (law: string, what: string) => void
  readonly #now: () => number
  /** When something was done to each pair of which its provider may send an event: a write of ours, or a person's own word. */
  readonly #deeds = new Map<string, Array<number>>()
  readonly #refusals: Refusals
  #open: Array<Receipt & { readonly at: number }> = []

  constructor(now: () => number, breaks: (law: string, what: string) => void) {
    this.#refusals = new Refusals(breaks)
    this.#now = now
    this.#breaks = breaks
  }

  /** A request of ours that writes this pair, `account/sender person`, has left, or the person texted what changes it. */
  did(pair: string): void {
    this.#deeds.set(pair, [...(this.#deeds.get(pair) ?? []), this.#now()])
  }

  /** A webhook was answered 2xx. */
  note(request: OutgoingRequest): void {
    const account = accountOf(request)
    const grid = readGrid(request.body)
    this.#open.push(...receiptsOf(account, request.body, grid).map((receipt) => ({ ...receipt, at: this.#now() })))
    this.#refusals.note(account, grid)
  }

  readonly check = Effect.fnUntraced(
    function* (this: Receipts): Effect.fn.Return<void, LedgerError, Connection> {
      yield* this.#refusals.check()
      if (this.#open.length === 0) return
      const open = this.#open
      this.#open = []
      const { query } = yield* Connection
      const { rows } = yield* query("receipts", (db) =>
        sql<{ id: string }>`
          select g.id from unnest(${open.map((one) => one.account)}::text[], ${open.map((one) => one.id)}::text[]) as g(account, id)
          join account a on a.name = g.account
          where not exists (
              select from observation o where o.account_id = a.id and g.id in (o.evidence->>'messageId', o.evidence->>'eventId'))
            and not exists (
              select from view v join sender s on s.id = v.sender_id
              where s.account_id = a.id and position(g.id in v.echo_key) > 0)`.execute(db)
      )
      const lost = new Set(rows.map(({ id }) => id))
      for (const { account, at: notedAt, id, pair } of open) {
        if (!lost.has(id)) continue
        // Of several echoes only the last few are remembered. One can be the person's own word, which is there as a text.
        const deeds = pair === undefined ? [] : (this.#deeds.get(pair) ?? [])
        if (deeds.filter((at) => at >= notedAt - longestEcho).length > 1) continue
        this.#breaks("L1", `${account}: an event was answered 2xx and has left nothing behind`)
      }
    }.bind(this)
  )
}
