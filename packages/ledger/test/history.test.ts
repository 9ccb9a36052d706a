import { assert, layer } from "@effect/vitest"
import {
  beginRun,
  endRun,
  hasBackfilled,
  history,
  ingest,
  lastRuns,
  noteRun,
  unfinishedBackfill
} from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { accountOf, at, east, eastOne, fresh, observation, person, west, westOne } from "../../../test/world.ts"
import { write } from "./writing.ts"

const one = person(1)

layer(ledgerForTest, { excludeTestServices: true })("the history of a person", (it) => {
  it.effect("says what was said, what must be and because of what, and what is held (L13)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const account = accountOf(registry, east)
      const stop = observation({ recipient: one, key: "message:1", evidence: { messageId: "1", keyword: "STOP" } })
      const start = observation({ recipient: one, key: "message:2", state: "opted-in", time: at(20_000) })
      const [first, second] = (yield* ingest(account, [stop, start], 20_001, 0)).recorded
      yield* write(registry, westOne, one, { begun: 30_000, ended: 30_100 })
      yield* ingest(account, [observation({ recipient: person(2) })], 20_001, 0)
      const known = yield* history(one, "strict")
      assert.deepStrictEqual(known.observations, [
        {
          id: first!.id,
          account: east,
          sender: eastOne,
          state: "opted-out",
          origin: "recipient",
          basis: "message",
          notBefore: 10_000,
          notAfter: 10_000,
          recordedAt: 20_001,
          evidence: { messageId: "1", keyword: "STOP" }
        },
        {
          id: second!.id,
          account: east,
          sender: eastOne,
          state: "opted-in",
          origin: "recipient",
          basis: "message",
          notBefore: 20_000,
          notAfter: 20_000,
          recordedAt: 20_001,
          evidence: null
        }
      ])
      assert.deepStrictEqual(
        known.standings.map((one) => [one.account, one.must, one.because, one.held, one.heldAt]),
        [
          [east, "opted-in", second!.id, null, null],
          [east, "opted-out", first!.id, null, null],
          [west, "opted-out", first!.id, "opted-out", 30_100]
        ]
      )
      assert.isFalse(known.standings.some(({ inDoubt }) => inDoubt))
      // An opt-in there that nobody answered.
      const letIn = { recipient: one, account: west, sender: westOne, basis: "attested", origin: "operator" } as const
      yield* ingest(
        accountOf(registry, west),
        [observation({ ...letIn, state: "opted-in", reach: "pair", time: at(40_000) })],
        40_000,
        0
      )
      yield* write(registry, westOne, one, { begun: 50_000, ended: 50_100, state: "opted-in", outcome: "maybe" })
      const [, , doubted] = (yield* history(one, "strict")).standings
      assert.deepInclude(doubted, { must: "opted-in", held: "opted-out", heldAt: 30_100, inDoubt: true })
    })
  )

  it.effect("of nobody is empty, and nothing stands against them", () =>
    Effect.gen(function* () {
      yield* fresh()
      const known = yield* history(one, "strict")
      assert.deepStrictEqual(known.observations, [])
      assert.deepStrictEqual(
        known.standings.map((one) => `${one.must} because of ${one.because}`),
        Array(3).fill("opted-in because of null")
      )
    })
  )
})

layer(ledgerForTest, { excludeTestServices: true })("a run", (it) => {
  it.effect("begun is not a run that ended well", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const { id: accountId } = accountOf(registry, east)
      const run = { kind: "backfill", accountId, startedBy: "ann", at: 1_000 } as const
      assert.deepStrictEqual(yield* lastRuns("backfill", accountId), { attemptedAt: undefined, completedAt: undefined })
      const first = yield* beginRun(run)
      assert.deepStrictEqual(yield* lastRuns("backfill", accountId), { attemptedAt: 1_000, completedAt: undefined })
      assert.deepStrictEqual(yield* unfinishedBackfill(accountId, undefined, 1_000), { id: first, startedAt: 1_000 })
      assert.isUndefined(yield* unfinishedBackfill(accountId, undefined, 1_001))
      yield* noteRun(first, { at: 1_500 })
      assert.isDefined(yield* unfinishedBackfill(accountId, undefined, 1_500))
      assert.isFalse(yield* hasBackfilled(accountId))
      yield* endRun(first, "incomplete", null, 2_000)
      assert.isFalse(yield* hasBackfilled(accountId))
      const second = yield* beginRun({ ...run, at: 3_000 })
      yield* endRun(second, "completed", { rows: 3 }, 4_000)
      yield* endRun(yield* beginRun({ ...run, at: 5_000 }), "halted", null, 6_000)
      assert.isTrue(yield* hasBackfilled(accountId))
      assert.isUndefined(yield* unfinishedBackfill(accountId, undefined, 0))
      assert.deepStrictEqual(yield* lastRuns("backfill", accountId), { attemptedAt: 5_000, completedAt: 3_000 })
      assert.isFalse(yield* hasBackfilled(accountOf(registry, west).id))
    })
  )
})
