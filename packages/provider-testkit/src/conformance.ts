/** The laws as tests of vitest, one test for each law and operation. */
import { Effect } from "effect"
import { describe, test } from "vitest"
import type { Fake } from "./fake.ts"
import { laws } from "./laws.ts"
import { type Candidate, tryLaw } from "./trial.ts"

/** Longer than a law takes on a busy machine: what waits in vain ends here. */
const timeout = 30_000

/** Registers all laws as tests. A law that does not concern the adapter, or that the fake cannot try, is skipped with the reason. */
export const conformance = <F extends Fake>(candidate: Candidate<F>): void => {
  describe(`${candidate.name} keeps the laws`, () => {
    for (const law of laws) {
      const name = law.part === undefined ? law.name : `${law.part}: ${law.name}`
      test(name, { timeout }, async ({ signal, skip, task }) => {
        Object.assign(task.meta, { conformance: { candidate: candidate.name, law: law.name } })
        const reason = await Effect.runPromise(tryLaw(candidate, law), { signal })
        if (reason !== undefined) skip(reason)
      })
    }
  })
}
