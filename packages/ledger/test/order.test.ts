import { assert, layer } from "@effect/vitest"
import { type Observation, origins, policies, type Recipient } from "@stopline/consent"
import { Connection, digits, history, ingest, type Registry } from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import { accountOf, accounts, at, factualBases, observation, person, setUp } from "../../../test/world.ts"

const senders = accounts.flatMap((account) => account.senders.map((sender) => ({ account: account.name, sender })))
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

const Said = Schema.Struct({
  sender: between(0, senders.length - 1),
  state: Schema.Literals(["opted-out", "opted-in"]),
  origin: Schema.Literals(origins),
  basis: Schema.Literals(factualBases),
  reach: Schema.Literals(["pair", "group"]),
  second: between(1, 6),
  /** Where it comes in the second order. */
  place: between(0, 100)
})
type Said = typeof Said.Type

const toObservation = (recipient: Recipient, said: Said, key: number): Observation => ({
  ...observation({ recipient }),
  ...senders[said.sender]!,
  state: said.state,
  origin: said.origin,
  basis: said.basis,
  reach: said.reach,
  time: at(said.second * 1_000),
  key: `fact:${key}`
})

/** Stores facts one request after the other, and some of them twice. */
const hearAll = Effect.fnUntraced(function* (registry: Registry, facts: ReadonlyArray<Observation>) {
  for (const [index, fact] of facts.entries()) {
    yield* ingest(accountOf(registry, fact.account), [fact], 100_000, 0)
    const again = facts[index - 2]
    if (again !== undefined) yield* ingest(accountOf(registry, again.account), [again], 100_000, 0)
  }
})

/** What must be of a person, under every policy, and the moments it rests on. */
const standsFor = Effect.fnUntraced(function* (recipient: Recipient) {
  const { query } = yield* Connection
  const must = yield* Effect.forEach(policies, (policy) =>
    Effect.map(history(recipient, policy), (known) => known.standings.map((one) => one.must))
  )
  const standing = yield* query("test", (db) =>
    sql<{ out: number; in: number }>`
      select out_at as out, in_at as in from standing where recipient = ${digits(recipient)}`.execute(db)
  )
  const pairs = yield* query("test", (db) =>
    sql`select sender_id, said_at, told_at from opt_in where recipient = ${digits(recipient)} order by sender_id`.execute(
      db
    )
  )
  return { must, standing: standing.rows, pairs: pairs.rows }
})

let people = 0

layer(ledgerForTest, { excludeTestServices: true })("facts", (it) => {
  it.effect.prop(
    "in any order of arrival, and however often, give the same standing (L11)",
    [Schema.Array(Said).check(Schema.isMinLength(2), Schema.isMaxLength(10))],
    ([said]) =>
      Effect.gen(function* () {
        const registry = yield* setUp()
        people += 2
        const [first, second] = [person(people), person(people + 1)]
        const order = [...said.keys()].toSorted((a, b) => said[a]!.place - said[b]!.place)
        yield* hearAll(
          registry,
          said.map((one, key) => toObservation(first, one, key))
        )
        yield* hearAll(
          registry,
          order.map((key) => toObservation(second, said[key]!, key))
        )
        assert.deepStrictEqual(yield* standsFor(second), yield* standsFor(first))
      }),
    { arbitrary: { runs: 30 } }
  )
})
