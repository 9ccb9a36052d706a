import { assert, describe, it } from "@effect/vitest"
import { mayHaveApplied, type ProviderError, retryAfter } from "@stopline/provider"
import { Duration, Effect, Exit, Scope } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { type Generation, generations, open, person, sender } from "./ports.ts"
import { type Answer, configFor, emptyList, startRingCentral } from "./server.ts"

/** What a read and a write make of one answer. */
const bothMeet = Effect.fn(function* (api: Generation, answer: Answer, timeout = Duration.seconds(30)) {
  const server = yield* startRingCentral(() => answer)
  const adapter = yield* makeRingCentralAdapter(configFor(server.url, { api, timeout }))
  const read = yield* Effect.flip(open(adapter.list).page({ sender, size: 10 }))
  const write = yield* Effect.flip(open(adapter.write.optOut).write(sender, [person(1)]))
  return { read, write, server }
})

const doubt = (errors: { readonly read: ProviderError; readonly write: ProviderError }) => [
  mayHaveApplied(errors.read),
  mayHaveApplied(errors.write)
]

const fieldsOf = ({ reason }: ProviderError) => Object.fromEntries(Object.entries(reason))

const apiError = (errorCode: string) => ({ errorCode, message: "Parameter [from] +16505550100 value is invalid." })

describe.each(generations)("%s: an answer is an error by what to do next", (api) => {
  for (const { answer, reason } of [
    { answer: { status: 400, body: apiError("CMN-101") }, reason: { _tag: "Refused", status: 400, code: "CMN-101" } },
    { answer: { status: 404, body: apiError("CMN-102") }, reason: { _tag: "Refused", status: 404, code: "CMN-102" } },
    { answer: { status: 403, body: apiError("CMN-401") }, reason: { _tag: "Denied", status: 403, code: "CMN-401" } },
    {
      answer: { status: 403, body: { errors: [{ errorCode: "CMN-408", message: "" }] } },
      reason: { _tag: "Denied", status: 403, code: "CMN-408" }
    },
    { answer: { status: 403, body: "<html>" }, reason: { _tag: "Denied", status: 403 } },
    { answer: { status: 418, body: { errorCode: "+16505550100" } }, reason: { _tag: "Refused", status: 418 } }
  ]) {
    it.live(`${answer.status} is ${reason._tag}`, () =>
      Effect.gen(function* () {
        const errors = yield* bothMeet(api, answer)
        for (const error of [errors.read, errors.write]) assert.deepStrictEqual<object>(fieldsOf(error), reason)
        assert.deepStrictEqual([errors.read.operation, errors.write.operation], ["list", "optOut"])
        assert.deepStrictEqual(doubt(errors), [false, false])
        // All of a write refused as no good: one record is tried that also names its coverage.
        const trials = api === "v2" && answer.status === 400 ? 1 : 0
        assert.strictEqual(errors.server.calls().length, 2 + trials, "nothing else is tried twice")
      })
    )
  }

  it.live("401 is Denied after one more login", () =>
    Effect.gen(function* () {
      const { read, server } = yield* bothMeet(api, { status: 401, body: apiError("OAU-129") })
      assert.deepInclude(read.reason, { _tag: "Denied", status: 401, code: "OAU-129" })
      assert.strictEqual(server.logins(), 3)
    })
  )

  for (const status of [408, 500, 502, 503, 504]) {
    it.live(`${status} is Unavailable, and leaves doubt about a write`, () =>
      Effect.gen(function* () {
        const errors = yield* bothMeet(api, { status, headers: { "retry-after": "5" } })
        assert.deepInclude(errors.read.reason, { _tag: "Unavailable", status })
        assert.strictEqual(Duration.toSeconds(retryAfter(errors.read)!), 5)
        assert.deepStrictEqual(doubt(errors), [false, true])
        assert.strictEqual(errors.server.calls().length, 2)
      })
    )
  }

  it.live("a megabyte of HTML with 502 is Unavailable", () =>
    Effect.gen(function* () {
      const body = `<html>${"gateway ".repeat(150_000)}</html>`
      const errors = yield* bothMeet(api, { status: 502, headers: { "content-type": "text/html" }, body })
      assert.deepInclude(errors.read.reason, { _tag: "Unavailable", status: 502 })
      assert.isBelow(errors.read.message.length, 200)
    })
  )

  it.live("the request id is told, unless it looks like a number", () =>
    Effect.gen(function* () {
      const id = "3f2ab17c-9d04-11f0-8a0e-0a1b2c3d4e5f"
      const told = yield* bothMeet(api, { status: 500, headers: { rcrequestid: id } })
      assert.strictEqual(told.read.detail, `RingCentral answered 500 (request ${id})`)
      const hidden = yield* bothMeet(api, { status: 500, headers: { rcrequestid: "16505550100" } })
      assert.strictEqual(hidden.read.detail, "RingCentral answered 500")
    })
  )
})

describe.each(generations)("%s: 429 is Throttled", (api) => {
  const throttled = (headers: Record<string, string>) =>
    Effect.map(bothMeet(api, { status: 429, headers, body: apiError("CMN-301") }), ({ read, server, write }) => {
      assert.strictEqual(read.reason._tag, "Throttled")
      assert.strictEqual(write.reason._tag, "Throttled")
      assert.strictEqual(server.calls().length, 1, "no try of its own, and nothing during the penalty")
      return retryAfter(read)
    })

  it.live("with seconds", () =>
    Effect.gen(function* () {
      assert.strictEqual(Duration.toSeconds((yield* throttled({ "retry-after": "61" }))!), 61)
    })
  )

  it.live("with a date, counted by the provider's own clock", () =>
    Effect.gen(function* () {
      const headers = { date: "Tue, 03 Feb 2026 10:00:00 GMT", "retry-after": "Tue, 03 Feb 2026 10:00:45 GMT" }
      assert.strictEqual(Duration.toSeconds((yield* throttled(headers))!), 45)
    })
  )

  it.live("without a time that makes sense", () =>
    Effect.gen(function* () {
      for (const header of [undefined, "-5", "soon", "0x10", "0", "Tue, 03 Feb 2015 10:00:45 GMT"]) {
        assert.isUndefined(yield* throttled(header === undefined ? {} : { "retry-after": header }))
      }
    })
  )
})

describe.each(generations)("%s: 2xx that cannot be read is Unreadable", (api) => {
  for (const [name, answer] of Object.entries<Answer>({
    html: { headers: { "content-type": "text/html" }, body: "<html>Sign in</html>" },
    empty: { body: "" },
    null: { body: "null" },
    "cut JSON": { body: '{"records":[' },
    "another shape": { body: { records: "none", paging: [], optOuts: "none", failedRecords: "none" } }
  })) {
    it.live(name, () =>
      Effect.gen(function* () {
        const errors = yield* bothMeet(api, answer)
        assert.deepStrictEqual([errors.read.reason._tag, errors.write.reason._tag], ["Unreadable", "Unreadable"])
        assert.deepStrictEqual(doubt(errors), [false, true])
      })
    )
  }
})

describe.each(generations)("%s: a redirect", (api) => {
  const moved = (status: number, location: string) =>
    Effect.fn(function* (answer: Answer) {
      const server = yield* startRingCentral(({ query }) =>
        query.has("moved") ? answer : { status, headers: { location } }
      )
      const adapter = yield* makeRingCentralAdapter(configFor(server.url, { api }))
      return { adapter, calls: () => server.calls().map(({ body, method }) => ({ body, method })) }
    })

  for (const status of [301, 302, 303, 307, 308]) {
    it.live(`by ${status} is followed with the same request (L5, L9)`, () =>
      Effect.gen(function* () {
        const body = { ...emptyList, optOuts: { successful: [person(1)] } }
        const { adapter, calls } = yield* moved(status, "/elsewhere?moved=1")({ body })
        yield* open(adapter.list).page({ sender, size: 10 })
        yield* Effect.ignore(open(adapter.write.optOut).write(sender, [person(1)]))
        const [list, movedList, write, movedWrite] = calls()
        assert.deepStrictEqual([movedList, movedWrite], [list, write])
        assert.include(write?.body, person(1))
      })
    )
  }

  it.live("to another server, in circles, or to nowhere is no answer", () =>
    Effect.gen(function* () {
      for (const location of ["http://127.0.0.1:9/?moved=1", "/elsewhere", "http://"]) {
        const { adapter } = yield* moved(302, location)({ body: emptyList })
        const read = yield* Effect.flip(open(adapter.list).page({ sender, size: 10 }))
        const write = yield* Effect.flip(open(adapter.write.optOut).write(sender, [person(1)]))
        assert.deepStrictEqual([read.reason._tag, write.reason._tag], ["Unavailable", "Unavailable"])
        assert.deepStrictEqual(doubt({ read, write }), [false, true])
        assert.notMatch(read.message + write.message, /elsewhere|127/)
      }
    })
  )
})

describe.each(generations)("%s: no answer is Unavailable", (api) => {
  for (const answer of ["hang", "stall"] as const) {
    it.live(`a server that ${answer}s runs into the timeout`, () =>
      Effect.gen(function* () {
        const errors = yield* bothMeet(api, answer, Duration.millis(150))
        assert.strictEqual(errors.read.reason._tag, "Unavailable")
        assert.strictEqual(errors.read.detail, "no answer came in time")
        assert.deepStrictEqual(doubt(errors), [false, true])
      })
    )
  }

  it.live("a reset connection leaves doubt about a write", () =>
    Effect.gen(function* () {
      const errors = yield* bothMeet(api, "reset")
      assert.strictEqual(errors.read.reason._tag, "Unavailable")
      assert.deepStrictEqual(doubt(errors), [false, true])
    })
  )

  it.live("a refused connection leaves none: nothing was sent", () =>
    Effect.gen(function* () {
      const running = yield* Scope.make()
      const server = yield* Scope.provide(
        startRingCentral(() => ({ body: emptyList })),
        running
      )
      const known = yield* makeRingCentralAdapter(configFor(server.url, { api }))
      const fresh = yield* makeRingCentralAdapter(configFor(server.url, { api }))
      yield* known.probe(sender)
      yield* Scope.close(running, Exit.void)
      // Finds the connection that was kept open closed.
      yield* Effect.ignore(known.probe(sender))
      for (const [adapter, where] of [
        [known, ""],
        [fresh, "login: "]
      ] as const) {
        const error = yield* Effect.flip(open(adapter.write.optIn).write(sender, [person(1)]))
        assert.deepInclude(error.reason, { _tag: "Unavailable", mayHaveApplied: false })
        assert.strictEqual(error.detail, `${where}the connection was never made (ECONNREFUSED)`)
      }
    })
  )
})
