import { assert, describe, it } from "@effect/vitest"
import { can, type ProviderAdapter } from "@stopline/provider"
import { openProcesses, runSeed } from "@stopline/simulation"
import { Effect } from "effect"
import { freshDatabase } from "../../../test/database.ts"

const play = (...given: Parameters<typeof runSeed> extends [unknown, ...infer Rest] ? Rest : never) =>
  freshDatabase.pipe(
    Effect.flatMap(openProcesses),
    Effect.flatMap((processes) => Effect.promise(() => runSeed(processes, ...given))),
    Effect.scoped
  )

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
      // A database that has been used and one that has not answer at other speeds.
      const processes = yield* Effect.flatMap(freshDatabase, openProcesses)
      for (let times = 0; times < 3; times++) {
        const again = yield* Effect.promise(() => runSeed(processes, 11, 12))
        assert.deepStrictEqual(again.log, first.log)
        assert.strictEqual(again.digest, first.digest)
      }
      assert.notStrictEqual((yield* play(12, 12)).digest, first.digest)
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
