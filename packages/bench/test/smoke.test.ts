import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { inject } from "vitest"
import { Bed } from "../src/bed.ts"
import { benches } from "../src/benches.ts"

const bed = Layer.unwrap(Effect.sync(() => Bed.layer(Redacted.make(inject("postgres").url))))

/** Small enough for a test, and large enough for a second page of a list, a second burst of writes, and a fault. */
const tiny: Readonly<Record<string, number>> = {
  backfill: 0.0015,
  plan: 0.002,
  poll: 0.015,
  push: 0.008,
  limit: 0,
  webhook: 0,
  check: 0.02,
  job: 0.015
}

layer(bed, { excludeTestServices: true })("a bench", (it) => {
  for (const bench of benches) {
    it.effect(
      `does the same work on both sides: ${bench.name}`,
      () =>
        Effect.gen(function* () {
          const rows = yield* Effect.scoped(bench.run({ share: tiny[bench.name] ?? 0, rounds: 1 }))
          assert.isAbove(rows.length, 0)
          for (const { ours, ratio, what, work } of rows) {
            // An endpoint that is not there is said to be so, and nothing is compared.
            if (ours === "404") continue
            assert.strictEqual(work.ours, work.peer, what)
            assert.isAbove(work.ours, 0, what)
            assert.isTrue(Number.isFinite(ratio) && ratio > 0, what)
          }
        }),
      120_000
    )
  }
})
