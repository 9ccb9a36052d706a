import { assert, layer } from "@effect/vitest"
import { hearRequest } from "@stopline/engine"
import type { SenderAddress } from "@stopline/consent"
import { Connection, stalest } from "@stopline/ledger"
import type { EventPort, RawRequest, Received } from "@stopline/provider"
import { Effect, Exit, Layer, Scope } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { rowCounts } from "../../../test/world.ts"
import { here } from "../../../test/process.ts"
import { askerOne, askerTwo, listerOne, listerTwo, makeWorld, person, senderOf, standings, timed } from "./world.ts"

const reply = { status: 200, headers: {}, body: "" }
const request: RawRequest = { method: "POST", headers: {}, query: {}, body: "", receivedAt: 1_000 }
const answering = (received: Received): EventPort => ({ receive: () => Effect.succeed(received) })

layer(ledgerForTest, { excludeTestServices: true })("a webhook request", (it) => {
  it.effect("is answered once what it carried is stored (L1)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { events } = world.lister.adapter
      if (events._tag !== "Can") throw new Error("it calls")
      const stop = world.lister.text(listerOne, person(1), "STOP", 5_000)
      const heard = yield* world.run(hearRequest(world.listing, events.port, stop))
      assert.deepInclude(heard, { reply, received: "Understood" })
      assert.strictEqual(heard.ingested?.recorded.length, 1)
      assert.strictEqual((yield* standings(person(1)))[listerTwo], "opted-out held unknown")
      // Sent again, because our answer was lost, it is answered the same and stored once (L11).
      const again = yield* world.run(hearRequest(world.listing, events.port, stop))
      assert.deepInclude(again.ingested, { recorded: [], repeated: 1 })
      assert.deepStrictEqual(again.reply, reply)
    }).pipe(timed)
  )

  it.effect("is not answered when it cannot be stored (L1)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { events } = world.lister.adapter
      if (events._tag !== "Can") throw new Error("it calls")
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Connection.layer(yield* here), scope)
      yield* Scope.close(scope, Exit.void)
      const stop = world.lister.text(listerOne, person(1), "STOP", 5_000)
      const heard = Effect.provideContext(world.run(hearRequest(world.listing, events.port, stop)), context)
      assert.strictEqual((yield* Effect.flip(heard))._tag, "LedgerError")
    }).pipe(timed)
  )

  it.effect("that is not believed, not understood or a handshake stores nothing", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const before = yield* rowCounts
      const cases: ReadonlyArray<Received> = [
        { _tag: "Handshake", reply },
        { _tag: "NotAuthentic", reason: "no token", reply: { ...reply, status: 401 } },
        { _tag: "NotUnderstood", reason: "no event", reply: { ...reply, status: 400 } },
        { _tag: "Understood", observations: [], problems: [{ row: "body", reason: "no number" }], reply }
      ]
      for (const received of cases) {
        const heard = yield* world.run(hearRequest(world.listing, answering(received), request))
        assert.deepStrictEqual(heard, { reply: received.reply, received: received._tag })
      }
      assert.deepStrictEqual(yield* rowCounts, before)
    }).pipe(timed)
  )

  it.effect("that says whom a sender is in touch with makes them known there, to be asked about", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const told = (sender: SenderAddress) =>
        answering({
          _tag: "Understood",
          observations: [],
          contacts: [{ sender, recipient: person(1), at: 500 }],
          problems: [],
          reply
        })
      yield* world.run(hearRequest(world.asking, told(askerOne), request))
      // Of a sender that nobody configured nothing is kept.
      yield* world.run(hearRequest(world.asking, told("+14255550199" as SenderAddress), request))
      const sender = senderOf(world.asking, askerOne)!
      assert.deepStrictEqual(yield* stalest(sender, 1_000, 9), [person(1)])
      assert.deepStrictEqual(yield* stalest(senderOf(world.asking, askerTwo)!, 1_000, 9), [])
      assert.strictEqual((yield* standings(person(1)))[askerOne], "opted-in held unknown")
    }).pipe(timed)
  )

  it.effect("with words that the law names and the provider does not is an opt-out all the same", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("revoke", listerOne, person(1))
      assert.strictEqual((yield* standings(person(1)))[listerOne], "opted-out held unknown")
      assert.isFalse(world.lister.holds(listerOne, person(1)))
      yield* world.round()
      assert.isTrue(world.lister.holds(listerOne, person(1)))
    }).pipe(timed)
  )
})
