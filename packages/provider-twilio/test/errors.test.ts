/** What an answer means, by what to do next; and what no error may say. */
import { describe, expect, it } from "@effect/vitest"
import { mayHaveApplied, retryAfter } from "@stopline/provider"
import { Deferred, Duration, Effect, Fiber, Logger, References, Tracer } from "effect"
import {
  accountSid,
  adapterAt,
  type Answer,
  apiKeySecret,
  authToken,
  failureOf,
  people,
  type Seen,
  sender,
  startPair
} from "./script.ts"

const [ann] = people(1) as [never]

const error = (status: number, code: number, headers?: Readonly<Record<string, string>>): Answer => ({
  status,
  body: { code, message: "Authenticate +12065551000", more_info: "", status },
  ...(headers && { headers })
})

const html: Answer = { status: 200, headers: { "content-type": "text/html" }, body: "<html>+12065551000</html>" }

describe("an answer", () => {
  const cases: ReadonlyArray<readonly [Answer, object, boolean]> = [
    [error(401, 20_003), { _tag: "Denied", status: 401, code: "20003" }, false],
    [error(403, 20_403), { _tag: "Denied", status: 403 }, false],
    [error(400, 20_001), { _tag: "Refused", status: 400, code: "20001" }, false],
    [error(404, 20_404), { _tag: "Refused", status: 404 }, false],
    [{ status: 302, headers: { location: "/elsewhere" } }, { _tag: "Refused" }, false],
    [error(429, 20_429), { _tag: "Throttled" }, false],
    [error(408, 20_408), { _tag: "Unavailable", status: 408 }, true],
    [error(500, 20_500), { _tag: "Unavailable", status: 500 }, true],
    [{ status: 503, body: "<html>" }, { _tag: "Unavailable", status: 503 }, true],
    [html, { _tag: "Unreadable" }, true],
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

  it.live("of 429 says how long to wait, where it says so", () =>
    Effect.gen(function* () {
      const waitOf = Effect.fn(function* (header?: string) {
        const { optOut } = yield* startPair(() =>
          error(429, 20_429, header === undefined ? {} : { "retry-after": header })
        )
        return retryAfter(yield* failureOf(optOut(sender, [ann])))
      })
      expect(yield* waitOf("7")).toEqual(Duration.seconds(7))
      expect(yield* waitOf("soon")).toBeUndefined()
      expect(yield* waitOf()).toBeUndefined()
    })
  )
})

describe("no answer", () => {
  it.live("leaves open whether the write was done (L7)", () =>
    Effect.gen(function* () {
      const cut = yield* startPair(() => "reset")
      const broken = yield* failureOf(cut.optOut(sender, [ann]))
      expect(broken.reason).toMatchObject({ _tag: "Unavailable", mayHaveApplied: true })
      const mute = yield* startPair(() => "hang", { timeout: Duration.millis(200) })
      const late = yield* failureOf(mute.optOut(sender, [ann]))
      expect(late.reason).toMatchObject({ _tag: "Unavailable", mayHaveApplied: true })
      expect(cut.seen.length + mute.seen.length).toBe(2)
    })
  )

  it.live("is waited for no longer than the caller waits", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<Seen>()
      const { optOut } = yield* startPair((request) => {
        Effect.runSync(Deferred.succeed(asked, request))
        return "hang"
      })
      const writing = yield* Effect.forkChild(optOut(sender, [ann]))
      const { closed } = yield* Deferred.await(asked)
      yield* Fiber.interrupt(writing)
      yield* Effect.promise(() => closed)
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
