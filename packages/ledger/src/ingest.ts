/**
 * What arrived by webhook: committed before anybody is answered (L1).
 */
import { type Observation, speaksOfHolding, View } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { digits } from "./codec.ts"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { append, type Append, type Recorded } from "./fold.ts"
import { type RegisteredAccount, senderId } from "./registry.ts"
import { loadViews, lockAccount, pairKey, saveViews } from "./views.ts"

export interface Ingested {
  /** What was news, in the order given. */
  readonly recorded: ReadonlyArray<Recorded & { readonly observation: Observation }>
  /** Facts that were known already. */
  readonly repeated: number
  /** Our own writes, coming back. */
  readonly echoes: number
}

/**
 * Stores observations that a provider sent.
 *
 * @param receivedAt when they arrived (ms)
 * @param echoWindow how long after a write of ours its echo may arrive (ms)
 */
export const ingest = Effect.fn("Ledger.ingest")(function* (
  account: RegisteredAccount,
  observations: ReadonlyArray<Observation>,
  receivedAt: number,
  echoWindow: number
): Effect.fn.Return<Ingested, LedgerError, Connection> {
  const connection = yield* Connection
  return yield* connection.transaction("ingest", store(account, observations, receivedAt, echoWindow))
})

const store = Effect.fnUntraced(function* (
  account: RegisteredAccount,
  observations: ReadonlyArray<Observation>,
  receivedAt: number,
  echoWindow: number
) {
  yield* lockAccount(account.id)
  // A fact told twice must not use up the echo of a write, so repetitions go first.
  const fresh = yield* unknownFacts(account, observations)
  const facts: Array<Append> = []
  for (const observation of fresh) {
    facts.push({ senderId: yield* senderId(account, observation.sender), observation })
  }
  const pairs = facts.map((fact) => ({ senderId: fact.senderId, recipient: digits(fact.observation.recipient) }))
  const views = yield* loadViews(pairs)
  const changed = new Set<string>()
  const news: Array<Append> = []
  for (const fact of facts) {
    const pair = { senderId: fact.senderId, recipient: digits(fact.observation.recipient) }
    const { basis, origin, state, time } = fact.observation
    if (!speaksOfHolding(basis)) {
      news.push(fact)
      continue
    }
    const key = pairKey(pair)
    const named = origin === "recipient" || origin === "carrier"
    const meeting = View.meetEvent(views.get(key)?.view, state, time, receivedAt, named, echoWindow)
    if (meeting._tag === "News") news.push(fact)
    if (meeting._tag !== "Undecided" && meeting.view !== undefined) {
      views.set(key, { ...pair, view: meeting.view })
      changed.add(key)
    }
  }
  yield* saveViews([...views].flatMap(([key, view]) => (changed.has(key) ? [view] : [])))
  const recorded = yield* append(account.id, null, receivedAt, news)
  const byPair = new Map(
    news.map((fact) => [`${fact.senderId}:${digits(fact.observation.recipient)}`, fact.observation])
  )
  return {
    recorded: recorded.flatMap((row) => {
      const observation = byPair.get(pairKey(row))
      return observation === undefined ? [] : [{ ...row, observation }]
    }),
    repeated: observations.length - fresh.length,
    echoes: facts.length - news.length
  }
})

/** The observations whose fact is not in the ledger yet, each fact once. */
const unknownFacts = Effect.fnUntraced(function* (
  account: RegisteredAccount,
  observations: ReadonlyArray<Observation>
) {
  const { query } = yield* Connection
  const keyed = observations.filter((observation) => observation.key !== null)
  const result = yield* query("known facts", (db) =>
    sql<{ recipient: number; key: string }>`
      select o.recipient, o.key
      from unnest(${keyed.map((o) => digits(o.recipient))}::bigint[], ${keyed.map((o) => o.key)}::text[]) as g(recipient, key)
      join observation o on o.recipient = g.recipient and o.account_id = ${account.id} and o.key = g.key`.execute(db)
  )
  const seen = new Set(result.rows.map((row) => `${row.recipient} ${row.key}`))
  return observations.filter((observation) => {
    if (observation.key === null) return true
    const fact = `${digits(observation.recipient)} ${observation.key}`
    if (seen.has(fact)) return false
    seen.add(fact)
    return true
  })
})
