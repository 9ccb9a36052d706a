/**
 * The ledger, held to the laws after every round: what it wrote down must have
 * been so (L5, L6, L7) and only once (L11), must have the effect it has to have
 * (L1, L2, L3, L4), and standings must be what observations make of them (L13).
 */
import { mask } from "@stopline/consent"
import { Connection, type LedgerError, toRecipient } from "@stopline/ledger"
import type { AnyAccount } from "@stopline/sandbox"
import { Effect } from "effect"
import { sql } from "kysely"
import type { Oracle, Said } from "./oracle.ts"
import { rebuild } from "./rebuild.ts"
import type { Truth } from "./truth.ts"
import { settings, webhookSecret } from "./worker.ts"

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
}

/** What is committed only by the holder of a lane, and which lanes. */
const lanesOf: Readonly<Record<string, string>> = {
  "begin writes": "write:%",
  "end writes": "write:%",
  "commit page": "read:%",
  "commit absences": "read:%"
}

/** Answers of a list that can make it look shorter than it is. */
const lies = new Set(["short-list", "forgotten-token", "empty-page", "repeat-token", "stale-read"])

export interface Lawbook {
  readonly oracle: Oracle
  readonly truth: Truth
  readonly accounts: () => ReadonlyArray<AnyAccount>
  /** How far clocks may differ, and a stale answer be old (ms). */
  readonly slack: () => number
  readonly breaks: (law: string, what: string) => void
}

export class Laws {
  readonly #book: Lawbook
  readonly #facts = new Set<string>()
  readonly #silenced = new Set<string>()
  readonly #touched = new Set<string>()
  #seen = 0
  /** Something was committed since the last check. */
  #news = true
  #pages = 0

  constructor(book: Lawbook) {
    this.#book = book
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
          select o.id, a.name as account, s.address as sender, o.recipient, o.state, o.origin, o.basis, o.not_before, o.not_after, o.evidence
          from observation o join sender s on s.id = o.sender_id join account a on a.id = o.account_id
          where o.id > ${this.#seen} order by o.id`.execute(db)
      )
      for (const noted of rows) {
        this.#seen = noted.id
        this.#touched.add(toRecipient(noted.recipient))
        this.#note(noted)
      }
      if (this.#touched.size === 0) return
      const people = [...this.#touched]
      this.#touched.clear()
      const { problems, silent } = yield* rebuild(people, settings.policy)
      for (const problem of problems) this.#book.breaks("L13", problem)
      for (const person of people) this.#hold(person, silent)
    }.bind(this)
  )

  /** What was committed on a lane was committed by who holds one (L12). */
  readonly committed = Effect.fnUntraced(
    function* (this: Laws, owner: string, operation: string): Effect.fn.Return<void, LedgerError, Connection> {
      this.#news = true
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

  /** A line of a log names nobody and no secret (L14). */
  logged(line: string): void {
    if (/\+?1555123\d{4}/.test(line) || line.includes(webhookSecret))
      this.#book.breaks("L14", "a log line names somebody or a secret")
  }

  /** An observation must have been so, and be there once. */
  #note(noted: Noted): void {
    const { accounts, breaks, oracle, slack, truth } = this.#book
    const person = toRecipient(noted.recipient)
    const pair = `${noted.account}/${noted.sender}`
    const what = `${pair}: ${mask(person)} was noted ${noted.state} (${noted.basis})`
    const from = noted.not_before - slack()
    const to = noted.not_after + slack()
    if (noted.basis === "listed" || noted.basis === "checked") {
      if (noted.sender === "*" || truth.was(`${pair} ${person}`, noted.state === "opted-out", from, to)) return
      if (noted.basis === "listed" && noted.state === "opted-in" && this.#lied(accounts(), noted)) return
      breaks(noted.basis === "listed" ? "L6" : "L5", `${what}, and it never was so in that time`)
      return
    }
    if (noted.basis === "imported" && noted.state === "opted-in") breaks("L3", what)
    if (noted.basis !== "event" && noted.basis !== "message") return
    const means = noted.state === "opted-out" ? "out" : "in"
    if (oracle.saying(person, pair, means, from, to) === undefined && !this.#ownKeyword(noted, from, to)) {
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

  /** Whether a list lied often enough for an honest reader to believe it. */
  #lied(accounts: ReadonlyArray<AnyAccount>, noted: Noted): boolean {
    const account = accounts.find(({ name }) => name === noted.account)
    const told = account?.log
      .entries()
      .filter(({ at, fault }) => fault !== undefined && lies.has(fault) && at >= noted.not_before)
    return (told?.length ?? 0) >= 2
  }

  /** What the ledger says of a person, against what it was told. */
  #hold(person: string, silent: ReadonlyMap<string, boolean>): void {
    for (const sender of this.#book.oracle.silent(person, (said: Said) => said.known)) {
      const pair = `${sender} ${person}`
      if (silent.get(pair) === false) {
        const law = this.#silenced.has(pair) ? "L3" : "L2"
        this.#book.breaks(law, `${sender} may text ${mask(person)}, who is known to have asked its brand to stop`)
      }
    }
    for (const [pair, must] of silent) {
      if (must) this.#silenced.add(pair)
    }
  }
}
