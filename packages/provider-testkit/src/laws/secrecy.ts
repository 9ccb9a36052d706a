/**
 * The law of secrecy (L14): whatever goes wrong, what could come to stand in a
 * log holds no secret, and no person's number in full.
 */
import { Cause, Effect, Exit } from "effect"
import { assert } from "vitest"
import { callOf, operations, personOf, writes } from "../call.ts"
import type { Asked, Fake, Fault } from "../fake.ts"
import type { Law } from "../law.ts"

const wrongs: ReadonlyArray<Fault> = [
  { kind: "unavailable", applied: false },
  { kind: "html", applied: false },
  { kind: "cut", applied: false },
  { kind: "denied" },
  { kind: "refused" },
  // These two last: after the one an adapter may not want to send anything, and after the other it cannot.
  { kind: "throttled" },
  { kind: "unreachable" }
]

/** Errors in all the forms in which they can be printed; of outcomes, what they say beside the recipient. */
const printed = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<string> => {
  if (Exit.isSuccess(exit)) {
    // Where there is no value, there is no text either.
    const text: string | undefined = JSON.stringify(exit.value, (key, value: unknown) => (given.has(key) ? "" : value))
    return [text ?? ""]
  }
  const errors = exit.cause.reasons.filter(Cause.isFailReason).map(({ error }) => error)
  return [
    Cause.pretty(exit.cause),
    JSON.stringify(exit),
    ...errors.flatMap((error) => [
      String(error),
      JSON.stringify(error),
      error instanceof Error ? (error.stack ?? "") : ""
    ])
  ]
}

/** What was asked for is no secret from whoever asked. */
const given = new Set(["recipient", "reading", "sender"])

const assertSecret = (text: string, fake: Fake) => {
  for (const secret of fake.secrets) assert.isFalse(text.includes(secret), "a secret is printed")
  const digits = text.replace(/[^\p{Nd}]/gu, "")
  for (const person of fake.people) assert.isFalse(digits.includes(person.slice(1)), "a number is printed in full")
}

const secret = (operation: Asked): Law => ({
  name: "no error and no reason holds a secret or a number in full (L14)",
  part: operation,
  try: Effect.fnUntraced(function* (bench) {
    const { adapter, fake } = bench
    const person = personOf(fake)
    const call = yield* callOf(operation, adapter, fake, person)
    const items: ReadonlyArray<Fault> =
      writes(operation) || operation === "check"
        ? [
            { kind: "itemRefused", recipient: person },
            { kind: "batchRefused", recipient: person }
          ]
        : []
    let tried = 0
    for (const fault of [...items, ...wrongs]) {
      const armed = yield* Effect.option(fake.fault(operation, fault))
      if (armed._tag === "None") continue
      tried += 1
      for (const text of printed(yield* Effect.exit(call))) assertSecret(text, fake)
    }
    assert.isAbove(tried, 2, "hardly anything could be made to go wrong")
  })
})

export const secrecyLaws: ReadonlyArray<Law> = operations.map(secret)
