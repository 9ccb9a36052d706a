import { describe, expect, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { makeCrowd } from "../src/crowd.ts"

describe("a crowd", () => {
  it.effect("is served together, but for who came first, and each gets their own answer", () =>
    Effect.gen(function* () {
      const served: Array<ReadonlyArray<number>> = []
      const go = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      const crowd = yield* makeCrowd((items: ReadonlyArray<number>) =>
        Effect.gen(function* () {
          served.push(items)
          yield* Deferred.succeed(begun, undefined)
          yield* Deferred.await(go)
          return items.map((item) => item * 10)
        })
      )
      const first = yield* Effect.forkChild(crowd.join(1))
      yield* Deferred.await(begun)
      const others = yield* Effect.forkChild(Effect.forEach([2, 3, 4], crowd.join, { concurrency: "unbounded" }))
      yield* Effect.yieldNow
      yield* Deferred.succeed(go, undefined)
      expect(yield* Fiber.join(first)).toBe(10)
      expect(yield* Fiber.join(others)).toEqual([20, 30, 40])
      expect(served).toEqual([[1], [2, 3, 4]])
    }).pipe(Effect.scoped)
  )

  it.effect("that cannot be served is told so, and whoever comes next is served again", () =>
    Effect.gen(function* () {
      const crowd = yield* makeCrowd(([item]: readonly [string, ...Array<string>]) => {
        if (item === "defect") return Effect.die("a bug")
        return item === "failure" ? Effect.fail("refused") : Effect.succeed([item])
      })
      expect(yield* Effect.flip(crowd.join("failure"))).toBe("refused")
      expect((yield* Effect.exit(crowd.join("defect")))._tag).toBe("Failure")
      expect(yield* crowd.join("well")).toBe("well")
    }).pipe(Effect.scoped)
  )
})
