import { assert, describe, it } from "@effect/vitest"
import { can, type ProviderAdapter } from "@stopline/provider"
import { runSeed } from "@stopline/simulation"
import { Effect } from "effect"
import { freshDatabase } from "../../../test/database.ts"
import { hunt } from "../src/hunt.ts"

const play = (...given: Parameters<typeof runSeed> extends [unknown, ...infer Rest] ? Rest : never) =>
  Effect.promise(() => runSeed(freshDatabase, ...given))

/** An adapter that says "held" and sends nothing. */
const liar = (adapter: ProviderAdapter): ProviderAdapter => ({
  ...adapter,
  write: {
    ...adapter.write,
    optOut:
      adapter.write.optOut._tag === "Can"
        ? can({
            ...adapter.write.optOut.port,
            write: (_, people) => Effect.succeed(people.map((recipient) => ({ _tag: "Held" as const, recipient })))
          })
        : adapter.write.optOut
  }
})

/** An adapter that lifts each block right after it made it. */
const meddler = (adapter: ProviderAdapter): ProviderAdapter => {
  const { optIn, optOut } = adapter.write
  if (optOut._tag !== "Can" || optIn._tag !== "Can") return adapter
  return {
    ...adapter,
    write: {
      optIn,
      optOut: can({
        ...optOut.port,
        write: (sender, people) =>
          Effect.tap(optOut.port.write(sender, people), () => Effect.ignore(optIn.port.write(sender, people)))
      })
    }
  }
}

describe("a hostile world", () => {
  it.live.each([1, 2, 3, 4, 5, 6])(
    "seed %i breaks no law (L1, L2, L3, L5, L6, L7, L8, L10, L11, L12, L13, L14)",
    (seed) =>
      Effect.gen(function* () {
        const { broken, rounds } = yield* play(seed, 15)
        assert.deepStrictEqual(broken, [])
        assert.isAbove(rounds, 8)
      })
  )

  it.live("is the same each time: the same seed has the same event log", () =>
    Effect.gen(function* () {
      const first = yield* play(11, 12)
      for (let times = 0; times < 3; times++) {
        const again = yield* play(11, 12)
        assert.deepStrictEqual(again.log, first.log)
        assert.strictEqual(again.digest, first.digest)
      }
      assert.notStrictEqual((yield* play(12, 12)).digest, first.digest)
    })
  )

  it.live("is the same after another: a seed finds nothing of what was played before it", () =>
    Effect.gen(function* () {
      // In the database that 500022 had used, Postgres found equals in another order, and 500023 was another run.
      const digest = Effect.fnUntraced(function* (seed: number, seeds: number) {
        const digests = new Map<number, string>()
        const rounds = { rounds: 140, untilFailure: false, log: false, tries: 0 }
        yield* hunt({ seed, seeds, step: 1, ...rounds }, (played) =>
          Effect.sync(() => void digests.set(played.seed, played.digest))
        )
        return digests.get(500_023)
      })
      const alone = yield* digest(500_023, 1)
      assert.match(alone ?? "", /^[\da-f]{16}$/)
      assert.strictEqual(yield* digest(500_022, 2), alone)
    })
  )

  it.live("notices an adapter that says it wrote and did not (L9)", () =>
    Effect.gen(function* () {
      const { broken } = yield* play(2, 15, { sabotage: liar })
      assert.include(
        broken.map(({ law }) => law),
        "L9"
      )
    })
  )

  it.live("notices a block that is lifted though nobody asked (L3)", () =>
    Effect.gen(function* () {
      const { broken } = yield* play(2, 15, { sabotage: meddler })
      assert.include(
        broken.map(({ law }) => law),
        "L3"
      )
    })
  )
})
