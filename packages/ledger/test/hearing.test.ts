import { assert, layer } from "@effect/vitest"
import { beginHearing, beginRun, endRun, gapsOf, lastHearing, stillHeard, walkedBefore } from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { accountOf, east, fresh, west } from "../../../test/world.ts"

const minute = 60_000
const at = (minutes: number) => Date.UTC(2026, 0, 5) + minutes * minute

const walked = (
  accountId: number,
  from: number,
  to: number,
  outcome = "completed",
  kind: "walk" | "backfill" = "walk"
) =>
  Effect.flatMap(beginRun({ kind, accountId, startedBy: "test", at: at(from) }), (id) =>
    endRun(id, outcome, null, at(to))
  )

layer(ledgerForTest, { excludeTestServices: true })("a time of listening", (it) => {
  it.effect("lasts from one look to the next, and what lies between two of them is a gap", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const [here, there] = [accountOf(registry, east).id, accountOf(registry, west).id]
      assert.isUndefined(yield* lastHearing(here))
      const hears = (subscription: string, minutes: number, accountId = here) =>
        beginHearing({ accountId, subscription, startedBy: "test" }, at(minutes))
      yield* hears("one", 0)
      yield* hears("elsewhere", 1, there)
      const first = yield* lastHearing(here)
      assert.deepInclude(first, { subscription: "one", until: at(0) })
      yield* stillHeard(first!.runId, at(5))
      // A look that began earlier and ended later takes nothing back.
      yield* stillHeard(first!.runId, at(4))
      assert.deepStrictEqual(yield* gapsOf(here), [])
      yield* hears("two", 60)
      yield* hears("two", 90)
      assert.deepStrictEqual(yield* gapsOf(here), [
        { since: at(60), until: at(90), readAt: undefined },
        { since: at(5), until: at(60), readAt: undefined }
      ])
      assert.deepStrictEqual(yield* gapsOf(there), [])
    })
  )

  it.effect("leaves a gap that only a whole walk closes which began after it and was finished", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const here = accountOf(registry, east).id
      for (const minutes of [0, 60]) {
        yield* beginHearing({ accountId: here, subscription: "one", startedBy: "test" }, at(minutes))
      }
      const readAt = Effect.map(gapsOf(here), ([gap]) => gap?.readAt)
      yield* walked(here, 59, 70)
      yield* walked(here, 61, 71, "incomplete")
      yield* walked(here, 61, 71, "completed", "backfill")
      yield* walked(accountOf(registry, west).id, 61, 71)
      assert.isUndefined(yield* readAt)
      yield* walked(here, 60, 80)
      yield* walked(here, 85, 90)
      assert.strictEqual(yield* readAt, at(80))
    })
  )

  it.effect("that is the first of all leaves a gap as well where a walk had begun before it", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const [here, there] = [accountOf(registry, east).id, accountOf(registry, west).id]
      yield* walked(there, 5, 6)
      yield* walked(here, 10, 11, "completed", "backfill")
      assert.isUndefined(yield* walkedBefore(here, at(60)))
      for (const minutes of [20, 50]) yield* walked(here, minutes, 70)
      assert.deepStrictEqual(
        yield* Effect.all([walkedBefore(here, at(60)), walkedBefore(here, at(50)), walkedBefore(here, at(20))]),
        [at(50), at(20), undefined]
      )
      yield* beginHearing({ accountId: here, subscription: "one", startedBy: "test" }, at(60))
      assert.deepStrictEqual(yield* gapsOf(here), [{ since: at(50), until: at(60), readAt: undefined }])
      yield* walked(here, 61, 80)
      yield* walked(here, 85, 90)
      assert.deepStrictEqual(yield* gapsOf(here), [{ since: at(50), until: at(60), readAt: at(80) }])
    })
  )
})
