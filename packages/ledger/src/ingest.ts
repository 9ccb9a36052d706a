/**
 * What arrived by webhook: committed before anybody is answered (L1).
 */
import { type Observation, speaksOfHolding, toldOf, View } from "@stopline/consent"
import { Effect } from "effect"
import { sql } from "kysely"
import { digits } from "./codec.ts"
import { Connection } from "./connection.ts"
import type { LedgerError } from "./error.ts"
import { append, type Append, type Recorded } from "./fold.ts"
import { lockAccount } from "./locks.ts"
import { type RegisteredAccount, senderId } from "./registry.ts"
import { storable } from "./storable.ts"
import { loadViews, pairKey, saveViews } from "./views.ts"

export interface Ingested {
  /** What was news, in the order given. */
  readonly recorded: ReadonlyArray<Recorded & { readonly observation: Observation }>
  /** Facts that were known already. */
  readonly repeated: number
  /** Our own writes, coming back. */
  readonly echoes: number
}

/**
 * Stores observations that a provider sent, a person attested or a file listed.
 *
 * @param receivedAt when they arrived (ms)
 * @param echoWindow how long after a write of ours its echo may be dated, and after any change a copy of before may be read (ms)
 * @param runId the run that brought them, if one did
 */
export const ingest = Effect.fn("Ledger.ingest")(function* (
  account: RegisteredAccount,
  observations: ReadonlyArray<Observation>,
  receivedAt: number,
  echoWindow: number,
  runId: number | null = null
): Effect.fn.Return<Ingested, LedgerError, Connection> {
  const connection = yield* Connection
  const facts = observations.map((observation) => timely(storable(observation), receivedAt))
  return yield* connection.transaction("ingest", store(account, facts, receivedAt, echoWindow, runId))
})

/** The observation itself, where its time can be: whoever gave it knows it again. */
const timely = (observation: Observation, receivedAt: number): Observation => {
  const time = toldOf(observation.state, observation.time, receivedAt)
  return time === observation.time ? observation : { ...observation, time }
}

const store = Effect.fnUntraced(function* (
  account: RegisteredAccount,
  observations: ReadonlyArray<Observation>,
  receivedAt: number,
  echoWindow: number,
  runId: number | null
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
  let echoes = 0
  for (const fact of facts) {
    const pair = { senderId: fact.senderId, recipient: digits(fact.observation.recipient) }
    const { basis, evidence, key: factKey, origin, state, time } = fact.observation
    const key = pairKey(pair)
    const known = views.get(key)
    if (!speaksOfHolding(basis)) {
      news.push(fact)
      const acts = evidence.acted === true
      const lifted =
        state === "opted-in" && (acts || evidence.mayHaveActed)
          ? View.meetOptInWord(known?.view, time, receivedAt, echoWindow, acts)
          : undefined
      // Whoever says START for the first time is known from now on: where there is no list, a sweep has to ask about
      // them (L10). Whoever says STOP is known by what is written for it.
      const next = lifted ?? (known === undefined && state === "opted-in" ? View.unknown : undefined)
      if (next !== undefined) {
        views.set(key, { ...pair, view: next, echoKey: known?.echoKey })
        changed.add(key)
      }
      continue
    }
    // The echo of a write of ours left no row behind by which a repetition could be known.
    if (factKey !== null && known?.echoKey?.split(between).includes(factKey)) continue
    const isRefusal = basis === "send-error" && state === "opted-out"
    const named = origin === "recipient" || origin === "carrier"
    const meeting = isRefusal
      ? View.meetRefusal(known?.view, time.notAfter, receivedAt, echoWindow)
      : View.meetEvent(known?.view, state, time, receivedAt, named, echoWindow)
    const isEcho = meeting._tag === "Known" && !isRefusal
    if (meeting._tag === "News")
      news.push(isRefusal ? { ...fact, observation: { ...fact.observation, time: meeting.time } } : fact)
    if (isEcho) echoes += 1
    if (meeting._tag !== "Undecided" && meeting.view !== undefined) {
      views.set(key, {
        ...pair,
        view: meeting.view,
        echoKey: isEcho && factKey !== null ? withEcho(factKey, known?.echoKey) : known?.echoKey
      })
      changed.add(key)
    }
  }
  yield* saveViews([...views].flatMap(([key, view]) => (changed.has(key) ? [view] : [])))
  const recorded = matchRows(news, yield* append(account.id, runId, receivedAt, news))
  return { recorded, repeated: observations.length - recorded.length - echoes, echoes }
})

/** Between the keys of a pair's last echoes, the latest of them last: an event may be sent again after the echo of a later write. */
const between = "\n"
const mostEchoes = 4

const withEcho = (key: string, known: string | undefined): string =>
  [...(known?.split(between) ?? []), key].slice(-mostEchoes).join(between)

/** Each fact with its row, in the order given. Within a recipient, ids rise in the order in which the facts were given. */
const matchRows = (facts: ReadonlyArray<Append>, rows: ReadonlyArray<Recorded>): Ingested["recorded"] => {
  const waiting = Map.groupBy(
    rows.toSorted((a, b) => a.id - b.id),
    (row) => row.recipient
  )
  return facts.flatMap(({ observation }) => {
    const row = waiting.get(digits(observation.recipient))?.shift()
    return row === undefined ? [] : [{ ...row, observation }]
  })
}

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
