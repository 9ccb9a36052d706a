import { describe, expect, it } from "@effect/vitest"
import { retryAfter } from "@stopline/provider"
import { Duration, Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import { accessKey, adapterFor, type Answer, failureOf, people, portOf, sender, startFake, startPair } from "./fake.ts"

/** The error that an opt-out ends with when Azure gives this answer. */
const errorAfter = (answer: Answer) =>
  Effect.scoped(
    Effect.flatMap(
      startPair(() => answer),
      ({ optOut }) => failureOf(optOut(sender, people(2)))
    )
  )

const validation = {
  type: "https://tools.ietf.org/html/rfc9110#section-15.5.1",
  title: "One or more validation errors occurred.",
  status: 400,
  errors: { From: ["Invalid from phone number format."] },
  traceId: "00-11-22-00"
}
const standard = (code: string, message = "") => ({ error: { code, message, innerError: null } })

describe("an error of the whole request", () => {
  const shapes: ReadonlyArray<readonly [string, Answer, object, string]> = [
    ["A: fields", { status: 400, body: validation }, { _tag: "Refused", status: 400 }, "does not accept From"],
    [
      "B: a code",
      { status: 400, body: standard("InvalidApiVersion", "The HTTP resource … does not support the API version '1'.") },
      { _tag: "Refused", status: 400, code: "InvalidApiVersion" },
      "InvalidApiVersion"
    ],
    [
      "D: the signature",
      { status: 401, body: standard("Denied", "Request 'x-ms-content-sha256' differs from generated content hash.") },
      { _tag: "Denied", status: 401, code: "Denied" },
      "Denied"
    ],
    [
      "D: no word",
      { status: 401, body: standard("Unauthorized") },
      { _tag: "Denied", status: 401, code: "Unauthorized" },
      "or the sender is no number of this resource"
    ],
    ["a 401 without a body", { status: 401 }, { _tag: "Denied", status: 401 }, "401"],
    ["403", { status: 403, body: standard("Forbidden") }, { _tag: "Denied", status: 403, code: "Forbidden" }, "403"],
    ["404", { status: 404 }, { _tag: "Refused", status: 404 }, "404"],
    ["422", { status: 422, body: "<html>" }, { _tag: "Refused", status: 422 }, "422"],
    ["a redirection", { status: 302, headers: { location: "/" } }, { _tag: "Refused", status: 302 }, "302"],
    ["408", { status: 408 }, { _tag: "Unavailable", status: 408, mayHaveApplied: true }, "408"],
    ["429", { status: 429 }, { _tag: "Throttled" }, "429"],
    ["500", { status: 500, body: standard("InternalError") }, { _tag: "Unavailable", mayHaveApplied: true }, "500"],
    ["503", { status: 503 }, { _tag: "Unavailable", status: 503, mayHaveApplied: true }, "503"]
  ]
  for (const [what, answer, reason, detail] of shapes) {
    it.live(`${what} is named by what to do next`, () =>
      Effect.gen(function* () {
        const error = yield* errorAfter(answer)
        expect(error.reason).toMatchObject(reason)
        expect(error.detail).toContain(detail)
        expect(error).toMatchObject({ account: "contoso", operation: "optOut" })
      })
    )
  }

  it.live("of a read has changed nothing", () =>
    Effect.gen(function* () {
      const { check } = yield* startPair(() => ({ status: 503 }))
      expect((yield* failureOf(check(sender, people(1)))).reason).toMatchObject({ mayHaveApplied: false })
    })
  )
})

describe("a 503", () => {
  it.live("says when to come again, if Azure does", () =>
    Effect.gen(function* () {
      const told = retryAfter(yield* errorAfter({ status: 503, headers: { "retry-after": "17" } }))
      expect(told && Duration.toSeconds(told)).toBe(17)
      expect(retryAfter(yield* errorAfter({ status: 503, headers: {} }))).toBeUndefined()
    })
  )
})

describe("a 429", () => {
  const waits: ReadonlyArray<readonly [Record<string, string>, Duration.Duration | undefined]> = [
    [{ "retry-after": "17" }, Duration.seconds(17)],
    // No time at all is none: a request at once would begin a penalty anew.
    [{ "retry-after": "0" }, undefined],
    [{ "retry-after-ms": "0", "retry-after": "9" }, Duration.seconds(9)],
    [{ "retry-after-ms": "250" }, Duration.millis(250)],
    [{ "x-ms-retry-after-ms": "1500", "retry-after": "9" }, Duration.millis(1500)],
    // A date counts from the date of the answer, not from our clock.
    [{ "retry-after": "Sat, 21 Nov 2026 09:00:30 GMT", date: "Sat, 21 Nov 2026 09:00:00 GMT" }, Duration.seconds(30)],
    [{ "retry-after": "Sat, 21 Nov 2026 08:00:00 GMT", date: "Sat, 21 Nov 2026 09:00:00 GMT" }, undefined],
    [{ "retry-after": "soon" }, undefined],
    [{ "retry-after": "-5" }, undefined],
    [{ "retry-after": "9".repeat(400) }, undefined],
    [{}, undefined]
  ]
  for (const [headers, wait] of waits) {
    it.live(`with ${JSON.stringify(headers).slice(0, 90)}`, () =>
      Effect.gen(function* () {
        const error = yield* errorAfter({ status: 429, headers })
        expect(error.reason._tag).toBe("Throttled")
        const told = retryAfter(error)
        expect(told && Duration.toMillis(told)).toBe(wait && Duration.toMillis(wait))
      })
    )
  }
})

describe("a 401 and the clock", () => {
  const now = Date.UTC(2026, 10, 21, 9)
  const at = (ms: number) => ({ status: 401, headers: { date: new Date(ms).toUTCString() } })

  it.effect("tells how far ours is off, when it is far", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const behind = yield* errorAfter(at(now + 20 * 60_000))
      expect(behind.reason).toMatchObject({ _tag: "Denied", clockSkewMs: -20 * 60_000 })
      expect(behind.detail).toContain("20 minutes behind")
      const ahead = yield* errorAfter(at(now - 60 * 60_000))
      expect(ahead.reason).toMatchObject({ clockSkewMs: 60 * 60_000 })
      expect(ahead.detail).toContain("60 minutes ahead")
    })
  )

  it.effect("says nothing about a clock that is right", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(now)
      const error = yield* errorAfter(at(now + 60_000))
      expect(error.reason).not.toHaveProperty("clockSkewMs")
    })
  )
})

/** Anything Azure could answer, with a number or a key in every place that holds a text. */
const Text = Schema.Literals([
  "+12065551000",
  "12065551000",
  "(206) 555-1000",
  "Recipients +12065551000 and +12065551001 are invalid",
  `key ${accessKey}`,
  accessKey,
  "InvalidInput",
  "Denied"
])
const Body = Schema.Struct({
  error: Schema.optionalKey(Schema.Struct({ code: Text, message: Text, target: Text })),
  title: Text,
  errors: Schema.Record(Text, Schema.Array(Text)),
  value: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        to: Schema.Literals(["+12065551000", "12065551001", "nobody"]),
        httpStatusCode: Schema.Literals([200, 400, 429, 500]),
        errorMessage: Text
      })
    )
  )
})
const Status = Schema.Literals([200, 201, 302, 400, 401, 403, 404, 408, 422, 429, 500, 503])

describe("no error and no outcome", () => {
  it.effect.prop(
    "holds a number or a key",
    [Body, Status],
    ([body, status]) =>
      Effect.scoped(
        Effect.gen(function* () {
          const fake = yield* startFake(() => ({ status, body }))
          const adapter = yield* adapterFor(fake)
          const asked = people(2)
          const told = [
            yield* Effect.result(portOf(adapter.write.optOut).write(sender, asked)),
            yield* Effect.result(portOf(adapter.check).check(sender, asked)),
            yield* Effect.result(adapter.probe(sender))
          ]
          for (const result of told) {
            const texts =
              result._tag === "Failure"
                ? [result.failure.message, JSON.stringify(result.failure), String(result.failure)]
                : (result.success ?? []).map((one) => ("detail" in one ? one.detail : ""))
            for (const text of texts) {
              expect(text.replace(/\D/g, "")).not.toMatch(/206555|5551000/)
              expect(text).not.toContain(accessKey)
            }
          }
        })
      ),
    { arbitrary: { runs: 60 } }
  )
})
