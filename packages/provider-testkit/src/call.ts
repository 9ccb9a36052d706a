/**
 * Every operation as one call for the same person, so that a law about requests
 * can be tried on each of them.
 */
import type { Recipient } from "@stopline/consent"
import type { ProviderAdapter, ProviderError } from "@stopline/provider"
import { Effect } from "effect"
import { assert } from "vitest"
import type { Asked, Fake } from "./fake.ts"
import { need, type Skipped } from "./law.ts"

export const operations: ReadonlyArray<Asked> = [
  "probe",
  "list",
  "check",
  "optOut",
  "optIn",
  "evidence",
  "subscribe",
  "connect"
]

export const writes = (operation: Asked): boolean => operation === "optOut" || operation === "optIn"

/** Nobody listens there: laws that need somebody open a door. */
const nowhere = "http://127.0.0.1:9/webhook"

type Call = Effect.Effect<unknown, ProviderError>

/** Skips where the adapter cannot do it. */
export const callOf = (
  operation: Asked,
  adapter: ProviderAdapter,
  fake: Fake,
  person: Recipient
): Effect.Effect<Call, Skipped> => {
  const { sender } = fake
  switch (operation) {
    case "probe":
      return Effect.succeed(adapter.probe(sender))
    case "list":
      return Effect.map(need("list", adapter.list), ({ page }) => page({ sender, size: 1 }))
    case "check":
      return Effect.map(need("check", adapter.check), ({ check }) => check(sender, [person]))
    case "evidence":
      return Effect.map(need("evidence", adapter.evidence), ({ since }) => since(sender, person, 0))
    case "subscribe":
      return Effect.map(need("subscription", adapter.subscription), ({ ensure }) => ensure(nowhere))
    case "connect":
      return Effect.map(need("stream", adapter.stream), ({ connect }) => Effect.scoped(connect))
    default:
      return Effect.map(need(operation, adapter.write[operation]), ({ write }) => write(sender, [person]))
  }
}

export const personOf = ({ people }: Fake, index = 0): Recipient => {
  const person = people[index]
  return person ?? assert.fail(`the fake has no person number ${index}: there have to be thirty`)
}

/** The error that a call must end in. */
export const failureOf = <A>(call: Effect.Effect<A, ProviderError>): Effect.Effect<ProviderError> =>
  Effect.flip(call).pipe(Effect.catch(() => Effect.sync(() => assert.fail("it ended well, and must not have"))))
