/** The check before somebody is texted, held to the pure law of standings. */
import { assert, layer } from "@effect/vitest"
import { type Observation, origins, policies, type Recipient, type SenderAddress, Standing } from "@stopline/consent"
import { Connection, digits, ingest, type Registry, register } from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import {
  accountOf,
  accounts,
  at,
  checkPairs,
  east,
  eastOne,
  eastTwo,
  empty,
  factualBases,
  observation,
  person,
  reading,
  setUp,
  west,
  westOne
} from "../../../test/world.ts"
import { type AskedOf, defaultSettings, Fleet, lookUp, mayText, notANumber } from "../src/index.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const senders = accounts.flatMap((account) => account.senders.map((sender) => ({ account: account.name, sender })))

const Said = Schema.Struct({
  sender: between(0, senders.length - 1),
  state: Schema.Literals(["opted-out", "opted-in"]),
  origin: Schema.Literals(origins),
  basis: Schema.Literals(factualBases),
  reach: Schema.Literals(["pair", "group"]),
  second: between(1, 6)
})

const asked = (registry: Registry, ...addresses: ReadonlyArray<SenderAddress>): ReadonlyArray<AskedOf> =>
  addresses.map((address) => {
    const account = registry.accounts.find((one) => one.senders.some((sender) => sender.address === address))!
    const { id } = account.senders.find((sender) => sender.address === address)!
    // Only the ledger is asked.
    return { station: { account, adapter: undefined as never }, senderId: id, address }
  })

const ask = (registry: Registry, from: ReadonlyArray<AskedOf>, people: ReadonlyArray<Recipient | undefined>) =>
  Effect.provide(
    mayText(from, people),
    Fleet.layer(Fleet.make(registry, [], { ...defaultSettings, policy: registry.policy }, "test"))
  )

const answersOf = (registry: Registry, recipient: Recipient, ...from: ReadonlyArray<SenderAddress>) =>
  Effect.map(ask(registry, asked(registry, ...from), [recipient]), ([answer]) => answer!)

/** What is looked up says the same of each sender as what is asked. */
const lookedUp = (registry: Registry, recipient: Recipient) => {
  const adapters = accounts.map(({ name }) => ({ account: name }) as never)
  const fleet = Fleet.make(registry, adapters, { ...defaultSettings, policy: registry.policy }, "test")
  return lookUp(recipient).pipe(
    Effect.map(({ standings }) => Object.fromEntries(standings.map(({ sender, why }) => [sender, why]))),
    Effect.provide(Fleet.layer(fleet))
  )
}

let people = 1000

layer(ledgerForTest, { excludeTestServices: true })("may I text them? (L16)", (it) => {
  it.effect.prop(
    "never yes where the standing says opted out, under any policy, whatever was said (L16)",
    [Schema.Array(Said).check(Schema.isMinLength(1), Schema.isMaxLength(8)), Schema.Literals(policies)],
    ([said, policy]) =>
      Effect.gen(function* () {
        const registry = yield* setUp(policy)
        const recipient = person((people += 1))
        const facts = said.map(({ second, sender, ...one }, key): Observation => ({
          ...observation({ recipient, ...one, time: at(second * 1_000), key: `fact:${key}` }),
          ...senders[sender]!
        }))
        for (const fact of facts) yield* ingest(accountOf(registry, fact.account), [fact], 100_000, 0)
        const addresses = senders.map(({ sender }) => sender)
        let everyone = true
        for (const address of addresses) {
          const standing = facts
            .map((fact, id) => Standing.contribution(fact, id, fact.sender === address))
            .reduce(Standing.join, Standing.empty)
          const out = Standing.mustBeOptedOut(standing, policy)
          const answer = yield* answersOf(registry, recipient, address)
          if (out) assert.isFalse(answer.mayText)
          // Nor is anybody silenced for no reason: what speaks against it then is what a provider holds.
          if (!out && !answer.mayText) assert.strictEqual(answer.why, "held-by-provider")
          everyone &&= answer.mayText
        }
        const ofGroup = yield* answersOf(registry, recipient, ...addresses)
        assert.strictEqual(ofGroup.mayText, everyone)
      })
  )

  it.effect("lets nobody in by a policy that another process has put out of force (L3, L16)", () =>
    Effect.gen(function* () {
      const before = yield* setUp("group")
      const [letIn, silent] = [person((people += 1)), person((people += 1))]
      yield* ingest(accountOf(before, east), [observation({ recipient: letIn })], 10_001, 0)
      const start = observation({ recipient: letIn, state: "opted-in", time: at(20_000) })
      yield* ingest(accountOf(before, east), [start], 20_001, 0)
      assert.deepInclude(yield* answersOf(before, letIn, westOne), { mayText: true, why: "opted-in" })
      const now = yield* setUp("strict")
      assert.deepInclude(yield* answersOf(before, letIn, westOne), { mayText: false, why: "unknown" })
      assert.deepInclude(yield* lookedUp(before, letIn), { [westOne]: "unknown" })
      assert.deepInclude(yield* answersOf(now, letIn, westOne), { mayText: false, why: "opted-out" })
      // Who never said anything may be texted by either.
      assert.isTrue((yield* answersOf(before, silent, westOne)).mayText)
    })
  )

  it.effect(
    "fails closed: a number that is none, a provider's own block, a write on its way, a sender not in force (L16)",
    () =>
      Effect.gen(function* () {
        const registry = yield* setUp()
        const { query } = yield* Connection
        const run = (statement: string) => query("test", (db) => sql.raw(statement).execute(db))
        const [one] = asked(registry, eastOne)
        const [free, blocked, writing, everywhere] = [person(1), person(2), person(3), person(4)]
        yield* checkPairs(registry, [reading(blocked)], { beganAt: 50_000, endedAt: 51_000 })
        // A block that the ledger has nothing behind.
        yield* run(`delete from standing where recipient = ${digits(blocked)}`)
        yield* run(
          `insert into view (sender_id, recipient, read_at, asked_at, intent) values (${one!.senderId}, ${digits(writing)}, now(), now(), 'opted-in')`
        )
        yield* run(
          `insert into view (sender_id, recipient, read_at, asked_at, held) values (${one!.station.account.every.id}, ${digits(everywhere)}, now(), now(), 'opted-out')`
        )
        const answers = yield* ask(registry, [one!], [free, undefined, blocked, writing, everywhere, free])
        assert.deepStrictEqual(
          answers.map(({ mayText, why }) => [mayText, why]),
          [
            [true, "nothing-said"],
            [false, "not-a-number"],
            [false, "held-by-provider"],
            [false, "write-on-its-way"],
            [false, "held-by-provider"],
            [true, "nothing-said"]
          ]
        )
        assert.deepStrictEqual(answers[1], notANumber)
        for (const [person, why] of [
          [blocked, "held-by-provider"],
          [writing, "write-on-its-way"],
          [everywhere, "held-by-provider"]
        ] as const) {
          assert.deepInclude(yield* lookedUp(registry, person), { [eastOne]: why, [westOne]: "nothing-said" })
        }
        yield* run(`update sender set active = false where id = ${one!.senderId}`)
        const gone = yield* ask(registry, asked(registry, eastOne, westOne), [free])
        assert.deepStrictEqual(
          gone.map(({ mayText, why }) => [mayText, why]),
          [[false, "unknown"]]
        )
      })
  )

  it.effect("an opt-out of a group that the sender once spoke for still counts (L16)", () =>
    Effect.gen(function* () {
      const alone = (address: SenderAddress, account: typeof east) => ({
        name: `alone-${address}`,
        members: [{ account, sender: address }]
      })
      const before = {
        name: "two",
        members: [
          { account: east, sender: eastOne },
          { account: east, sender: eastTwo }
        ]
      }
      yield* empty
      const first = yield* register(accounts, [before, alone(westOne, west)], "strict", 1_000)
      const recipient = person(20)
      const said = { ...observation({ recipient }), sender: eastTwo }
      yield* ingest(accountOf(first, east), [said], 100_000, 0)
      const groups = [alone(eastOne, east), alone(eastTwo, east), alone(westOne, west)]
      const registry = yield* register(accounts, groups, "strict", 2_000)
      assert.strictEqual((yield* answersOf(registry, recipient, eastOne)).why, "opted-out-before")
      assert.strictEqual((yield* answersOf(registry, recipient, eastTwo)).why, "opted-out")
      assert.isTrue((yield* answersOf(registry, recipient, westOne)).mayText)
      assert.deepStrictEqual(yield* lookedUp(registry, recipient), {
        [eastOne]: "opted-out-before",
        [eastTwo]: "opted-out",
        [westOne]: "nothing-said"
      })
    })
  )

  it.effect("says because of what, since when, and how fresh (L13, L16)", () =>
    Effect.gen(function* () {
      const registry = yield* setUp()
      const recipient = person(30)
      yield* ingest(
        accountOf(registry, west),
        [{ ...observation({ recipient }), account: west, sender: westOne }],
        100_000,
        0
      )
      yield* checkPairs(registry, [reading(recipient, { state: "opted-in" })], { beganAt: 50_000, endedAt: 51_000 })
      const answer = yield* answersOf(registry, recipient, eastOne)
      assert.deepInclude(answer, { mayText: false, why: "opted-out", since: 10_000, readAt: 50_000 })
      assert.deepInclude(answer.because, { account: west, sender: westOne, origin: "recipient", basis: "message" })
    })
  )
})
