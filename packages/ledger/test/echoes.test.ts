/** The events of our own writes, sent again when later writes have had theirs. */
import { assert, layer } from "@effect/vitest"
import type { Observation } from "@stopline/consent"
import { ingest, type Registry } from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import {
  accountOf,
  at,
  checkPairs,
  fresh,
  observation,
  person,
  reading,
  standings,
  west,
  westOne
} from "../../../test/world.ts"
import { write } from "./writing.ts"

const one = person(1)

const hear = (registry: Registry, given: Partial<Observation>, heardAt?: number) => {
  const said = observation({ recipient: one, ...given })
  return ingest(accountOf(registry, said.account), [said], heardAt ?? said.time.notAfter, 120_000)
}

const event = { account: west, sender: westOne, basis: "event", origin: "unknown" } as const
const letIn = { account: west, sender: westOne, state: "opted-in", basis: "attested", origin: "operator" } as const

/** Our block of somebody, let in while it was written, and its echo. */
const echoed = Effect.gen(function* () {
  const registry = yield* fresh()
  yield* hear(registry, { time: at(10_000) })
  yield* write(registry, westOne, one, { begun: 20_000, ended: 20_100 })
  yield* hear(registry, { ...letIn, time: at(20_020) })
  const echo = { ...event, key: "event:1", time: at(20_050) }
  assert.strictEqual((yield* hear(registry, echo, 21_000)).echoes, 1)
  return { echo, registry }
})

layer(ledgerForTest, { excludeTestServices: true })("an echo that is sent again after the next write's echo", (it) => {
  it.effect("opts nobody in (L3, L7)", () =>
    Effect.gen(function* () {
      const policy = "trusting"
      const registry = yield* fresh(policy)
      yield* hear(registry, { time: at(10_000) })
      yield* write(registry, westOne, one, { begun: 11_000, ended: 11_100, policy })
      yield* hear(registry, { ...event, key: "event:1", time: at(11_050) })
      yield* hear(registry, { ...letIn, time: at(60_000) })
      assert.isTrue(yield* write(registry, westOne, one, { begun: 100_000, ended: 100_100, state: "opted-in", policy }))
      const echo = { ...event, key: "event:2", state: "opted-in", time: at(100_050) } as const
      assert.strictEqual((yield* hear(registry, echo)).echoes, 1)
      // A STOP of before our write is heard of after it.
      yield* hear(registry, { time: at(99_000) }, 101_000)
      assert.isTrue(yield* write(registry, westOne, one, { begun: 150_000, ended: 150_100, policy }))
      assert.strictEqual((yield* hear(registry, { ...event, key: "event:3", time: at(150_050) })).echoes, 1)
      assert.strictEqual((yield* hear(registry, echo, 160_000)).repeated, 1)
      assert.strictEqual((yield* standings(one, policy))[westOne], "opted-out held opted-out")
    })
  )

  it.effect("silences nobody (L7, L11)", () =>
    Effect.gen(function* () {
      const { echo, registry } = yield* echoed
      assert.isTrue(yield* write(registry, westOne, one, { begun: 100_000, ended: 100_100, state: "opted-in" }))
      yield* hear(registry, { ...event, key: "event:2", state: "opted-in", time: at(100_050) }, 101_000)
      assert.strictEqual((yield* hear(registry, echo, 110_000)).repeated, 1)
      assert.strictEqual((yield* standings(one))[westOne], "opted-in held opted-in")
    })
  )
})

layer(ledgerForTest, { excludeTestServices: true })("an echo that is sent again after a reading", (it) => {
  it.effect("silences nobody (L7, L11)", () =>
    Effect.gen(function* () {
      const { echo, registry } = yield* echoed
      yield* checkPairs(registry, [reading(one, { sender: westOne })], { beganAt: 30_000, endedAt: 30_100 })
      assert.strictEqual((yield* hear(registry, echo, 110_000)).repeated, 1)
      assert.strictEqual((yield* standings(one))[westOne], "opted-in held opted-out")
    })
  )
})
