import { assert, layer } from "@effect/vitest"
import { ingest, type Registry, unheld, type Writable } from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import {
  accountOf,
  at,
  east,
  fresh,
  observation,
  person,
  senderOf,
  eastOne,
  eastTwo,
  westOne
} from "../../../test/world.ts"
import { write } from "./writing.ts"

const all = (registry: Registry, given: Partial<Writable> = {}): ReadonlyArray<Writable> =>
  registry.accounts.flatMap((account) =>
    account.senders.map((sender) => ({ account, sender, optOut: true, optIn: true, ...given }))
  )

const hear = (registry: Registry, n: number, ms: number) =>
  ingest(accountOf(registry, east), [observation({ recipient: person(n), time: at(ms) })], ms, 0)

const look = (senders: ReadonlyArray<Writable>, now = 60_000, confirmMs = 0) =>
  unheld(senders, { policy: "strict", now, confirmMs })

layer(ledgerForTest, { excludeTestServices: true })("what is not held", (it) => {
  it.effect("is counted by sender, with the moment since which the oldest should have been", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      assert.deepStrictEqual(yield* look(all(registry)), [])
      yield* hear(registry, 1, 20_000)
      yield* hear(registry, 2, 30_000)
      yield* write(registry, eastOne, person(1), { begun: 40_000, ended: 40_100 })
      const found = yield* look(all(registry))
      const of = (address: typeof eastOne) =>
        found
          .filter((row) => row.senderId === senderOf(registry, address).id)
          .map(({ pairs, since, state, withheld }) => ({ state, withheld, pairs, since }))
      const waiting = { state: "opted-out" as const, withheld: undefined }
      assert.deepStrictEqual(of(eastOne), [{ ...waiting, pairs: 1, since: 30_000 }])
      assert.deepStrictEqual(of(eastTwo), [{ ...waiting, pairs: 2, since: 20_000 }])
      assert.deepStrictEqual(of(westOne), [{ ...waiting, pairs: 2, since: 20_000 }])
    })
  )

  it.effect("is no older than its sender is in the group", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      // The senders joined at second one.
      yield* ingest(accountOf(registry, east), [observation({ recipient: person(1), time: at(5) })], 2_000, 0)
      assert.deepStrictEqual(new Set((yield* look(all(registry))).map(({ since }) => since)), new Set([1_000]))
    })
  )

  it.effect("is withheld where the provider takes none", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, 1, 20_000)
      const found = yield* look(all(registry, { optOut: false }))
      assert.deepStrictEqual([...new Set(found.map(({ withheld }) => withheld))], ["cannot"])
    })
  )

  it.effect.each([
    ["after", 30_001, "awaiting-evidence"],
    ["as", 30_000, undefined]
  ] as const)("waits for evidence where its provider lifted it %s the opt-out was said", ([, liftedAt, withheld]) =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, 1, 20_000)
      yield* write(registry, eastTwo, person(1), { begun: 21_000, ended: 21_100 })
      const lifted = observation({
        recipient: person(1),
        sender: eastTwo,
        state: "opted-in",
        basis: "event",
        origin: "api",
        reach: "pair",
        time: at(liftedAt)
      })
      yield* ingest(accountOf(registry, east), [lifted], 40_000, 0)
      yield* hear(registry, 1, 30_000)
      const found = yield* look(all(registry), 40_000, 600_000)
      const there = found.find((row) => row.senderId === senderOf(registry, eastTwo).id)
      assert.deepInclude(there, { state: "opted-out", withheld })
    })
  )
})
