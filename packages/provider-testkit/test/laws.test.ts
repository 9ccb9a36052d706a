/** The laws notice: an honest adapter breaks none of them, and each dishonest one is caught by the law that is about it. */
import { assert, describe, it } from "@effect/vitest"
import { cannot } from "@stopline/provider"
import { Effect, Exit } from "effect"
import { cannotFake, conformance } from "../src/index.ts"
import { laws } from "../src/laws.ts"
import { type Candidate, tryLaw } from "../src/trial.ts"
import { eventLies } from "./lies-events.ts"
import { type Lie, lies } from "./lies.ts"
import { adapterOf, type Memory, memory } from "./memory.ts"

conformance({ name: "an honest adapter", fake: memory, make: adapterOf })

const liar = (lie: Lie): Candidate<Memory> => ({
  name: "a liar",
  fake: memory,
  make: (fake, options) => Effect.map(adapterOf(fake, options), (adapter) => lie(adapter, fake))
})

describe("an adapter that", () => {
  for (const [what, about, lie] of [...lies, ...eventLies]) {
    it.live(
      `${what} is caught`,
      () =>
        Effect.gen(function* () {
          const concerned = laws.filter(({ name }) => about.test(name))
          assert.isNotEmpty(concerned)
          const exits = yield* Effect.forEach(concerned, (law) =>
            // A request that goes on for ever is waited for in vain.
            Effect.exit(
              Effect.timeout(tryLaw(liar(lie), law), /running|hangs up/.test(law.name) ? "1 second" : "20 seconds")
            )
          )
          assert.isTrue(exits.some(Exit.isFailure), `none of: ${concerned.map(({ name }) => name).join("; ")}`)
        }),
      60_000
    )
  }
})

describe("a law", () => {
  it.live("about what the adapter cannot do is skipped, with the adapter's own reason", () =>
    Effect.gen(function* () {
      const candidate = liar((adapter) => ({ ...adapter, events: cannot("nobody calls us") }))
      const reasons = yield* Effect.forEach(
        laws.filter(({ name }) => name.includes("forged")),
        (law) => tryLaw(candidate, law)
      )
      assert.deepStrictEqual(new Set(reasons), new Set(["cannot events: nobody calls us"]))
    })
  )

  it.live("that the fake cannot try is skipped, with the fake's", () =>
    Effect.gen(function* () {
      const candidate: Candidate<Memory> = {
        ...liar((adapter) => adapter),
        fake: Effect.map(memory, (fake) => ({ ...fake, fault: () => cannotFake("all is well here") }))
      }
      const reasons = yield* Effect.forEach(
        laws.filter(({ name }) => name.includes("403")),
        (law) => tryLaw(candidate, law)
      )
      const noEvidence = "not yet evidence: nobody has written it yet"
      assert.deepStrictEqual(new Set(reasons), new Set(["the fake: all is well here", noEvidence]))
    })
  )
})
