import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Redacted, Schema } from "effect"
import { makeRingCentralAdapter, RingCentralConfig } from "../src/index.ts"
import { configFor, secrets } from "./server.ts"

/** Takes what TypeScript would not have let through. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const makeAnyway = (config: object) => makeRingCentralAdapter(config as RingCentralConfig)

const problemOf = (config: object) =>
  Effect.map(Effect.flip(makeAnyway(config)), (error) => `${error.message} ${JSON.stringify(error)}`)

describe("the configuration", () => {
  it.live("can come from a file, and hides its secrets", () =>
    Effect.gen(function* () {
      const config = yield* Schema.decodeUnknownEffect(RingCentralConfig)({
        account: "acme",
        clientId: "app-1",
        ...secrets,
        limits: { requests: 100, window: "30 seconds", penalty: "2 minutes" },
        settle: "5 seconds"
      })
      assert.notInclude(JSON.stringify(config), "hush")
      const adapter = yield* makeRingCentralAdapter(config)
      assert.deepStrictEqual(adapter.limits.slice(0, 1), [
        {
          name: "light",
          credential: "platform.ringcentral.com/app-1",
          requests: 100,
          window: Duration.seconds(30),
          penalty: Duration.minutes(2),
          operations: ["probe", "list", "check", "optOut", "optIn", "evidence"]
        }
      ])
      assert.strictEqual(Duration.toSeconds(adapter.settle), 5)
    })
  )

  it.live("has RingCentral's own limits unless it says otherwise", () =>
    Effect.gen(function* () {
      const { server: _, ...config } = configFor("")
      const { limits, settle } = yield* makeRingCentralAdapter(config)
      assert.deepStrictEqual(
        limits.map(({ name, penalty, requests, window }) => [
          name,
          requests,
          Duration.toSeconds(window),
          Duration.toSeconds(penalty)
        ]),
        [
          ["light", 50, 60, 60],
          ["medium", 40, 60, 60],
          ["auth", 5, 60, 60]
        ]
      )
      assert.strictEqual(Duration.toSeconds(settle), 60)
    })
  )

  it.live("speaks https, and http to this machine only", () =>
    Effect.gen(function* () {
      for (const server of [
        "https://platform.ringcentral.com/",
        "http://localhost:1234",
        "http://127.0.0.1:1",
        "http://[::1]:1"
      ]) {
        yield* makeRingCentralAdapter(configFor(server))
      }
      for (const server of [
        "http://platform.ringcentral.com",
        "http://127.0.0.1.example.com",
        "https://user:hushhush@platform.ringcentral.com",
        "https://platform.ringcentral.com/restapi",
        "https://platform.devtest.ringcentral.com",
        "ftp://localhost",
        "platform.ringcentral.com"
      ]) {
        const problem = yield* problemOf(configFor(server))
        assert.include(problem, "acme: ")
        assert.notInclude(problem, "hush")
      }
    })
  )

  it.live("names the place of a mistake and never the value", () =>
    Effect.gen(function* () {
      const config = configFor("https://platform.ringcentral.com")
      for (const [place, wrong] of [
        ["jwt", { jwt: secrets.jwt }],
        ["clientSecret", { clientSecret: Redacted.make("") }],
        ["verificationToken", { verificationToken: Redacted.make("hush") }],
        ["verificationToken", { verificationToken: Redacted.make("hush hush hush hush") }],
        ["accountId", { accountId: "../hush" }],
        ["concurrency", { limits: { concurrency: 0 } }]
      ] as const) {
        const problem = yield* problemOf({ ...config, ...wrong })
        assert.include(problem, place)
        assert.notInclude(problem, "hush")
      }
    })
  )
})
