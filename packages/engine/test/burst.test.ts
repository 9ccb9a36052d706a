import { assert, describe, it } from "@effect/vitest"
import type { WritePort } from "@stopline/provider"
import { Effect } from "effect"
import { firstBurst, nextBurst } from "../src/burst.ts"

const port = (maxRecipients: number, concurrency: number): WritePort => ({
  maxRecipients,
  concurrency,
  except: () => undefined,
  write: () => Effect.succeed([])
})

const sizes = (of: WritePort, took: ReadonlyArray<number>): ReadonlyArray<number> =>
  took.map(
    (
      (size) => (ms: number) =>
        (size = nextBurst(of, size, ms))
    )(firstBurst(of))
  )

describe("the size of a burst", () => {
  const azure = port(100, 4)

  it("grows while bursts are quick, as far as one statement may", () => {
    assert.deepStrictEqual(sizes(azure, [0, 250, 100, 100]), [800, 1000, 1000, 1000])
  })

  it("stays as it is while the next one would be long", () => {
    assert.deepStrictEqual(sizes(azure, [251, 500]), [400, 400])
  })

  it("shrinks as soon as one was long, to as many requests as may be under way at once, all of them whole", () => {
    assert.deepStrictEqual(sizes(azure, [0, 0, 501, 60_000, 60_000]), [800, 1000, 500, 400, 400])
    assert.deepStrictEqual(sizes(port(30, 1), [0, 0, 0, 0, 0, 0, 700]), [60, 120, 240, 480, 960, 990, 480])
  })

  it("is never smaller than that, however much a provider takes at once", () => {
    assert.deepStrictEqual(sizes(port(1500, 2), [0, 9000]), [3000, 3000])
  })
})
