/** A clock that was ahead and is set back: what was looked up meanwhile is not taken for new until it is that late again. */
import { assert, layer } from "@effect/vitest"
import { Fleet } from "@stopline/engine"
import { addKey, beginRun, endRun, raiseHalt, revokeKey } from "@stopline/ledger"
import { Clock, Effect, Layer, Option, Redacted } from "effect"
import { inTime, makeWorld, pass, timed, type World } from "../../../packages/engine/test/world.ts"
import { ledgerForTest } from "../../../test/database.ts"
import { Freshness } from "../src/api/freshness.ts"
import { Keys } from "../src/api/keys.ts"
import { makeKey } from "../src/index.ts"
import { Loaded } from "../src/open.ts"
import { LedgerFigures } from "../src/truth/figures.ts"

const loaded = Layer.succeed(Loaded, {
  file: "stopline.yaml",
  folder: ".",
  content: { accounts: [] },
  groups: [],
  problem: (_, text) => assert.fail(text)
})

/** Looks while the clock is an hour ahead. */
const lookedAhead = <A, E, R>(look: Effect.Effect<A, E, R>) =>
  pass("1 hour").pipe(Effect.andThen(look), Effect.tap(pass("-1 hour")))

const addedKey = Effect.fnUntraced(function* (name: string) {
  const { digest, handle, key } = yield* makeKey
  yield* addKey({ name, handle, digest, scope: "read", createdBy: "test" }, yield* Clock.currentTimeMillis)
  return key
})

const walked = Effect.fnUntraced(function* ({ listing }: World) {
  const at = yield* Clock.currentTimeMillis
  const run = yield* beginRun({ kind: "walk", accountId: listing.account.id, startedBy: "test", at })
  yield* endRun(run, "completed", {}, at)
})

layer(ledgerForTest, { excludeTestServices: true })("when the clock was ahead and is set back", (it) => {
  it.effect("a key that is revoked is refused", () =>
    Effect.gen(function* () {
      const { find, glance } = yield* Keys
      const key = yield* addedKey("old")
      assert.strictEqual((yield* lookedAhead(find(key)))?.name, "old")
      const now = yield* Clock.currentTimeMillis
      yield* revokeKey("old", "test", now)
      assert.isUndefined(glance(Redacted.value(key), now))
      assert.isUndefined(yield* inTime(find(key)))
    }).pipe(Effect.provide(Keys.layer), timed)
  )

  it.effect("a key that is new does not wait until then", () =>
    Effect.gen(function* () {
      const { find } = yield* Keys
      yield* lookedAhead(find(yield* addedKey("first")))
      const found = yield* inTime(Effect.timeoutOption(find(yield* addedKey("second")), "10 seconds"))
      assert.strictEqual(Option.getOrUndefined(found)?.name, "second")
    }).pipe(Effect.provide(Keys.layer), timed)
  )

  it.effect("how fresh the answers are is looked up anew", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const layer = Freshness.layer.pipe(Layer.provide([Fleet.layer(world.fleet), loaded]))
      yield* Effect.gen(function* () {
        const { ofAccounts } = yield* Freshness
        const readAt = Effect.map(ofAccounts, (known) => known.get(world.listing.account.id)?.listReadAt)
        assert.isNull(yield* lookedAhead(readAt))
        yield* walked(world)
        assert.isNotNull(yield* readAt)
      }).pipe(Effect.provide(layer))
    }).pipe(timed)
  )

  it.effect("the figures are read anew", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* Effect.gen(function* () {
        const { look } = yield* LedgerFigures
        const halts = Effect.map(look, ({ figures }) => figures?.halts.length)
        assert.strictEqual(yield* lookedAhead(halts), 0)
        const halt = { kind: "listing-shrank", message: "look", numbers: {}, digest: null }
        yield* raiseHalt({ ...halt, accountId: world.listing.account.id }, yield* Clock.currentTimeMillis)
        assert.strictEqual(yield* halts, 1)
      }).pipe(Effect.provide(LedgerFigures.layer), world.run)
    }).pipe(timed)
  )
})
