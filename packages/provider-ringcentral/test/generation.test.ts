import { assert, describe, it } from "@effect/vitest"
import { startSandbox } from "@stopline/sandbox"
import { Effect, Logger, Redacted, References } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { generations, open, person, sender } from "./ports.ts"
import { type Answer, configFor, type Seen, startRingCentral } from "./server.ts"

/** What was logged meanwhile, by level. */
const overhear = <A, E, R>(work: Effect.Effect<A, E, R>) => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => lines.push(`${logLevel}: ${JSON.stringify(message)}`))
  return work.pipe(
    Effect.provide(Logger.layer([logger])),
    Effect.provideService(References.MinimumLogLevel, "Debug"),
    Effect.map((value) => ({ value, lines }))
  )
}

const page = { records: [], paging: { perPage: 1000 } }
const isSearch = ({ path }: Seen) => path.endsWith("/sms/consents/search")

const startAuto = Effect.fn(function* (
  newer: (attempt: number) => Answer,
  login?: (attempt: number) => Answer | undefined
) {
  let attempts = 0
  const server = yield* startRingCentral(
    (seen) => (isSearch(seen) ? newer(++attempts) : { body: { ...page, optOuts: { successful: [person(1)] } } }),
    login === undefined ? {} : { login }
  )
  const adapter = yield* makeRingCentralAdapter(configFor(server.url, { api: "auto" }))
  const steps = () => server.calls().map((seen) => `${seen.method} ${seen.path.split("/").slice(2).join("/")}`)
  return { adapter, steps }
})

const newer = "POST v2/accounts/~/sms/consents/search"
const older = "GET v1.0/account/~/a2p-sms/opt-outs"

describe("which API is spoken", () => {
  for (const only of generations) {
    it.live(`is ${only} where an account serves only that`, () =>
      Effect.gen(function* () {
        const sandbox = yield* startSandbox({
          optedOut: 3,
          accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender], api: only }]
        })
        const [account] = sandbox.accounts
        if (account?.vendor !== "ringcentral") return yield* Effect.die("no RingCentral account")
        const { clientId, clientSecret, jwt } = account.credentials
        const { api: _, ...config } = configFor(account.url, {
          clientId,
          clientSecret: Redacted.make(clientSecret),
          jwt: Redacted.make(jwt)
        })
        const { lines } = yield* overhear(
          Effect.gen(function* () {
            const adapter = yield* makeRingCentralAdapter(config)
            const { readings } = yield* open(adapter.list).page({ size: 10 })
            assert.strictEqual(readings.length, 3)
            assert.strictEqual(readings[0]?.at === undefined, only === "v1", "only the newer API tells times")
            const outcomes = yield* open(adapter.write.optOut).write(sender, [person(1)])
            assert.strictEqual(outcomes[0]?._tag, "Held")
            const [answer] = yield* open(adapter.check).check(sender, [person(1)])
            assert.strictEqual(answer?._tag === "Known" && answer.reading.state, "opted-out")
            yield* adapter.probe(sender)
          })
        )
        assert.strictEqual(lines.length, 1, "decided and said once")
        assert.match(lines[0]!, only === "v1" ? /^Warn: .*\(v2\) is closed.*404/ : /^Debug: .*\(v2\) answers/)
      })
    )
  }

  for (const status of [404, 403]) {
    it.live(`${status} is taken for an answer, for as long as the process lives`, () =>
      Effect.gen(function* () {
        const { adapter, steps } = yield* startAuto((attempt) => (attempt === 1 ? { status } : { body: page }))
        const { lines } = yield* overhear(Effect.repeat(adapter.probe(sender), { times: 2 }))
        assert.deepStrictEqual(steps(), [newer, older, older, older])
        assert.include(lines.join(), `RingCentral answered ${status}`)
      })
    )
  }

  it.live("is not decided by what may pass, and everybody who waited is told", () =>
    overhear(
      Effect.gen(function* () {
        for (const passing of [{ status: 503 }, { status: 400 }, { body: "<html>" }, "reset"] as const) {
          const { adapter, steps } = yield* startAuto((attempt) => (attempt === 1 ? passing : { body: page }))
          const both = yield* Effect.all([Effect.result(adapter.probe(sender)), Effect.result(adapter.probe(sender))], {
            concurrency: 2
          })
          assert.deepStrictEqual(
            both.map(({ _tag }) => _tag),
            ["Failure", "Failure"]
          )
          yield* adapter.probe(sender)
          assert.deepStrictEqual(steps(), [newer, newer, newer], JSON.stringify(passing))
        }
      })
    )
  )

  it.live("is not decided by a penalty, during which nothing is asked", () =>
    overhear(
      Effect.gen(function* () {
        const { adapter, steps } = yield* startAuto(() => ({ status: 429 }))
        for (const _ of ["first", "second"]) {
          const error = yield* Effect.flip(adapter.probe(sender))
          assert.strictEqual(error.reason._tag, "Throttled")
          assert.deepStrictEqual(steps(), [newer])
        }
      })
    )
  )

  it.live("is not decided by a login that is refused", () =>
    overhear(
      Effect.gen(function* () {
        const { adapter, steps } = yield* startAuto(
          () => ({ body: page }),
          (attempt) => (attempt === 1 ? { status: 403 } : undefined)
        )
        const error = yield* Effect.flip(open(adapter.list).page({ size: 1 }))
        assert.deepStrictEqual([error.operation, error.reason._tag], ["list", "Denied"])
        yield* adapter.probe(sender)
        assert.deepStrictEqual(steps(), [newer, newer])
      })
    )
  )

  it.live("promises no more than both bear until it is known", () =>
    overhear(
      Effect.gen(function* () {
        const { adapter } = yield* startAuto(() => ({ body: page }))
        const bounds = () => [open(adapter.write.optOut).maxRecipients, open(adapter.check).maxRecipients]
        assert.deepStrictEqual(bounds(), [100, 1])
        yield* adapter.probe(sender)
        assert.deepStrictEqual(bounds(), [1000, 20])
        const config = configFor("http://127.0.0.1:1", { api: "auto", limits: { recipients: 5000 } })
        const eager = yield* makeRingCentralAdapter(config)
        assert.strictEqual(open(eager.write.optOut).maxRecipients, 1000)
      })
    )
  )

  it.live("is asked once by however many begin together", () =>
    overhear(
      Effect.gen(function* () {
        const { adapter, steps } = yield* startAuto(() => ({ status: 404 }))
        const work = [
          Effect.asVoid(open(adapter.list).page({ size: 1 })),
          Effect.asVoid(open(adapter.write.optOut).write(sender, [person(1)])),
          Effect.asVoid(open(adapter.write.optIn).write(sender, [person(1)])),
          Effect.asVoid(open(adapter.evidence).since(sender, person(1), 0)),
          adapter.probe(sender)
        ]
        yield* Effect.all(work, { concurrency: "unbounded", discard: true })
        assert.strictEqual(steps().filter((step) => step === newer).length, 1)
        assert.strictEqual(steps().length, 6)
      })
    )
  )
})
