import { assert, layer } from "@effect/vitest"
import { writeBurst } from "@stopline/engine"
import { ingest } from "@stopline/ledger"
import { type ProviderAdapter, writePort } from "@stopline/provider"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { observation, viewOf } from "../../../test/world.ts"
import type { Failure } from "./fake.ts"
import { asker, askerOne, inTime, listerOne, makeWorld, person, senderOf, timed, type World } from "./world.ts"

const portOf = (adapter: ProviderAdapter) => {
  const capability = writePort(adapter, "opted-out")
  if (capability._tag !== "Can") throw new Error("it can be written")
  return capability.port
}

const burst = Effect.fnUntraced(function* (world: World) {
  const sender = senderOf(world.asking, askerOne)!
  const port = portOf(world.asker.adapter)
  return yield* inTime(world.run(writeBurst(world.asking, port, sender, "opted-out", [person(1)])))
})

layer(ledgerForTest, { excludeTestServices: true })("a burst of writes", (it) => {
  const ends: ReadonlyArray<readonly [string, ReadonlyArray<Failure>, boolean]> = [
    ["was done and not answered", [{ kind: "unavailable", done: true }], true],
    ["was answered and not understood", [{ kind: "unreadable", done: true }], true],
    ["was never sent", [{ kind: "unavailable" }], false],
    ["was turned away", [{ kind: "denied" }], false],
    [
      "was perhaps done at its first try, and then turned away",
      [{ kind: "unavailable", done: true }, { kind: "denied" }],
      true
    ],
    [
      "was perhaps done at its first try, and then throttled",
      [{ kind: "unavailable", done: true }, { kind: "throttled" }, { kind: "throttled" }],
      true
    ]
  ]
  for (const [what, failures, perhaps] of ends) {
    it.effect(
      `that ${what} may ${perhaps ? "" : "not "}have been done, and its echo is ${perhaps ? "no news" : "news"} (L7)`,
      () =>
        Effect.gen(function* () {
          const world = yield* makeWorld({ settings: { retries: failures.length - 1 } })
          yield* world.says("STOP", listerOne, person(1))
          world.asker.fail("optOut", failures)
          const written = yield* burst(world)
          assert.deepInclude(written, { held: [], retryable: 1, obsolete: 0 })
          assert.strictEqual(written.error?.reason._tag !== undefined, true)
          const view = (yield* viewOf(senderOf(world.asking, askerOne)!, person(1)))!.view
          assert.deepInclude(view, { held: undefined, intent: undefined, echoDue: perhaps })
          assert.strictEqual(view.written !== undefined, perhaps)
          const now = view.readAt === -Infinity ? Date.UTC(2026, 0, 5) : view.readAt
          const event = observation({
            account: asker,
            sender: askerOne,
            recipient: person(1),
            basis: "event",
            origin: "unknown",
            key: "event:1",
            time: { notBefore: now, notAfter: now }
          })
          const heard = yield* ingest(world.asking.account, [event], view.written?.endedAt ?? now, 60_000)
          assert.strictEqual(heard.echoes, perhaps ? 1 : 0)
        }).pipe(timed)
    )
  }

  it.effect("that fails and then succeeds is held (L9)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { retries: 1 } })
      yield* world.says("STOP", listerOne, person(1))
      world.asker.fail("optOut", [{ kind: "unavailable" }])
      assert.deepInclude(yield* burst(world), { held: [person(1)], retryable: 0, error: undefined })
    }).pipe(timed)
  )

  it.effect("of what is held already sends nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, person(1))
      yield* burst(world)
      assert.deepInclude(yield* burst(world), { held: [], obsolete: 1 })
      assert.strictEqual(world.asker.calls.length, 1)
    }).pipe(timed)
  )
})
