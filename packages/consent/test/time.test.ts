import { assert, describe, it } from "@effect/vitest"
import { by, clockSlack, parseTimestamp, point, toldOf } from "@stopline/consent"
import { Schema } from "effect"

const second = Date.UTC(2026, 10, 20, 12, 30, 45)

describe("a provider's timestamp", () => {
  it.each([
    // It says no more than its digits.
    ["2026-11-20T12:30:45Z", 0, 999],
    ["2026-11-20T12:30:45.1Z", 100, 199],
    ["2026-11-20T12:30:45.12Z", 120, 129],
    ["2026-11-20T12:30:45.123Z", 123, 123],
    // Beyond the millisecond it is a span, never a moment too early or too late.
    ["2026-11-20T12:30:45.1234Z", 123, 124],
    ["2026-11-20T12:30:45.12301Z", 123, 124],
    ["2026-11-20T12:30:45.123000Z", 123, 123],
    ["2026-11-20T12:30:45.1234567Z", 123, 124],
    ["2026-11-20T12:30:45.99999999Z", 999, 1000],
    ["2026-11-20T12:30:45.000000001Z", 0, 1],
    ["2026-11-20T12:30:45.123000000Z", 123, 123]
  ])("%s is %i to %i ms into its second", (text, notBefore, notAfter) =>
    assert.deepStrictEqual(parseTimestamp(text), { notBefore: second + notBefore, notAfter: second + notAfter })
  )

  it.each([
    "2026-11-20T12:30:45+00:00",
    "2026-11-20T12:30:45-00:00",
    "2026-11-20T12:30:45+0000",
    "2026-11-20t12:30:45z",
    "2026-11-20 12:30:45Z",
    " 2026-11-20T12:30:45Z\n",
    "2026-11-20T18:00:45+05:30",
    "2026-11-20T18:00:45+0530",
    "2026-11-20T04:30:45-08:00",
    "2026-11-21T00:30:45+12:00"
  ])("%j is the same second", (text) =>
    assert.deepStrictEqual(parseTimestamp(text), { notBefore: second, notAfter: second + 999 })
  )

  it("keeps the fraction in another zone", () =>
    assert.deepStrictEqual(parseTimestamp("2026-11-20T04:30:45.500-08:00"), point(second + 500)))

  it.each(["2000-01-01T00:00:00Z", "2024-02-29T00:00:00Z", "2026-12-31T23:59:59Z", "2026-01-01T24:00:00Z"])(
    "%s exists",
    (text) => assert.isDefined(parseTimestamp(text))
  )

  it.each([
    "",
    "yesterday",
    "1763641845",
    "2026-11-20",
    "2026-11-20T12:30Z",
    // Without a zone nobody knows when it was.
    "2026-11-20T12:30:45",
    "2026-11-20T12:30:45.Z",
    "2026-11-20T12:30:45.1234567890Z",
    "2026-11-20T12:30:45,5Z",
    "2026-11-20T12:30:45 UTC",
    "2026-11-20T25:30:45Z",
    "2026-11-20T12:60:45Z",
    "2026-11-20T12:30:60Z",
    "2026-13-20T12:30:45Z",
    "2026-00-20T12:30:45Z",
    "2026-11-00T12:30:45Z",
    "2026-11-31T12:30:45Z",
    "2026-02-29T12:30:45Z",
    "2026-02-30T12:30:45+0000",
    "2026-11-20T12:30:45+99:99",
    "Fri, 20 Nov 2026 12:30:45 GMT",
    // What programs write who have no time. Taken for one, a STOP would be older than every START.
    "0001-01-01T00:00:00Z",
    "1970-01-01T00:00:00.000+00:00",
    "1900-01-01T00:00:00Z",
    "1999-12-31T23:59:59Z"
  ])("%j is none", (text) => assert.isUndefined(parseTimestamp(text)))

  const Nanoseconds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999_999_999 }))

  it.prop("encloses the moment, in an interval of a millisecond at most", [Nanoseconds], ([nanoseconds]) => {
    const time = parseTimestamp(`2026-11-20T12:30:45.${String(nanoseconds).padStart(9, "0")}Z`)!
    const exact = nanoseconds / 1_000_000
    assert.isAtMost(time.notBefore - second, exact)
    assert.isAtLeast(time.notAfter - second, exact)
    assert.isAtMost(time.notAfter - time.notBefore, 1)
  })

  it.prop("never throws", [Schema.String], ([text]) => {
    parseTimestamp(text)
    parseTimestamp(`2026-11-20T12:30:45${text}`)
  })
})

describe("what is told of", () => {
  const heardAt = 1_000_000
  const day = 24 * 60 * 60 * 1000
  const late = (ms: number) => ({ notBefore: heardAt - 1, notAfter: heardAt + ms })

  it("has not happened after it was heard of, and an opt-in least of all (L3, L4)", () => {
    for (const [state, trusted] of [
      ["opted-in", clockSlack],
      ["opted-out", day]
    ] as const) {
      for (const time of [point(heardAt - 1), by(heardAt), point(heardAt + trusted), late(trusted)])
        assert.strictEqual(toldOf(state, time, heardAt), time, "as it was told")
      assert.deepStrictEqual(toldOf(state, point(heardAt + trusted + 1), heardAt), point(heardAt))
      assert.deepStrictEqual(toldOf(state, late(trusted + 1), heardAt), { notBefore: heardAt - 1, notAfter: heardAt })
      assert.deepStrictEqual(toldOf(state, by(Number.POSITIVE_INFINITY), heardAt), by(heardAt))
    }
  })
})

describe("an interval", () => {
  it("is a point when the moment is known", () => assert.deepStrictEqual(point(7), { notBefore: 7, notAfter: 7 }))

  it("is open to the past when something was first seen", () =>
    assert.deepStrictEqual(by(7), { notBefore: Number.NEGATIVE_INFINITY, notAfter: 7 }))
})
