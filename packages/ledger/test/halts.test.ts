import { assert, layer } from "@effect/vitest"
import { clearedSince, clearHalts, openHalts, raiseHalt, type Registry } from "@stopline/ledger"
import { Effect, Fiber } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess, heldOpen, somebodyWaits, until } from "../../../test/process.ts"
import { accountOf, east, fresh, west } from "../../../test/world.ts"

const halt = (
  registry: Registry,
  given: {
    readonly account?: typeof east
    readonly kind?: string
    readonly count?: number
    readonly digest?: string
  } = {}
) => ({
  accountId: accountOf(registry, given.account ?? east).id,
  kind: given.kind ?? "too-many-opt-outs",
  message: `${given.count ?? 12} opt-outs`,
  numbers: { count: given.count ?? 12 },
  digest: given.digest ?? "abc"
})

layer(ledgerForTest, { excludeTestServices: true })("a halt", (it) => {
  it.effect("stays open until a person clears it, with its latest numbers (L8)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      assert.isTrue(yield* raiseHalt(halt(registry), 1_000))
      assert.isFalse(yield* raiseHalt(halt(registry, { count: 15, digest: "def" }), 2_000))
      const [open, ...others] = yield* openHalts()
      assert.deepStrictEqual(others, [])
      assert.deepInclude(open, {
        account: east,
        kind: "too-many-opt-outs",
        message: "15 opt-outs",
        numbers: { count: 15 },
        digest: "def",
        raisedAt: 1_000
      })
      const cleared = yield* clearHalts({ digest: "def" }, "ann", 3_000)
      assert.strictEqual(cleared.length, 1)
      assert.deepStrictEqual(yield* openHalts(), [])
      assert.deepStrictEqual(yield* clearHalts({}, "ann", 4_000), [])
    })
  )

  it.effect("cleared can be raised again, as a new one", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* raiseHalt(halt(registry), 1_000)
      yield* clearHalts({}, "ann", 2_000)
      assert.isTrue(yield* raiseHalt(halt(registry), 3_000))
      assert.strictEqual((yield* openHalts())[0]?.raisedAt, 3_000)
    })
  )

  it.effect("is one per account and kind, and cleared by any of them", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* raiseHalt(halt(registry), 1_000)
      yield* raiseHalt(halt(registry, { account: west, digest: "xyz" }), 1_000)
      yield* raiseHalt(halt(registry, { kind: "listing-shrank" }), 1_000)
      const open = () => Effect.map(openHalts(), (halts) => halts.map((one) => `${one.account} ${one.kind}`))
      assert.deepStrictEqual(yield* open(), ["east too-many-opt-outs", "west too-many-opt-outs", "east listing-shrank"])
      yield* clearHalts({ account: west }, "ann", 2_000)
      assert.deepStrictEqual(yield* open(), ["east too-many-opt-outs", "east listing-shrank"])
      yield* clearHalts({ kinds: ["listing-shrank"], digest: "nobody's" }, "ann", 2_000)
      assert.strictEqual((yield* open()).length, 2)
      const [first] = yield* openHalts()
      yield* clearHalts({ ids: [first!.id] }, "ann", 2_000)
      assert.deepStrictEqual(yield* open(), ["east listing-shrank"])
    })
  )

  it.effect("that a person cleared of late has been looked at", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const { id } = accountOf(registry, east)
      yield* raiseHalt(halt(registry), 1_000)
      assert.isFalse(yield* clearedSince(id, "too-many-opt-outs", 0))
      yield* clearHalts({}, "ann", 2_000)
      assert.isTrue(yield* clearedSince(id, "too-many-opt-outs", 2_000))
      assert.isFalse(yield* clearedSince(id, "too-many-opt-outs", 2_001))
      assert.isFalse(yield* clearedSince(id, "listing-shrank", 0))
      assert.isFalse(yield* clearedSince(accountOf(registry, west).id, "too-many-opt-outs", 0))
    })
  )

  it.effect("whose plan becomes another one while it is approved stays (L8)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* raiseHalt(halt(registry, { digest: "one" }), 1_000)
      const other = yield* anotherProcess()
      const raised = yield* other.run(heldOpen(raiseHalt(halt(registry, { count: 9_999, digest: "two" }), 2_000)))
      const clearing = yield* Effect.forkChild(clearHalts({ digest: "one" }, "ann", 3_000))
      yield* until(somebodyWaits)
      yield* raised.commit
      assert.deepStrictEqual(yield* Fiber.join(clearing), [])
      assert.deepStrictEqual(
        (yield* openHalts()).map(({ digest }) => digest),
        ["two"]
      )
    })
  )
})
