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

const look = (senders: ReadonlyArray<Writable>, now = 60_000) =>
  unheld(senders, { policy: "strict", now, confirmMs: 0 })

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
})
