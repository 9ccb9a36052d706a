/** What an answer means beside what the laws try; and what no trace may say. */
import { describe, expect, it } from "@effect/vitest"
import { mayHaveApplied, retryAfter } from "@stopline/provider"
import { Duration, Effect, Logger, References, Tracer } from "effect"
import {
  accountSid,
  adapterAt,
  type Answer,
  apiKeySecret,
  authToken,
  failureOf,
  people,
  sender,
  startPair
} from "./script.ts"

const [ann] = people(1) as [never]

const error = (status: number, code: number, headers?: Readonly<Record<string, string>>): Answer => ({
  status,
  body: { code, message: "Authenticate +12065551000", more_info: "", status },
  ...(headers && { headers })
})

describe("an answer", () => {
  const cases: ReadonlyArray<readonly [Answer, object, boolean]> = [
    [error(401, 20_003), { _tag: "Denied", status: 401, code: "20003" }, false],
    [error(400, 20_001), { _tag: "Refused", status: 400, code: "20001" }, false],
    [{ status: 302, headers: { location: "/elsewhere" } }, { _tag: "Refused" }, false],
    [error(408, 20_408), { _tag: "Unavailable", status: 408 }, true],
    [{ status: 503, body: "<html>" }, { _tag: "Unavailable", status: 503 }, true],
    [{ status: 201, body: { items: null } }, { _tag: "Unreadable" }, true],
    [{ status: 201, body: {} }, { _tag: "Unreadable" }, true],
    [{ status: 201, body: "" }, { _tag: "Unreadable" }, true]
  ]
  for (const [answer, reason, applied] of cases) {
    it.live(`of ${answer.status} ${JSON.stringify(reason)}, asked once`, () =>
      Effect.gen(function* () {
        const { adapter, evidence, optOut, seen } = yield* startPair(() => answer)
        const written = yield* failureOf(optOut(sender, [ann]))
        expect(written.reason).toMatchObject(reason)
        expect(written.operation).toBe("optOut")
        expect(mayHaveApplied(written)).toBe(applied)
        expect(seen).toHaveLength(1)
        // A read applies nothing.
        for (const asked of [evidence(sender, ann, 0), adapter.probe(sender)]) {
          const told = yield* failureOf(asked)
          expect(told.reason).toMatchObject(reason)
          expect(mayHaveApplied(told)).toBe(false)
        }
        expect(`${written.message} ${JSON.stringify(written)}`).not.toContain("2065551000")
      })
    )
  }

  const date = "Tue, 03 Feb 2026 10:00:00 GMT"
  for (const [header, seconds] of [
    ["20", 20],
    ["Tue, 03 Feb 2026 10:05:00 GMT", 300],
    ["Tue, 03 Feb 2026 09:59:00 GMT", undefined],
    ["2026", 2026],
    ["-5", undefined]
  ] as const) {
    it.live(`says how long to wait, in seconds or as a date, with 429 as with 503: ${header}`, () =>
      Effect.gen(function* () {
        for (const status of [429, 503]) {
          const { optOut } = yield* startPair(() => error(status, 20_429, { date, "retry-after": header }))
          const told = retryAfter(yield* failureOf(optOut(sender, [ann])))
          expect([status, told && Duration.toSeconds(told)]).toEqual([status, seconds])
        }
      })
    )
  }

  it.live("of 429 with a time that is none names none", () =>
    Effect.gen(function* () {
      const { optOut } = yield* startPair(() => error(429, 20_429, { "retry-after": "soon" }))
      const failed = yield* failureOf(optOut(sender, [ann]))
      expect(failed.reason._tag).toBe("Throttled")
      expect(retryAfter(failed)).toBeUndefined()
    })
  )
})

describe("a configuration", () => {
  it.live("that would send the key somewhere strange is refused, without repeating it", () =>
    Effect.gen(function* () {
      for (const url of [
        "http://accounts.twilio.example",
        "https://user:pass@example.com",
        "https://x.example/path",
        "no"
      ]) {
        const told = yield* Effect.flip(adapterAt(url))
        expect(told._tag).toBe("TwilioConfigError")
        expect(told.message).not.toMatch(/pass|made-up/)
      }
      expect(yield* Effect.result(adapterAt("https://accounts.twilio.example"))).toMatchObject({ _tag: "Success" })
    })
  )
})

describe("secrecy", () => {
  it.live("holds in traces, logs and errors, although Twilio takes numbers in a query (L14)", () =>
    Effect.gen(function* () {
      const said: Array<string> = []
      const tracer = Tracer.make({
        span: (options) => {
          const span = new Tracer.NativeSpan(options)
          const end = span.end.bind(span)
          span.end = (at, exit) => {
            said.push(span.name, JSON.stringify([...span.attributes]), JSON.stringify(exit))
            end(at, exit)
          }
          return span
        }
      })
      const logger = Logger.make(({ message }) => void said.push(JSON.stringify(message)))
      const { evidence, optOut } = yield* startPair(() => error(500, 20_500))
      yield* Effect.all([Effect.exit(evidence(sender, ann, 0)), Effect.exit(optOut(sender, [ann]))]).pipe(
        Effect.provideService(Tracer.Tracer, tracer),
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "All")
      )
      const text = said.join("\n")
      expect(text).toContain("Messages.json")
      expect(text).toContain(accountSid)
      for (const secret of [String(ann).slice(1), apiKeySecret, authToken, btoa(apiKeySecret)]) {
        expect(text).not.toContain(secret)
      }
    })
  )
})
