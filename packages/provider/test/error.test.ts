import { assert, describe, it } from "@effect/vitest"
import {
  Denied,
  mayHaveApplied,
  ProviderError,
  type ProviderFailure,
  Refused,
  retryAfter,
  Throttled,
  Unavailable,
  Unreadable
} from "@stopline/provider"
import { Duration, Effect } from "effect"

const failure = (reason: ProviderFailure) =>
  new ProviderError({ account: "contoso", operation: "optOut", reason, detail: "it said no" })

/** Every reason there is, with everything in it that an adapter might put there by mistake. */
const reasons: ReadonlyArray<ProviderFailure> = [
  new Throttled({ retryAfter: Duration.seconds(987) }),
  new Throttled({}),
  new Unavailable({ status: 599, mayHaveApplied: true }),
  new Unavailable({ mayHaveApplied: false }),
  new Denied({ status: 499, code: "key 15550000123", clockSkewMs: 987_654 }),
  new Refused({ status: 498, code: "no route to +15550000123" }),
  new Unreadable({ mayHaveApplied: true })
]

describe("an error's message", () => {
  it.each(reasons)("holds account, operation, reason and detail, and no more: $_tag", (reason) => {
    assert.strictEqual(failure(reason).message, `contoso: optOut: ${reason._tag}: it said no`)
  })

  it.each(reasons)("is all that is printed of it: $_tag", (reason) => {
    const [first] = String(failure(reason)).split("\n")
    assert.strictEqual(first, `ProviderError: contoso: optOut: ${reason._tag}: it said no`)
  })

  it.effect("comes with a tag to catch it by", () =>
    Effect.gen(function* () {
      const caught = yield* Effect.fail(failure(new Throttled({}))).pipe(
        Effect.catchTag("ProviderError", (error) => Effect.succeed(error.reason._tag))
      )
      assert.strictEqual(caught, "Throttled")
    })
  )
})

describe("a write that failed", () => {
  it.each([
    ["was throttled", new Throttled({}), false],
    ["was denied", new Denied({ status: 401 }), false],
    ["was refused", new Refused({ status: 400 }), false],
    ["never left", new Unavailable({ mayHaveApplied: false }), false],
    ["got no answer", new Unavailable({ mayHaveApplied: true }), true],
    ["failed over there", new Unavailable({ status: 500, mayHaveApplied: true }), true],
    ["was a read", new Unreadable({ mayHaveApplied: false }), false],
    ["got an answer nobody can read", new Unreadable({ mayHaveApplied: true }), true]
  ] as const)("and %s may have been done nevertheless: %s", (_, reason, expected) =>
    assert.strictEqual(mayHaveApplied(failure(reason)), expected)
  )
})

describe("how long to wait", () => {
  it.each([
    new Throttled({ retryAfter: Duration.seconds(3) }),
    new Unavailable({ status: 503, mayHaveApplied: false, retryAfter: Duration.seconds(3) })
  ])("is what the provider asked for: $_tag", (reason) =>
    assert.deepStrictEqual(retryAfter(failure(reason)), Duration.seconds(3))
  )

  it("is not told by an error that names no time, nor by any that will not pass", () => {
    assert.isUndefined(retryAfter(failure(new Throttled({}))))
    assert.isUndefined(retryAfter(failure(new Unavailable({ status: 503, mayHaveApplied: false }))))
    assert.isUndefined(retryAfter(failure(new Denied({ status: 403 }))))
  })
})
