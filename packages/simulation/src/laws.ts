/**
 * The ledger, held to the laws after every round: what it wrote down must have
 * been so (L5, L6, L7) and only once (L11), must have the effect it has to have
 * (L1, L2, L3, L4), and standings must be what observations make of them (L13).
 */
import { mask, type OptInPolicy } from "@stopline/consent"
import { Connection, type LedgerError, toRecipient } from "@stopline/ledger"
import { Effect } from "effect"
import { sql } from "kysely"
import type { Excuses } from "./excuses.ts"
import { rebuild } from "./rebuild.ts"
import type { Receipts } from "./receipts.ts"
import type { Truth } from "./truth.ts"
import { checkTexting, type Texting } from "./texting.ts"
import { Views } from "./views.ts"
import { Walked } from "./walked.ts"
import { settings, webhookSecret } from "./worker.ts"
import type { Written } from "./written.ts"

interface Noted {
  readonly id: number
  readonly account: string
  readonly sender: string
  readonly recipient: number
  readonly state: "opted-out" | "opted-in"
  readonly origin: string
  readonly basis: string
  readonly not_before: number
  readonly not_after: number
  readonly evidence: unknown
  readonly run_id: number | null
}

/** What is committed only by the holder of a lane, and which lanes. */
const lanesOf: Readonly<Record<string, string>> = {
  "begin writes": "write:%",
  "end writes": "write:%",
  "commit page": "read:%",
  "commit absences": "read:%"
}

/** What tells how a provider holds somebody, and not that anybody said so just now. */
const readings = new Set(["listed", "checked", "send-error"])

export interface Lawbook extends Texting {
  readonly truth: Truth
  readonly excuses: Excuses
  readonly written: Written
  readonly receipts: Receipts
  readonly policy: () => OptInPolicy
  /** How far clocks may differ (ms). */
  readonly skew: number
}

export class Laws {
  readonly #book: Lawbook
  readonly #views: Views
  readonly #walked: Walked
  readonly #found = new Map<string, number>()
  /** The last reading that was recorded of each pair. */
  readonly #readings = new Map<string, Noted>()
  readonly #facts = new Set<string>()
  readonly #silenced = new Set<string>()
  #looks = 0
  readonly #touched = new Set<string>()
  /** Opt-ins that were begun and have no outcome. */
  #open: ReadonlySet<string> = new Set()
  #seen = 0
  /** Something was committed since the last check. */
  #news = true
  #pages = 0

  constructor(book: Lawbook) {
    this.#book = book
    this.#views = new Views(book)
    this.#walked = new Walked(book)
  }

  /** When an opt-out of this person was last found that has no time of its own. */
  found(person: string): number {
    return this.#found.get(person) ?? Number.NEGATIVE_INFINITY
  }

  #find(person: string, at: number): void {
    this.#found.set(person, Math.max(this.found(person), at))
  }

  /** Something happened about this person: the next check looks at them. */
  touch(person: string): void {
    this.#touched.add(person)
  }

  /** Looks at what is new since the last time. */
  readonly check = Effect.fnUntraced(
    function* (this: Laws): Effect.fn.Return<void, LedgerError, Connection> {
      if (!this.#news && this.#touched.size === 0) return
      this.#news = false
      const { query } = yield* Connection
      const { rows } = yield* query("laws", (db) =>
        sql<Noted>`
          select o.id, a.name as account, s.address as sender, o.recipient, o.state, o.origin, o.basis, o.not_before, o.not_after, o.evidence, o.run_id
          from observation o join sender s on s.id = o.sender_id join account a on a.id = o.account_id
          where o.id > ${this.#seen} order by o.id`.execute(db)
      )
      for (const noted of rows) {
        this.#seen = noted.id
        this.#touched.add(toRecipient(noted.recipient))
        if (readings.has(noted.basis)) yield* this.#read(noted)
        else this.#note(noted)
      }
      yield* this.#views.check()
      if (this.#touched.size > 0) yield* this.#standings()
      yield* this.#book.receipts.check()
    }.bind(this)
  )

  /** Looks at the people about whom something happened. */
  readonly #standings = Effect.fnUntraced(
    function* (this: Laws): Effect.fn.Return<void, LedgerError, Connection> {
      const people = [...this.#touched]
      this.#touched.clear()
      const { problems, silent } = yield* rebuild(people, this.#book.policy())
      for (const problem of problems) this.#book.breaks("L13", problem)
      for (const person of people) this.#hold(person, silent)
      yield* checkTexting(this.#book, people, this.#looks++)
    }.bind(this)
  )

  /** What was committed on a lane was committed by who holds one (L12). */
  readonly committed = Effect.fnUntraced(
    function* (this: Laws, owner: string, operation: string): Effect.fn.Return<void, LedgerError, Connection> {
      this.#news = true
      if (operation === "commit page") yield* this.#walked.check()
      if (operation === "begin writes") yield* this.#begun()
      if (operation === "end writes") yield* this.#views.ended()
      const lanes = lanesOf[operation]
      if (lanes === undefined) return
      // There are many pages, and whoever commits one without a lane will do so again.
      if (operation === "commit page" && this.#pages++ % 4 > 0) return
      const { query } = yield* Connection
      const { rows } = yield* query("laws", (db) =>
        sql`select from lane where owner = ${owner} and lease_until > '-infinity' and key like ${lanes}`.execute(db)
      )
      if (rows.length === 0) this.#book.breaks("L12", `${owner} committed "${operation}" and holds no lane`)
    }.bind(this)
  )

  /** An opt-in is decided as it is begun: whoever is known to have said STOP again is none of those (L3). */
  readonly #begun = Effect.fnUntraced(
    function* (this: Laws): Effect.fn.Return<void, LedgerError, Connection> {
      const { query } = yield* Connection
      const { rows } = yield* query("laws", (db) =>
        sql<{ name: string; recipient: number; asked_at: number }>`
          select a.name || '/' || s.address as name, v.recipient, v.asked_at
          from view v join sender s on s.id = v.sender_id join account a on a.id = s.account_id
          where v.intent = ${"opted-in"}::consent_state`.execute(db)
      )
      const open = new Map(rows.map((row) => [`${row.name} ${row.recipient} ${row.asked_at}`, row]))
      for (const [key, { name, recipient }] of open) {
        const person = toRecipient(recipient)
        if (this.#open.has(key) || !this.#book.oracle.silentBy(person, this.#book.now()).includes(name)) continue
        this.#book.breaks(
          "L3",
          `${name}: an opt-in of ${mask(person)} was begun, who was known to have said STOP again`
        )
      }
      this.#open = new Set(open.keys())
    }.bind(this)
  )

  /** A line of a log names nobody and no secret (L14). */
  logged(line: string): void {
    if (/\+?1555123\d{4}/.test(line) || line.includes(webhookSecret))
      this.#book.breaks("L14", "a log line names somebody or a secret")
  }

  /** An observation must have been so, and be there once. */
  #note(noted: Noted): void {
    const { breaks, excuses, oracle } = this.#book
    const person = toRecipient(noted.recipient)
    const pair = `${noted.account}/${noted.sender}`
    const what = `${pair}: ${mask(person)} was noted ${noted.state} (${noted.basis})`
    const slack = excuses.slack(noted.account, noted.not_after)
    const from = noted.not_before - slack
    const to = noted.not_after + slack
    if (noted.basis === "imported" && noted.state === "opted-in") breaks("L3", what)
    if (noted.basis !== "event" && noted.basis !== "message") return
    const means = noted.state === "opted-out" ? "out" : "in"
    // Where a provider's record names no moment, the opt-out wins over all that was said in its time (L4).
    if (means === "out" && noted.not_before < noted.not_after) this.#find(person, noted.not_after)
    // Of two events that say the same soon after a write of ours one is its echo, and which one nobody can tell.
    const vague = noted.basis === "event" ? settings.echoMs : 0
    const said = oracle.saying(person, pair, means, from - vague, to + vague)
    if (said === undefined && !this.#ownKeyword(noted, from, to) && !this.#lateEcho(noted, from, to)) {
      breaks("L7", `${what}, and the person never said so`)
    }
    const fact = JSON.stringify([pair, person, noted.state, noted.basis, noted.not_before, noted.evidence])
    if (this.#facts.has(fact)) breaks("L11", `${what}, twice`)
    this.#facts.add(fact)
  }

  /** A provider's own keyword moved its own block (YES): true there, and there only. */
  #ownKeyword(noted: Noted, from: number, to: number): boolean {
    const pair = `${noted.account}/${noted.sender} ${toRecipient(noted.recipient)}`
    return noted.origin !== "api" && this.#book.truth.moved(pair, noted.state === "opted-out", from, to)
  }

  /** The ledger knows our last two writes of a pair. What comes later than that of one before, nobody can tell from somebody speaking. */
  #lateEcho(noted: Noted, from: number, to: number): boolean {
    const pair = `${noted.account}/${noted.sender} ${toRecipient(noted.recipient)}`
    const out = noted.state === "opted-out"
    return noted.basis === "event" && this.#book.truth.outlived(pair, out, from, to)
  }

  /** A reading that was news must have been so in its time, and otherwise before. */
  readonly #read = Effect.fnUntraced(
    function* (this: Laws, noted: Noted): Effect.fn.Return<void, LedgerError, Connection> {
      const { breaks, excuses, truth } = this.#book
      const person = toRecipient(noted.recipient)
      if (noted.state === "opted-out") this.#find(person, noted.not_after)
      if (noted.sender === "*") return
      const pair = `${noted.account}/${noted.sender} ${person}`
      const what = `${noted.account}/${noted.sender}: ${mask(person)} was noted ${noted.state} (${noted.basis})`
      const slack = excuses.slack(noted.account, noted.not_after)
      const blocked = noted.state === "opted-out"
      const to = noted.not_after + slack
      const last = this.#readings.get(pair)
      this.#readings.set(pair, noted)
      if (last?.state === noted.state && !truth.was(pair, !blocked, last.not_after - slack, to)) {
        breaks("L11", `${what} twice, and nothing had changed`)
      }
      if (blocked && this.#knewBefore(noted, last)) {
        const [law, whose] = truth.last(pair)?.by === "us" ? ["L7", "our own block"] : ["L11", "a block"]
        breaks(law, `${what}, and it is ${whose} that the ledger knew of`)
      }
      if (truth.was(pair, blocked, noted.not_before - slack, to)) return
      if (noted.basis === "listed" && !blocked && (yield* this.#misled(noted))) return
      breaks(noted.basis === "listed" ? "L6" : "L5", `${what}, and it never was so in that time`)
    }.bind(this)
  )

  /**
   * Whether a block that was found is one that the ledger knew of, and had no reason to forget: no list and no answer let it
   * seem gone meanwhile, and the person said no START that may have come after it, by clocks that differ.
   */
  #knewBefore({ account, recipient, sender }: Noted, last: Noted | undefined): boolean {
    const { oracle, skew, truth } = this.#book
    const place = `${account}/${sender}`
    const person = toRecipient(recipient)
    const block = truth.block(`${place} ${person}`)
    if (block === undefined || !this.#views.knew(`${place} ${person}`)) return false
    const seemedGone = last?.state === "opted-in" && last.not_after >= block.at
    return !seemedGone && oracle.saying(person, place, "in", block.at - 2 * skew, block.at) === undefined
  }

  /** Whether both walks that found somebody gone were shown a list that looked whole and was not. */
  readonly #misled = Effect.fnUntraced(
    function* (this: Laws, noted: Noted): Effect.fn.Return<boolean, LedgerError, Connection> {
      const { query } = yield* Connection
      const { rows } = yield* query("laws", (db) =>
        sql<{ started_at: number; ended_at: number | null }>`
          select r.started_at, r.ended_at from run r join run last on last.account_id = r.account_id
          where last.id = ${noted.run_id} and r.id <= last.id and r.kind = last.kind
            and (r.id = last.id or r.outcome = 'completed')
          order by r.id desc limit 2`.execute(db)
      )
      const { excuses, now } = this.#book
      const counts = rows.map((run) => excuses.count(noted.account, run.started_at, run.ended_at ?? now()))
      const all = excuses.count(noted.account, rows.at(-1)?.started_at ?? 0, now())
      return all >= 2 && counts.length === 2 && counts.every((count) => count > 0)
    }.bind(this)
  )

  /** What the ledger says of a person, against what it was told. */
  #hold(person: string, silent: ReadonlyMap<string, boolean>): void {
    for (const sender of this.#book.oracle.silentBy(person, this.#book.now())) {
      const pair = `${sender} ${person}`
      if (silent.get(pair) === false) {
        const law = this.#silenced.has(pair) ? "L3" : "L2"
        this.#book.breaks(law, `${sender} may text ${mask(person)}, who is known to have asked its brand to stop`)
      }
    }
    for (const sender of this.#book.oracle.free(person, this.found(person))) {
      if (silent.get(`${sender} ${person}`) !== true) continue
      this.#book.breaks("L11", `${sender} may not text ${mask(person)}, who asked it to after every opt-out`)
    }
    for (const [pair, must] of silent) {
      if (must) this.#silenced.add(pair)
    }
  }
}
