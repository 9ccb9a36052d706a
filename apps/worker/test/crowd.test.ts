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
      expect(crowd.busy()).toBe(false)
      const first = yield* Effect.forkChild(crowd.join(1))
      yield* Deferred.await(begun)
      expect(crowd.busy()).toBe(true)
      const others = yield* Effect.forkChild(Effect.forEach([2, 3, 4], crowd.join, { concurrency: "unbounded" }))
      yield* Effect.yieldNow
      yield* Deferred.succeed(go, undefined)
      expect(yield* Fiber.join(first)).toBe(10)
      expect(yield* Fiber.join(others)).toEqual([20, 30, 40])
      expect(served).toEqual([[1], [2, 3, 4]])
      expect(crowd.busy()).toBe(false)
    }).pipe(Effect.scoped)
  )
})
