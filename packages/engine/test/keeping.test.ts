import { assert, layer } from "@effect/vitest"
import { point } from "@stopline/consent"
import { keeping } from "@stopline/engine"
import { ingest } from "@stopline/ledger"
import { Effect, Fiber } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess, heldOpen, somebodyWaits, until } from "../../../test/process.ts"
import { observation } from "../../../test/world.ts"
import { lister, listerOne, makeWorld, person, standings, timed } from "./world.ts"

layer(ledgerForTest, { excludeTestServices: true })("what is stored together", (it) => {
  it.effect("happened when each of it was heard of, not when the last was (L4)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { account } = world.listing
      const said = (n: number, state: "opted-out" | "opted-in", at: number) =>
        observation({ account: lister, sender: listerOne, recipient: person(n), state, time: point(at) })
      const keep = yield* world.run(keeping(account))
      const keeps = (one: ReturnType<typeof said>, heardAt: number) =>
        Effect.forkChild(world.run(keep([one], heardAt)), { startImmediately: true })
      // Somebody else stores something of the account, and all others wait.
      const other = yield* anotherProcess()
      const held = yield* other.run(heldOpen(ingest(account, [said(2, "opted-out", 90_000)], 90_000, 0)))
      const first = yield* keeps(said(3, "opted-out", 95_000), 95_000)
      yield* until(somebodyWaits)
      // A START dated by a clock that is ahead, and a STOP some seconds later.
      const start = yield* keeps(said(1, "opted-in", 400_000), 100_000)
      const stop = yield* keeps(said(1, "opted-out", 104_000), 104_500)
      yield* held.commit
      for (const one of [first, start, stop]) yield* Fiber.join(one)
      assert.strictEqual((yield* standings(person(1)))[listerOne], "opted-out held unknown")
    }).pipe(timed)
  )
})
