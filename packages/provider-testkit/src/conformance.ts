/**
 * The laws as tests of vitest, one test for each law and operation.
 */
import type { ProviderAdapter } from "@stopline/provider"
import { Effect, type Scope } from "effect"
import { describe, test } from "vitest"
import type { Fake } from "./fake.ts"
import type { Law, OpenOptions } from "./law.ts"
import { contractLaws } from "./laws/contract.ts"
import { endingLaws } from "./laws/ending.ts"
import { eventLaws } from "./laws/event.ts"
import { failureLaws } from "./laws/failure.ts"
import { listLaws } from "./laws/list.ts"
import { secrecyLaws } from "./laws/secrecy.ts"
import { writeLaws } from "./laws/write.ts"

export interface Candidate<F extends Fake> {
  /** Of the adapter, and of the mode it is tried in: `azure, connection string`. */
  readonly name: string
  /** A fresh fake. Each law gets one of its own. */
  readonly fake: Effect.Effect<F, unknown, Scope.Scope>
  /** The adapter, speaking to that fake. */
  readonly make: (fake: F, options: OpenOptions) => Effect.Effect<ProviderAdapter, unknown, Scope.Scope>
}

export const laws: ReadonlyArray<Law> = [
  ...contractLaws,
  ...listLaws,
  ...writeLaws,
  ...failureLaws,
  ...secrecyLaws,
  ...eventLaws,
  ...endingLaws
]

/** Registers all laws as tests. A law that does not concern the adapter, or that the fake cannot try, is skipped by name. */
export const conformance = <F extends Fake>(candidate: Candidate<F>): void => {
  describe(`${candidate.name} keeps the laws`, () => {
    for (const law of laws) {
      const name = law.part === undefined ? law.name : `${law.part}: ${law.name}`
      test(name, async (context) => {
        Object.assign(context.task.meta, { conformance: { candidate: candidate.name, law: law.name } })
        const reason = await Effect.runPromise(Effect.scoped(tried(candidate, law)), {
          signal: context.signal
        })
        if (reason !== undefined) context.skip(reason)
      })
    }
  })
}

/** Why the law was skipped, if it was. */
const tried = <F extends Fake>(
  { fake: makeFake, make }: Candidate<F>,
  law: Law
): Effect.Effect<string | undefined, never, Scope.Scope> =>
  Effect.gen(function* () {
    const fake = yield* Effect.orDie(makeFake)
    const open = (options: OpenOptions = {}) => Effect.orDie(make(fake, options))
    yield* law.try({ fake, adapter: yield* open(), open })
    return undefined
  }).pipe(
    Effect.catchTags({
      Skipped: ({ reason }) => Effect.succeed(reason),
      CannotFake: ({ reason }) => Effect.succeed(`the fake: ${reason}`)
    }),
    Effect.orDie
  )
