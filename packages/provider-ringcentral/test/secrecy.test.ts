import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Schema } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { generations, open, person, sender } from "./ports.ts"
import { type Answer, configFor, secrets, startRingCentral } from "./server.ts"

const number = "2125550001"
const spellings = [
  person(1),
  `1${number}`,
  number,
  "1 (212) 555-0001",
  "1-212-555-0001",
  "1.212.555.0001",
  "212/555/0001",
  "%2B12125550001",
  "２１２５５５０００１"
]
const things = [...spellings, ...Object.values(secrets), "given-1-11", "https://hooks.example.com/secret-path"]

interface Said {
  readonly headers?: Record<string, string>
  readonly body: unknown
}

/** Where a client may look for what it reports. */
const places: Readonly<Record<string, (said: string) => Said>> = {
  code: (said) => ({ body: { errorCode: said, message: said } }),
  list: (said) => ({ body: { errors: [{ errorCode: said, message: said, parameterValue: said }] } }),
  oauth: (said) => ({ body: { error: said, error_description: said } }),
  html: (said) => ({ headers: { "content-type": "text/html" }, body: `<html>${said}` }),
  requestId: (said) => ({ headers: { rcrequestid: encodeURI(said) }, body: {} }),
  retryAfter: (said) => ({ headers: { "retry-after": encodeURI(said) }, body: {} }),
  row: (said) => ({
    body: {
      records: [
        { from: said, to: said, status: said, id: said },
        { to: said, optStatus: "OptOut", coverage: said },
        said
      ],
      paging: { perPage: 10, nextPageToken: said }
    }
  }),
  failed: (said) => ({
    body: { failedRecords: [{ from: said, to: person(1), error: { errorCode: said, message: said } }, { to: said }] }
  }),
  assigned: (said) => ({ body: { optOuts: { successful: [said], failed: [{ to: said, errorMessage: said }] } } })
}

/** An answer that says something it had better not. */
const Spiteful = Schema.Struct({
  status: Schema.Literals([200, 302, 400, 401, 403, 404, 408, 409, 418, 429, 500, 502, 503]),
  said: Schema.Literals(
    things.flatMap((thing) => ["", "Cannot reach ", "CMN-", "records: "].map((before) => before + thing))
  ),
  api: Schema.Literals(generations),
  place: Schema.Literals(Object.keys(places)),
  atLogin: Schema.Boolean
})

/** The one sentence of RingCentral's that is repeated, since it has no code beside it: nothing secret, but numbers. */
const failure = (spelling: string): Said => {
  const message = `Cannot opt out ${spelling}`
  return {
    body: {
      optOuts: { failed: [{ to: person(1), errorMessage: message }] },
      failedRecords: [{ from: sender, to: person(1), error: { errorCode: spelling, message } }]
    }
  }
}

/** Everything that could come to stand in a log: errors in all their forms, and reasons, but not the readings themselves. */
const loggable = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) {
    return JSON.stringify(exit.value, (key, value: unknown) => (hidden.has(key) ? undefined : value))
  }
  const errors = exit.cause.reasons.filter(Cause.isFailReason).map(({ error }) => String(error))
  return [exit.cause.toString(), JSON.stringify(exit), ...errors].join(" ")
}

/** What the caller asked for is in the answer, and no reason. */
const hidden = new Set(["reading", "recipient"])

const assertSecret = (text: string) => {
  assert.notInclude(text.normalize("NFKC").replace(/\D/gu, ""), number)
  for (const secret of [...Object.values(secrets), "given-1-11", "secret-path"]) assert.notInclude(text, secret)
}

describe("secrecy", () => {
  it.live.prop(
    "no error and no reason holds a secret or a number in full, whatever RingCentral says",
    [Spiteful],
    ([{ api, atLogin, place, said, status }]) =>
      Effect.gen(function* () {
        const answer: Answer = { status, ...places[place]?.(said) }
        const server = yield* startRingCentral(() => answer, { login: () => (atLogin ? answer : undefined) })
        const adapter = yield* makeRingCentralAdapter(configFor(server.url, { api, limits: { concurrency: 8 } }))
        const exits = yield* Effect.all(
          [
            Effect.as(adapter.probe(sender), "probed"),
            // The cursor is RingCentral's own, and needed as it is.
            Effect.map(open(adapter.list).page({ sender, size: 10 }), ({ problems }) => problems),
            open(adapter.check).check(sender, [person(1)]),
            open(adapter.write.optOut).write(sender, [person(1)]),
            open(adapter.write.optIn).write(sender, [person(1)]),
            Effect.as(open(adapter.evidence).since(sender, person(1), 0), "observations"),
            open(adapter.subscription).ensure("https://hooks.example.com/secret-path")
          ].map((each) => Effect.exit<unknown, unknown, never>(each)),
          { concurrency: "unbounded" }
        )
        for (const text of exits.map(loggable)) assertSecret(text)
      }),
    { timeout: 60_000, arbitrary: { runs: 200 } }
  )

  for (const api of generations) {
    for (const spelling of spellings) {
      it.live(`${api}: a failed recipient's reason does not hold ${spelling}`, () =>
        Effect.gen(function* () {
          const server = yield* startRingCentral(() => failure(spelling))
          const adapter = yield* makeRingCentralAdapter(configFor(server.url, { api }))
          const outcomes = yield* Effect.exit(open(adapter.write.optOut).write(sender, [person(1)]))
          assert.include(loggable(outcomes), "it failed")
          assertSecret(loggable(outcomes))
        })
      )
    }
  }
})
