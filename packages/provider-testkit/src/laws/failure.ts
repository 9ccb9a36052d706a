/**
 * Laws of what goes wrong: an error is named by what to do next, and says
 * whether a write may have been done all the same (L7).
 */
import { mayHaveApplied, type ProviderError, retryAfter } from "@stopline/provider"
import { Duration, Effect } from "effect"
import { assert } from "vitest"
import { callOf, failureOf, operations, personOf, writes } from "../call.ts"
import type { Asked, Fault } from "../fake.ts"
import type { Bench, Law } from "../law.ts"

interface Failure {
  readonly what: string
  readonly fault: Fault
  readonly reason: ProviderError["reason"]["_tag"]
  /** Whether a write that ended like this may have been done. */
  readonly doubt: boolean
}

const wait = Duration.seconds(7)

const failures: ReadonlyArray<Failure> = [
  {
    what: "429 is Throttled, for as long as it says",
    fault: { kind: "throttled", retryAfter: wait },
    reason: "Throttled",
    doubt: false
  },
  { what: "429 without a time is Throttled", fault: { kind: "throttled" }, reason: "Throttled", doubt: false },
  {
    what: "a 5xx status is Unavailable",
    fault: { kind: "unavailable", applied: false },
    reason: "Unavailable",
    doubt: true
  },
  {
    what: "a web page with status 200 is Unreadable",
    fault: { kind: "html", applied: false },
    reason: "Unreadable",
    doubt: true
  },
  {
    what: "a connection that breaks is Unavailable",
    fault: { kind: "cut", applied: false },
    reason: "Unavailable",
    doubt: true
  },
  { what: "403 is Denied", fault: { kind: "denied" }, reason: "Denied", doubt: false },
  { what: "any other 4xx is Refused", fault: { kind: "refused" }, reason: "Refused", doubt: false }
]

/** Spoils one call, and returns the error it ends in. */
const spoil = Effect.fnUntraced(function* ({ adapter, fake }: Bench, operation: Asked, fault: Fault) {
  const call = yield* callOf(operation, adapter, fake, personOf(fake))
  // Whoever has to log in has done so, and the fault strikes the call itself.
  yield* adapter.probe(fake.sender)
  yield* fake.fault(operation, fault)
  const before = (yield* fake.log).length
  const error = yield* failureOf(call)
  assert.strictEqual((yield* fake.log).length, before + 1, "an adapter does not try again")
  return error
})

const named = ({ doubt, fault, reason, what }: Failure, operation: Asked): Law => ({
  name: `${what}, and not tried again`,
  part: operation,
  try: Effect.fnUntraced(function* (bench) {
    const error = yield* spoil(bench, operation, fault)
    assert.strictEqual(error.reason._tag, reason)
    assertDoubt(error, operation, doubt)
    if (fault.kind !== "throttled") return
    assert.deepStrictEqual(retryAfter(error), fault.retryAfter, "how long to wait")
  })
})

/** Of a subscription it makes no difference: it is asked for again and again, and its first request may read or write. */
const assertDoubt = (error: ProviderError, operation: Asked, doubt: boolean) => {
  if (operation === "subscribe" || operation === "connect") return
  assert.strictEqual(mayHaveApplied(error), doubt && writes(operation), "whether it may have been done")
}

/** Shorter than anybody waits, longer than a fake on this machine takes. */
const timeout = Duration.millis(500)

const late = (operation: Asked): Law => ({
  name: "no answer in time is Unavailable",
  part: operation,
  try: Effect.fnUntraced(function* (bench) {
    const error = yield* spoil({ ...bench, adapter: yield* bench.open({ timeout }) }, operation, {
      kind: "hang",
      applied: false
    })
    assert.strictEqual(error.reason._tag, "Unavailable")
    assertDoubt(error, operation, true)
  })
})

const neverSent = (operation: Asked): Law => ({
  name: "a connection that cannot be made is Unavailable, and nothing was done (L7)",
  part: operation,
  try: Effect.fnUntraced(function* ({ adapter, fake }) {
    const call = yield* callOf(operation, adapter, fake, personOf(fake))
    yield* fake.fault(operation, { kind: "unreachable" })
    const error = yield* failureOf(call)
    assert.strictEqual(error.reason._tag, "Unavailable")
    assert.isFalse(mayHaveApplied(error), "it was never sent")
  })
})

const lost: ReadonlyArray<Fault & { readonly applied: boolean }> = [
  { kind: "cut", applied: true },
  { kind: "unavailable", applied: true },
  { kind: "html", applied: true }
]

const lostAnswer = (operation: "optOut" | "optIn", fault: (typeof lost)[number]): Law => ({
  name: `a write that was done and answered by ${answers[fault.kind]} is in doubt, and mended by the same again (L7)`,
  part: operation,
  try: Effect.fnUntraced(function* (bench) {
    const { adapter, fake } = bench
    if (operation === "optIn") yield* fake.seed([personOf(fake)])
    const error = yield* spoil(bench, operation, fault)
    assert.isTrue(mayHaveApplied(error), "it may have been done")
    const expected = operation === "optOut" ? [personOf(fake)] : []
    assert.deepStrictEqual(yield* fake.held, expected, "it was done")
    assert.deepStrictEqual(yield* yield* callOf(operation, adapter, fake, personOf(fake)), [
      { _tag: "Held", recipient: personOf(fake) }
    ])
    assert.deepStrictEqual(yield* fake.held, expected)
  })
})

const answers: Readonly<Record<string, string>> = {
  cut: "nothing",
  unavailable: "a 5xx status",
  html: "a web page"
}

export const failureLaws: ReadonlyArray<Law> = [
  ...failures.flatMap((failure) => operations.map((operation) => named(failure, operation))),
  ...operations.map(late),
  ...operations.map(neverSent),
  ...lost.flatMap((fault) => (["optOut", "optIn"] as const).map((operation) => lostAnswer(operation, fault)))
]
