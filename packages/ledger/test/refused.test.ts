/** A provider refuses a text of ours, since it blocks the person. */
import { assert, layer } from "@effect/vitest"
import { by, type Observation } from "@stopline/consent"
import { ingest, type Registry } from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import {
  accountOf,
  at,
  eastOne,
  fresh,
  observation,
  person,
  saidOf,
  standings,
  west,
  westOne
} from "../../../test/world.ts"
import { write } from "./writing.ts"

const one = person(1)
const hour = 3_600_000

const hear = (registry: Registry, given: Partial<Observation>) => {
  const said = observation({ recipient: one, ...given })
  return ingest(accountOf(registry, said.account), [said], said.time.notAfter, 120_000)
}

const refused = (moment: number): Partial<Observation> => ({
  account: west,
  sender: westOne,
  origin: "unknown",
  basis: "send-error",
  key: `report:${moment}`,
  time: by(moment)
})
const start = (moment: number) => ({ account: west, sender: westOne, state: "opted-in", time: at(moment) }) as const

layer(ledgerForTest, { excludeTestServices: true })("a text refused over an opt-out", (it) => {
  it.effect("tells of one that nobody heard, though we blocked the person there once (L1, L2)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, { time: at(10_000) })
      // At a provider that sends no echo.
      yield* write(registry, westOne, one, { begun: 20_000, ended: 20_100 })
      yield* hear(registry, start(hour))
      yield* hear(registry, { state: "opted-in", time: at(hour) })
      yield* write(registry, westOne, one, { begun: hour + 1_000, ended: hour + 1_100, state: "opted-in" })
      const { echoes, recorded } = yield* hear(registry, refused(3 * hour))
      assert.deepStrictEqual([recorded.length, echoes], [1, 0])
      assert.include(yield* saidOf(one), `opted-out send-error ${hour + 1_100}..${3 * hour}`)
      assert.deepInclude(yield* standings(one), { [westOne]: "opted-out held opted-out" })
    })
  )

  it.effect("says nothing anew of somebody who is blocked there, though they were let in elsewhere (L7, L11)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry, { account: west, sender: westOne, basis: "event", time: at(10_000) })
      yield* write(registry, eastOne, one, { begun: 20_000, ended: 20_100 })
      yield* hear(registry, { state: "opted-in", time: at(hour) })
      const before = yield* standings(one)
      assert.match(before[eastOne] ?? "", /^opted-in /)
      assert.deepStrictEqual((yield* hear(registry, refused(2 * hour))).recorded, [])
      assert.deepStrictEqual(yield* standings(one), before)
    })
  )
})
