/** One law tried on one adapter, with a fresh fake. */
import type { ProviderAdapter } from "@stopline/provider"
import { Effect, type Scope } from "effect"
import type { Fake } from "./fake.ts"
import type { Law, OpenOptions } from "./law.ts"

export interface Candidate<F extends Fake> {
  /** Of the adapter, and of the mode it is tried in: `azure, connection string`. */
  readonly name: string
  /** A fresh fake. Each law gets one of its own. */
  readonly fake: Effect.Effect<F, unknown, Scope.Scope>
  /** The adapter, speaking to that fake. */
  readonly make: (fake: F, options: OpenOptions) => Effect.Effect<ProviderAdapter, unknown, Scope.Scope>
}

/** Why the law was skipped, if it was. A law that is broken is a defect: an assertion that does not hold. */
export const tryLaw = <F extends Fake>(
  { fake: makeFake, make }: Candidate<F>,
  law: Law
): Effect.Effect<string | undefined> =>
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
    Effect.orDie,
    Effect.scoped
  )
