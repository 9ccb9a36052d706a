/**
 * A law: what every adapter keeps, tried on one that speaks to a fake.
 */
import type { Capability, ProviderAdapter, ProviderError } from "@stopline/provider"
import { Data, type Duration, Effect, type Scope } from "effect"
import type { Asked, CannotFake, Fake } from "./fake.ts"

export interface Law {
  readonly name: string
  /** Where one law is tried on several operations: which one this is. */
  readonly part?: Asked
  readonly try: (bench: Bench) => Effect.Effect<void, Skipped | CannotFake | ProviderError, Scope.Scope>
}

/** One fake, and adapters that speak to it. */
export interface Bench {
  readonly fake: Fake
  readonly adapter: ProviderAdapter
  /** Another adapter for the same account, which remembers nothing of the first. */
  readonly open: (options?: OpenOptions) => Effect.Effect<ProviderAdapter, never, Scope.Scope>
}

export interface OpenOptions {
  /** How long the adapter waits for an answer. Absent: longer than a test takes. */
  readonly timeout?: Duration.Duration
}

/** The law does not concern this adapter, because of what it cannot do. */
export class Skipped extends Data.TaggedError("Skipped")<{ readonly reason: string }> {}

export const skip = (reason: string): Effect.Effect<never, Skipped> => Effect.fail(new Skipped({ reason }))

/** The port, or a skip with the adapter's own reason. */
export const need = <Port>(name: string, capability: Capability<Port>): Effect.Effect<Port, Skipped> =>
  capability._tag === "Can"
    ? Effect.succeed(capability.port)
    : skip(`${capability._tag === "Cannot" ? "cannot" : "not yet"} ${name}: ${capability.reason}`)
