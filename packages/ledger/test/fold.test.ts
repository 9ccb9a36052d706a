import { assert, layer } from "@effect/vitest"
import { bases, type Observation, origins, policies, Standing } from "@stopline/consent"
import { append, Connection, digits, type RegisteredSender, type Registry } from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import { mustBeOut } from "../src/must.ts"
import { accounts, east, observation, person, setUp, west } from "../../../test/world.ts"

const senders = accounts.flatMap((account) => account.senders.map((sender) => ({ account: account.name, sender })))

/** One thing said about one of three people, at a time that often collides with another's. */
const Said = Schema.Struct({
  who: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 })),
  sender: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: senders.length - 1 })),
  state: Schema.Literals(["opted-out", "opted-in"]),
  origin: Schema.Literals(origins),
  basis: Schema.Literals(bases),
  reach: Schema.Literals(["pair", "group"]),
  at: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 8 })),
  width: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 })),
  endless: Schema.Boolean
})

let people = 0

const toObservations = (said: ReadonlyArray<typeof Said.Type>): ReadonlyArray<Observation> => {
  people += 3
  const first = people
  return said.map((one) => ({
    ...observation({ recipient: person(first + one.who) }),
    ...(senders[one.sender] ?? senders[0])!,
    state: one.state,
    origin: one.origin,
    basis: one.basis,
    reach: one.reach,
    time: {
      notBefore: one.endless ? Number.NEGATIVE_INFINITY : one.at * 1000,
      notAfter: (one.at + one.width) * 1000
    }
  }))
}

const ids = (registry: Registry) =>
  new Map<string, RegisteredSender>(
    registry.accounts.flatMap((a) => a.senders.map((s) => [`${a.name}/${s.address}`, s] as const))
  )

/** Appends in batches of up to three, so that both the insert and the update of a register are exercised. */
const appendAll = Effect.fnUntraced(function* (registry: Registry, observations: ReadonlyArray<Observation>) {
  const bySender = ids(registry)
  const recorded: Array<{ readonly id: number; readonly observation: Observation }> = []
  for (let i = 0; i < observations.length; i += 3) {
    for (const name of [east, west]) {
      const batch = observations.slice(i, i + 3).filter((o) => o.account === name)
      const account = registry.accounts.find((a) => a.name === name)!
      const facts = batch.map((o) => ({ senderId: bySender.get(`${o.account}/${o.sender}`)!.id, observation: o }))
      const rows = yield* append(account.id, null, 99_000, facts)
      assert.strictEqual(rows.length, batch.length)
      // Ids rise in the order given within a recipient, so the n-th row of a recipient is its n-th fact.
      const taken = new Set<number>()
      for (const fact of facts) {
        const row = rows
          .filter((r) => !taken.has(r.id) && r.recipient === digits(fact.observation.recipient))
          .toSorted((a, b) => a.id - b.id)[0]!
        taken.add(row.id)
        recorded.push({ id: row.id, observation: fact.observation })
      }
    }
  }
  return recorded
})

layer(ledgerForTest, { excludeTestServices: true })("the fold in SQL", (it) => {
  it.effect.prop(
    "is the fold of the domain, for every pair and policy (L4, L11, L13)",
    [Schema.Array(Said).check(Schema.isMinLength(1), Schema.isMaxLength(12))],
    ([said]) =>
      Effect.gen(function* () {
        const registry = yield* setUp()
        const { query } = yield* Connection
        const recorded = yield* appendAll(registry, toObservations(said))
        for (const recipient of new Set(recorded.map((r) => r.observation.recipient))) {
          for (const sender of registry.accounts.flatMap((a) => a.senders)) {
            const law = recorded
              .filter((r) => r.observation.recipient === recipient)
              .map((r) =>
                Standing.contribution(
                  r.observation,
                  r.id,
                  r.observation.account === sender.account && r.observation.sender === sender.address
                )
              )
              .reduce(Standing.join, Standing.empty)
            const row = yield* query("test", (db) =>
              sql<{
                out_at: number | null
                out_because: number | null
                said_at: number | null
                said_because: number | null
                told_at: number | null
                in_at: number | null
                in_because: number | null
                strict: boolean
                group: boolean
                trusting: boolean
              }>`
                select st.*, o.said_at, o.said_because, o.told_at,
                  ${mustBeOut("strict")} as strict, ${mustBeOut("group")} as group, ${mustBeOut("trusting")} as trusting
                from (select 1) x
                left join standing st on st.group_id = ${sender.groupId} and st.recipient = ${digits(recipient)}
                left join opt_in o on o.sender_id = ${sender.id} and o.recipient = ${digits(recipient)}`.execute(db)
            )
            const stored = row.rows[0]!
            assert.deepStrictEqual(
              {
                out: [stored.out_at, stored.out_because],
                group: [stored.in_at, stored.in_because],
                said: [stored.said_at, stored.said_because],
                told: stored.told_at
              },
              {
                out: [law.out?.at ?? null, law.out?.because ?? null],
                group: [law.groupIn?.at ?? null, law.groupIn?.because ?? null],
                said: [law.pairIn?.at ?? null, law.pairIn?.because ?? null],
                told: law.toldIn?.at ?? null
              }
            )
            for (const policy of policies) {
              assert.strictEqual(stored[policy], Standing.mustBeOptedOut(law, policy), policy)
            }
          }
        }
      }),
    { arbitrary: { runs: 60 } }
  )

  it.effect("the same fact twice is one row (L11)", () =>
    Effect.gen(function* () {
      const registry = yield* setUp()
      const account = registry.accounts[0]!
      const fact = {
        senderId: account.senders[0]!.id,
        observation: observation({ recipient: person(9_000_001), key: "message:1" })
      }
      const first = yield* append(account.id, null, 1, [fact, fact])
      const again = yield* append(account.id, null, 2, [fact])
      assert.deepStrictEqual([first.length, again.length], [1, 0])
    })
  )

  it.effect("the same key at another account is another fact", () =>
    Effect.gen(function* () {
      const registry = yield* setUp()
      const recorded = yield* Effect.forEach(registry.accounts, (account) =>
        append(account.id, null, 1, [
          {
            senderId: account.senders[0]!.id,
            observation: observation({ recipient: person(9_000_002), account: account.name, key: "message:1" })
          }
        ])
      )
      assert.deepStrictEqual(
        recorded.map((rows) => rows.length),
        [1, 1]
      )
    })
  )
})
