import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeChance } from "../src/chance.ts"
import { type Actor, Conductor } from "../src/time.ts"

describe("one thing at a time", () => {
  it.live("when so many things have happened, everybody stands at the next one, however far the way there is", () =>
    Effect.promise(async () => {
      const conductor = new Conductor(makeChance(1, "order"), 0, 0)
      const actor: Actor = { name: "one", state: "running", skew: 0 }
      const reached: Array<string> = []
      const on = (place: string) =>
        Effect.repeat(Effect.yieldNow, { times: 50 }).pipe(
          Effect.andThen(Effect.sync(() => reached.push(place))),
          Effect.andThen(conductor.turn(actor, place, Effect.void))
        )
      const walk = Effect.runPromise(Effect.andThen(on("here"), on("there")), { scheduler: conductor.scheduler })
      await conductor.stir(1)
      assert.deepStrictEqual(reached, ["here", "there"])
      await conductor.stir(1)
      await walk
    })
  )
})
