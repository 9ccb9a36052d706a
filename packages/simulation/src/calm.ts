/** Nothing goes wrong for a while, and somebody says STOP: in a minute their whole brand is silent, without any round (L2). */
import { mask, type Recipient } from "@stopline/consent"
import { Connection, digits } from "@stopline/ledger"
import type { AnyAccount } from "@stopline/sandbox"
import { Effect } from "effect"
import { sql } from "kysely"
import type { Oracle } from "./oracle.ts"
import { isKnownLift, notHeld } from "./quiet.ts"
import type { Action, Doing } from "./action.ts"
import type { Conductor } from "./time.ts"
import type { Truth } from "./truth.ts"
import type { Universe } from "./universe.ts"

export interface Stage {
  readonly universe: Universe
  readonly oracle: Oracle
  readonly truth: Truth
  readonly conductor: Conductor
  readonly accounts: ReadonlyArray<AnyAccount>
  /** Whatever was to go wrong goes wrong no more. */
  readonly repair: () => Promise<void>
  readonly act: (action: Action) => Promise<void>
  readonly asked: <A, E>(self: Effect.Effect<A, E, Connection>) => Promise<A>
  readonly breaks: (law: string, what: string) => void
}

/** Pairs that a provider would not take, `account/sender`: they are left alone for a day. */
const refusedAt = Effect.fnUntraced(function* (person: Recipient) {
  const { query } = yield* Connection
  const { rows } = yield* query("refused", (db) =>
    sql<{ name: string }>`
      select a.name || '/' || s.address as name
      from view v join sender s on s.id = v.sender_id join account a on a.id = s.account_id
      where v.recipient = ${digits(person)} and v.refused is not null`.execute(db)
  )
  return rows.map(({ name }) => name)
})

/** Whether we let the person through there, or were told that they did so themselves by their START. */
const isKnownFree = (oracle: Oracle, truth: Truth, place: string, person: string): boolean => {
  const turn = truth.last(`${place} ${person}`)
  return turn !== undefined && isKnownLift(oracle, turn, place, person)
}

/**
 * Three say it for the first time, one shortly after the other; or one named person again. Of what providers hold of
 * people who were there before we may be wrong in good faith, but not where we know how they came to be let through.
 */
export const beCalm = async (
  { accounts, act, asked, breaks, conductor, oracle, repair, truth, universe }: Stage,
  { account, during, person, sender }: Doing<"calm">
): Promise<void> => {
  const strangers = universe.people.filter((one) => !oracle.people.includes(one)).slice(-3)
  const few = person === undefined ? strangers : [person]
  if (few.length === 0) return
  await repair()
  await conductor.pass(60_000)
  if (during !== undefined) {
    await act({ do: "begin", worker: during.worker, read: false })
    await conductor.stir(40, true)
    await conductor.stir(during.after)
  }
  const since = conductor.now
  for (const one of few) {
    await act({ do: "text", person: one, account, sender, words: "STOP" })
    // While the first is being written, each of the others is looked up by itself.
    await conductor.stir(3)
  }
  await conductor.pass(60_000)
  const refused = person === undefined ? [] : await asked(refusedAt(person))
  for (const one of few) {
    const left = notHeld(
      oracle.silent(one, ({ at, knownAt }) => at >= since && knownAt !== undefined),
      one,
      accounts,
      universe.refused
    ).filter((place) => person === undefined || (isKnownFree(oracle, truth, place, one) && !refused.includes(place)))
    for (const place of left) breaks("L2", `a minute after ${mask(one)} said STOP, ${place} does not block them`)
  }
  if (during !== undefined) await act({ do: "finish" })
}
