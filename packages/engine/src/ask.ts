/**
 * May these people be texted? The only yes is one that nothing speaks against:
 * whatever is missing, unknown or undecided is a no (L16).
 */
import type { Basis, OptInPolicy, Origin, Recipient, SenderAddress } from "@stopline/consent"
import {
  ask as askLedger,
  type AskedSender,
  type Connection,
  digits,
  type Known,
  type LedgerError
} from "@stopline/ledger"
import { Effect } from "effect"
import { Fleet, type Station } from "./fleet.ts"

export const reasons = [
  "nothing-said",
  "opted-in",
  "opted-out",
  "opted-out-before",
  "held-by-provider",
  "write-on-its-way",
  "not-a-number",
  "unknown"
] as const
/** What the answer rests on. Only the first two are a yes. */
export type Reason = (typeof reasons)[number]

/** The observation that decides. */
export interface Deciding {
  readonly observation: number
  readonly account: string
  readonly sender: string
  readonly origin: Origin
  readonly basis: Basis
}

export interface Answer {
  readonly mayText: boolean
  readonly why: Reason
  /** The sender that the answer is about: of several the one that says no. */
  readonly from: AskedOf | null
  readonly since: number | null
  readonly because: Deciding | null
  /** When the pair was last read at its provider, or written there. */
  readonly readAt: number | null
}

export interface AskedOf {
  readonly station: Station
  readonly senderId: number
  readonly address: SenderAddress
}

/** Nothing that could be asked about: no number, or a sender that is no longer in force. */
const refused = (why: "not-a-number" | "unknown"): Answer => ({
  mayText: false,
  why,
  from: null,
  since: null,
  because: null,
  readAt: null
})

export const notANumber = refused("not-a-number")
const unknown = refused("unknown")

/** Asks about every person at every one of these senders, in one statement. The answers are in the order of the people. */
export const mayText = Effect.fnUntraced(function* (
  senders: ReadonlyArray<AskedOf>,
  people: ReadonlyArray<Recipient | undefined>
): Effect.fn.Return<ReadonlyArray<Answer>, LedgerError, Connection | Fleet> {
  const { settings } = yield* Fleet
  const asked = people.filter((person) => person !== undefined)
  const known = asked.length === 0 ? [] : yield* askAll(senders, asked, settings.policy)
  const answers = decide(senders, asked.length, known)
  let next = 0
  return people.map((person) => (person === undefined ? notANumber : (answers[next++] ?? unknown)))
})

/** Of one person, at each sender by itself, by the sender's id. One that has no answer is not in force. */
export const whyAtEach = Effect.fnUntraced(function* (
  senders: ReadonlyArray<AskedOf>,
  person: Recipient
): Effect.fn.Return<ReadonlyMap<number, Reason>, LedgerError, Connection | Fleet> {
  const { settings } = yield* Fleet
  const known = yield* askAll(senders, [person], settings.policy)
  return new Map(known.map((row) => [row.senderId, whyOf(row)]))
})

const askAll = (senders: ReadonlyArray<AskedOf>, people: ReadonlyArray<Recipient>, policy: OptInPolicy) =>
  askLedger(
    senders.map(({ senderId, station }): AskedSender => ({ id: senderId, everyId: station.account.every.id })),
    people.map(digits),
    policy
  )

/** One answer for each person: a yes only if every sender that was asked about gave one. */
const decide = (
  senders: ReadonlyArray<AskedOf>,
  people: number,
  known: ReadonlyArray<Known>
): ReadonlyArray<Answer> => {
  const bySender = new Map(senders.map((sender) => [sender.senderId, sender]))
  const answers: Array<Answer | undefined> = Array.from({ length: people })
  const heardOf = new Uint32Array(people)
  for (const row of known) {
    const from = bySender.get(row.senderId)
    const before = answers[row.person]
    heardOf[row.person] = (heardOf[row.person] ?? 0) + 1
    if (from === undefined || before?.mayText === false) continue
    const answer = judgeKnown(row, from)
    if (before === undefined || !answer.mayText) answers[row.person] = answer
  }
  return answers.map((answer, person) =>
    answer === undefined || (answer.mayText && heardOf[person] !== senders.length) ? unknown : answer
  )
}

const judgeKnown = (row: Known, from: AskedOf): Answer => {
  const why = whyOf(row)
  const said = why === "opted-out" || why === "opted-in"
  return {
    mayText: why === "opted-in" || why === "nothing-said",
    why,
    from,
    since: said ? row.since : null,
    because: said ? decidingOf(row) : null,
    readAt: row.readAt
  }
}

/** Every no first: whatever is left when none applies is a yes. */
export const whyOf = (row: Known): Reason => {
  if (row.out) return "opted-out"
  if (row.silencedBefore) return "opted-out-before"
  if (row.heldForAll || row.held === "opted-out") return "held-by-provider"
  if (row.intent !== null) return "write-on-its-way"
  return row.because === null ? "nothing-said" : "opted-in"
}

const decidingOf = ({ account, basis, because, origin, sender }: Known): Deciding | null =>
  because === null || account === null || sender === null || origin === null || basis === null
    ? null
    : { observation: because, account, sender, origin, basis }
