/** The last line of defence against numbers in logs: it is tried with what somebody could write by mistake. */
import { describe, expect, it } from "@effect/vitest"
import { Console, Effect, Schema } from "effect"
import { logLayer } from "../src/index.ts"
import { maskingReplacer, maskNumbers } from "../src/telemetry/numbers.ts"

const hostile = [
  "+15550100001",
  "tel:+15550100001",
  "<sip:+15550100001@example.com>",
  "from=%2B15550100001&to=%2b14255550123",
  "+1 (555) 010-0001",
  "+1-555-010-0001",
  "+1.555.010.0001",
  "+1 555 010 0001",
  "+44 20 7946 0018",
  "+4915123456789",
  "\uFF0B\uFF11\uFF15\uFF15\uFF15\uFF10\uFF11\uFF10\uFF10\uFF10\uFF10\uFF11",
  "+\u0661\u0665\u0665\u0665\u0660\u0661\u0660\u0660\u0660\u0660\u0661",
  '{"phone":"\\u002b15550100001"}',
  "&#43;15550100001",
  "recipient 14255550123 was refused",
  "14255550123:20500",
  "(425) 555-0123",
  "425-555-0123",
  "x+15550100001x+14255550123"
]

/** No seven digits in a row, however they are set apart. */
const tellsNumber = (text: string) => /\p{Nd}(?:[\s().\p{Pd}/]{0,3}\p{Nd}){8,}/u.test(text)

const harmless = [
  "2026-11-21T18:24:35.123Z",
  "2026-11-21 18:24:35Z",
  "1763749475123",
  "after 1234 ms",
  "20500",
  "10.0.0.1:54321",
  "worker@host:4711",
  "3f2a9c0d11ee",
  "+00:00",
  "count=12 limit=1000 population=123456",
  "123456789012345678901234567890"
]

const logged = (format: "json" | "text", log: Effect.Effect<void>) => {
  const lines: Array<string> = []
  const console = Object.assign(Object.create(globalThis.console), {
    error: (line: string) => lines.push(line)
  }) as Console.Console
  return log.pipe(Effect.provide(logLayer(format)), Effect.provideService(Console.Console, console), Effect.as(lines))
}

const Line = Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown))

describe("a number", () => {
  for (const text of hostile) {
    it(`is masked in ${JSON.stringify(text)} (L14)`, () => {
      expect(tellsNumber(maskNumbers(text))).toBe(false)
      expect(maskNumbers(text)).toContain("•••")
      expect(JSON.parse(JSON.stringify({ text }, maskingReplacer)).text).toBe(maskNumbers(text))
    })
  }

  for (const text of harmless) {
    it(`is not seen in ${text}`, () => expect(maskNumbers(text)).toBe(text))
  }

  it("is masked wherever it stands in a line: message, fields and their names, causes (L14)", () =>
    Effect.gen(function* () {
      const number = "+15550100001"
      const line = Effect.logError(`refused ${number}`, { to: number, deep: [{ [number]: 14255550123 }] }).pipe(
        Effect.annotateLogs({ from: number, digits: 14255550123, [number]: "name" }),
        Effect.andThen(Effect.logError(new Error(`failed for ${number}`)))
      )
      for (const format of ["json", "text"] as const) {
        const lines = yield* logged(format, line)
        expect(lines).toHaveLength(2)
        for (const one of lines) {
          expect(one).not.toMatch(/5550100001|4255550123/)
          expect(one).toContain("+1555•••0001")
        }
      }
    }).pipe(Effect.runPromise))

  it("is looked for in a line that is JSON, with what a line has", () =>
    Effect.gen(function* () {
      const [line = ""] = yield* logged(
        "json",
        Effect.logWarning("it is so").pipe(
          Effect.annotateLogs({ account: "contoso", at: 1763749475123 }),
          Effect.withSpan("look")
        )
      )
      expect(Schema.decodeUnknownSync(Line)(line)).toEqual({
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        level: "warn",
        message: "it is so",
        annotations: { account: "contoso", at: 1763749475123 },
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
        spanId: expect.stringMatching(/^[0-9a-f]{16}$/)
      })
    }).pipe(Effect.runPromise))

  it("is taken out of attributes, and times and sizes are left alone", () => {
    const data = {
      attributes: [{ key: "n", value: { intValue: 14255550123 } }],
      dataPoints: [{ asInt: "12884901888", asDouble: 12884901888, timeUnixNano: "14255550123000000000" }],
      traceId: "14255550123aaaaaaaaaaaaaaaaaaaaa",
      bad: Number.NaN
    }
    expect(JSON.parse(JSON.stringify(data, maskingReplacer))).toEqual({
      ...data,
      attributes: [{ key: "n", value: { intValue: 0 } }],
      dataPoints: [{ ...data.dataPoints[0], asInt: "12884901888" }],
      bad: "NaN"
    })
  })
})
