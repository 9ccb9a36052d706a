/**
 * Every request that leaves, held to the laws the moment it leaves: nobody is
 * blocked or let through without a reason (L3, L13), and no more of them than a
 * guard allows (L8). What it did to the provider is noted as the truth.
 */
import { mask } from "@stopline/consent"
import { holdsBack } from "@stopline/engine"
import { type Connection, openHalts } from "@stopline/ledger"
import type { AnyAccount } from "@stopline/sandbox"
import { Effect, Option, Schema } from "effect"
import type { Witness } from "./network.ts"
import type { Excuses } from "./excuses.ts"
import type { Oracle } from "./oracle.ts"
import type { Receipts } from "./receipts.ts"
import type { Mover, Truth } from "./truth.ts"
import { settings } from "./worker.ts"
import { doneOf, type Written } from "./written.ts"

/** The bodies of all requests that write, whatever the vendor. */
const Body = Schema.fromJsonString(
  Schema.Struct({
    from: Schema.optionalKey(Schema.String),
    recipients: Schema.optionalKey(Schema.Array(Schema.Struct({ to: Schema.String }))),
    optOuts: Schema.optionalKey(Schema.Array(Schema.String)),
    optIns: Schema.optionalKey(Schema.Array(Schema.String)),
    records: Schema.optionalKey(
      Schema.Array(Schema.Struct({ from: Schema.String, to: Schema.String, optStatus: Schema.String }))
    )
  })
)
const decodeBody = Schema.decodeUnknownOption(Body)

/** RingCentral's newer API has a record for each person, all of them of one sender here: the same in the older one's words. */
const readBody = (text: string) =>
  Option.map(decodeBody(text), ({ records = [], ...body }): Omit<typeof Body.Type, "records"> => {
    const [first] = records
    if (first === undefined) return body
    const thatAre = (status: string) => records.filter(({ optStatus }) => optStatus === status).map(({ to }) => to)
    return { from: first.from, optOuts: thatAre("OptOut"), optIns: thatAre("OptIn") }
  })

/** So long at most a request takes from the last look at the ledger to its provider (ms). */
const onTheWay = 5_000

/** A round of one worker, as far as its guards are concerned. */
interface Guarded {
  /** Account and direction that a halt held back when it began. */
  readonly halted: ReadonlySet<string>
  readonly approved: boolean
  readonly written: Map<string, Set<string>>
}

export interface Watched {
  readonly oracle: Oracle
  readonly truth: Truth
  readonly excuses: Excuses
  readonly written: Written
  readonly receipts: Receipts
  readonly accounts: () => ReadonlyArray<AnyAccount>
  readonly now: () => number
  /** Since when a worker has not stood still. */
  readonly awakeSince: (worker: number) => number
  readonly breaks: (law: string, what: string) => void
}

export class Watch {
  readonly #rounds = new Map<number, Guarded>()
  /** Account and direction that open halts hold back; undefined: to be asked again. */
  #halted: ReadonlySet<string> | undefined
  readonly #oracle: Oracle
  readonly #truth: Truth
  readonly #accounts: () => ReadonlyArray<AnyAccount>
  readonly #excuses: Excuses
  readonly #written: Written
  readonly #receipts: Receipts
  readonly #now: () => number
  readonly #awakeSince: (worker: number) => number
  readonly #breaks: (law: string, what: string) => void

  constructor({ accounts, awakeSince, breaks, excuses, now, oracle, receipts, truth, written }: Watched) {
    this.#oracle = oracle
    this.#truth = truth
    this.#excuses = excuses
    this.#written = written
    this.#receipts = receipts
    this.#accounts = accounts
    this.#now = now
    this.#awakeSince = awakeSince
    this.#breaks = breaks
  }

  /** A worker begins a round: from now on its guards are counted afresh. */
  readonly begin = Effect.fnUntraced(
    function* (this: Watch, worker: number, approved: boolean): Effect.fn.Return<void, never, Connection> {
      this.#halted ??= new Set(
        (yield* Effect.orDie(openHalts())).map((one) => `${one.account} ${holdsBack(one.kind) ?? ""}`)
      )
      this.#rounds.set(worker, { halted: this.#halted, approved, written: new Map() })
    }.bind(this)
  )

  /** Something was committed: which halts are open is known no longer, if it was about them. */
  committed(operation: string): void {
    if (operation === "raise halt" || operation === "clear halts") this.#halted = undefined
  }

  /** Notes how these pairs stand at their provider now. */
  look(account: string, senders: ReadonlyArray<string>, people: ReadonlyArray<string>, by: Mover): void {
    const found = this.#accounts().find((one) => one.name === account)
    if (found === undefined) return
    for (const sender of senders) {
      for (const person of people) {
        this.#truth.note(`${account}/${sender} ${person}`, found.isOptedOut(sender, person), this.#now(), by)
      }
    }
  }

  witness(worker: number): Witness {
    return (account, request) => {
      const { body, path } = request
      const asked = this.#accounts().find(({ name }) => name === account)
      if (asked !== undefined) this.#excuses.note(asked, this.#now())
      const read = Option.getOrUndefined(readBody(body))
      const sender = read?.from
      if (read === undefined || sender === undefined) return () => undefined
      const people = read.recipients?.map(({ to }) => to) ?? []
      const outs = path.endsWith(":add") ? people : (read.optOuts ?? [])
      const ins = path.endsWith(":remove") ? people : (read.optIns ?? [])
      for (const person of [...outs, ...ins]) this.#receipts.did(`${account}/${sender} ${person}`)
      for (const person of outs) this.#holdOut(worker, account, sender, person)
      for (const person of ins) this.#holdIn(worker, account, sender, person)
      return (outcome) => {
        this.look(account, [sender], [...outs, ...ins], "us")
        const done = new Set(doneOf(request, [...outs, ...ins], outcome))
        const at = this.#now()
        for (const person of outs.filter((one) => done.has(one)))
          this.#written.note(`${account}/${sender} ${person}`, { worker, state: "opted-out", at })
        for (const person of ins.filter((one) => done.has(one)))
          this.#written.note(`${account}/${sender} ${person}`, { worker, state: "opted-in", at })
      }
    }
  }

  #holdOut(worker: number, account: string, sender: string, person: string): void {
    const pair = `${account}/${sender}`
    if (!this.#oracle.mayBlock(person, pair)) {
      this.#breaks("L13", `${pair}: an opt-out of ${mask(person)} was written, and nobody asked for it`)
    }
    if (!this.#oracle.inOwnWords(person)) this.#guarded(worker, account, "opted-out", `${sender} ${person}`)
  }

  #holdIn(worker: number, account: string, sender: string, person: string): void {
    const pair = `${account}/${sender}`
    if (!this.#oracle.mayUnblock(person, pair)) {
      this.#breaks("L3", `${pair}: an opt-in of ${mask(person)} was written, and nobody asked for it`)
    }
    // Who is awake looks once more whom a request may still name, just before it leaves.
    const looked = this.#now() - onTheWay
    if (this.#awakeSince(worker) < looked && this.#oracle.mayNotUnblock(person, pair, looked)) {
      this.#breaks("L3", `${pair}: an opt-in of ${mask(person)} was written, who was known to have said STOP again`)
    }
    this.#guarded(worker, account, "opted-in", `${sender} ${person}`)
  }

  #guarded(worker: number, account: string, state: "opted-out" | "opted-in", pair: string): void {
    const round = this.#rounds.get(worker)
    if (round === undefined || round.approved) return
    const lane = `${account} ${state}`
    if (round.halted.has(lane)) this.#breaks("L8", `${account}: ${state} was written in bulk while a halt stood`)
    const written = round.written.get(lane) ?? new Set<string>()
    written.add(pair)
    round.written.set(lane, written)
    const limit = settings.guard[state === "opted-out" ? "optOuts" : "optIns"].count
    if (written.size > limit) {
      this.#breaks(
        "L8",
        `${account}: ${written.size} pairs were made ${state} in one round, over the limit of ${limit}`
      )
    }
  }
}
