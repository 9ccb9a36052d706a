/** What must be so when all is quiet: every STOP is held wherever it can be (L1), and nothing is left to do (L10). */
import { mask } from "@stopline/consent"
import type { Plan } from "@stopline/engine"
import { Connection, type LedgerError } from "@stopline/ledger"
import type { AnyAccount } from "@stopline/sandbox"
import { Effect } from "effect"
import { sql } from "kysely"
import type { Oracle, Said } from "./oracle.ts"
import type { Truth, Turn } from "./truth.ts"
import type { Universe } from "./universe.ts"

export interface Quiet {
  readonly oracle: Oracle
  readonly truth: Truth
  /** When an opt-out of a person was last found by reading. */
  readonly found: (person: string) => number
  readonly accounts: ReadonlyArray<AnyAccount>
  readonly refused: Universe["refused"]
}

/** Of these senders, those that do not block a person, and could. */
export const notHeld = (
  senders: ReadonlyArray<string>,
  person: string,
  accounts: ReadonlyArray<AnyAccount>,
  refused: Universe["refused"]
): ReadonlyArray<string> =>
  senders.filter((sender) => {
    const [account = "", address = ""] = sender.split("/")
    if (refused?.person === person && refused.account === account) return false
    return accounts.find((one) => one.name === account)?.isOptedOut(address, person) !== true
  })

const tollFree = /^\+18(?:00|88|77|66|55|44|33)/

/** How many pairs whose provider has no list were not asked about since a moment. */
export const unasked = Effect.fnUntraced(function* (since: number): Effect.fn.Return<number, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows } = yield* query("unasked", (db) =>
    sql<{ count: number }>`
      select count(*) as count from view v join sender s on s.id = v.sender_id join account a on a.id = s.account_id
      where a.vendor = 'azure' and s.active and v.intent is null and v.asked_at < to_timestamp(${since / 1000})`.execute(
      db
    )
  )
  return rows[0]?.count ?? 0
})

/** How many writes have no outcome. Until one is ended, no reading of its pair is believed. */
export const openWrites = Effect.fnUntraced(function* (): Effect.fn.Return<number, LedgerError, Connection> {
  const { query } = yield* Connection
  const { rows } = yield* query("open writes", (db) =>
    sql<{ count: number }>`
      select count(*) as count from view v join sender s on s.id = v.sender_id
      where s.active and v.intent is not null`.execute(db)
  )
  return rows[0]?.count ?? 0
})

/** @param left the plan that is made when nothing should be left to do */
export const checkQuiet = (quiet: Quiet, left: Plan, breaks: (law: string, what: string) => void): void => {
  const { accounts, oracle, refused } = quiet
  for (const person of oracle.people) {
    const silent = oracle.silent(person, (said) => said.knownAt !== undefined || isStillListed(quiet, said))
    for (const sender of notHeld(silent, person, accounts, refused)) {
      breaks("L1", `${sender} does not block ${mask(person)}, who asked its brand to stop`)
    }
  }
  for (const person of oracle.people) {
    for (const sender of oracle.free(person, quiet.found(person))) {
      const [account = "", address = ""] = sender.split("/")
      const at = accounts.find((one) => one.name === account)
      if (refused?.person === person && refused.account === account) continue
      // Nobody can lift a block of a toll-free number at Azure but the person.
      if (at?.vendor === "azure" && tollFree.test(address)) continue
      if (at?.isOptedOut(address, person) !== true) continue
      // What a colleague does to somebody of whom nothing was ever said there, nobody finds where there is no list.
      const unnamed = at.vendor === "azure" && !oracle.isNamed(person, sender)
      if (unnamed && quiet.truth.last(`${sender} ${person}`)?.by === "colleague") continue
      // A block of the whole account is not ours to lift: what that does to the blocks of single senders is not known.
      if (at.isOptedOut("*", person)) continue
      breaks("L10", `${sender} still blocks ${mask(person)}, who asked it to text again`)
    }
  }
  const hopeless = left.examples.filter(
    (one) => one._tag === "Change" && one.account === refused?.account && one.recipient === refused.person
  )
  if (left.changes > hopeless.length) {
    const reasons = JSON.stringify(left.accounts.map((one) => one.byReason))
    breaks("L10", `${left.changes} changes are left when all is quiet: ${reasons}`)
  }
}

/** Whether we moved the pair so ourselves, or were told of the START that did. */
export const isKnownLift = (oracle: Oracle, { at, by }: Turn, place: string, person: string): boolean =>
  by === "us" || (by === "person" && oracle.saying(person, place, "in", at, at)?.knownAt !== undefined)

/**
 * Words that reached us by no webhook are known where the provider blocks and lists the pair to this day, unless it did so
 * before, too, and nobody told us that it had ceased to; or we have blocked it since, for what was said elsewhere.
 */
const isStillListed = ({ accounts, oracle, truth }: Quiet, said: Said): boolean => {
  const [account = "", address = ""] = said.sender.split("/")
  const at = accounts.find((one) => one.name === account)
  const listed = at?.vendor === "ringcentral" && at.isOptedOut(address, said.person)
  const pair = `${said.sender} ${said.person}`
  const lifted = truth.before(pair)
  const isNews = lifted === undefined || isKnownLift(oracle, lifted, said.sender, said.person)
  return listed && isNews && truth.last(pair)?.at === said.at && !truth.isRepeated(pair)
}
