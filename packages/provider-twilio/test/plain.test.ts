/** Twilio without Effect, and as a service. */
import { assert, describe, it } from "@effect/vitest"
import { startSandbox } from "@stopline/sandbox"
import { Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { createTwilioProvider, ProviderCallError, ProviderConfigError, Twilio } from "../src/index.ts"
import { account, sender } from "./script.ts"

const url = "https://sms.example.com/"

const start = Effect.fn(function* () {
  const sandbox = yield* startSandbox({ accounts: [{ vendor: "twilio", name: account, senders: [sender] }] })
  const [twilio] = sandbox.accounts
  if (twilio?.vendor !== "twilio") return yield* Effect.die("the sandbox has no Twilio account")
  const { accountSid, apiKey, apiKeySecret, authToken } = twilio.credentials
  const settings = { accountSid, apiKey, apiKeySecret, senders: [sender], accountsUrl: twilio.url, timeout: 10_000 }
  const provider = yield* Effect.acquireRelease(
    Effect.sync(() => createTwilioProvider({ ...settings, webhook: { url, authToken } })),
    (opened) => Effect.promise(opened.close)
  )
  return { provider, sandbox, settings, ann: sandbox.people[0]!, bob: sandbox.people[1]! }
})

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => assert.fail("it was kept"),
    (error: unknown) => error
  )

describe("the plain face of Twilio", () => {
  it.live("writes, with one outcome for each number as it was given", () =>
    Effect.gen(function* () {
      const { ann, bob, provider, sandbox } = yield* start()
      yield* Effect.promise(async () => {
        await provider.probe(sender)
        const written = await provider.optOut(sender, [ann, "nobody", bob])
        assert.deepStrictEqual(
          written.map(({ number, outcome }) => [number, outcome]),
          [
            [ann, "held"],
            ["nobody", "rejected"],
            [bob, "held"]
          ]
        )
        assert.deepInclude((await provider.optIn(sender, [bob]))[0], { number: bob, outcome: "held" })
      })
      const { senders } = yield* sandbox.state(account)
      assert.deepStrictEqual(senders[0]?.optedOut, [ann])
    })
  )

  it.live("says what went wrong by what to do next, and what it needs to hear", () =>
    Effect.gen(function* () {
      const { ann, provider, sandbox, settings } = yield* start()
      yield* sandbox.fault({ account, kind: "throttle", retryAfter: 3, times: 1 })
      const error = yield* Effect.promise(() => rejection(provider.optOut(sender, [ann])))
      assert.instanceOf(error, ProviderCallError)
      assert.deepInclude(error, { reason: "Throttled", mayHaveApplied: false, retryAfter: 3000 })
      const deaf = createTwilioProvider(settings)
      const request = { headers: {}, body: "" }
      assert.match(String(yield* Effect.promise(() => rejection(deaf.receive(request)))), /authToken/)
      const heard = yield* Effect.promise(() => provider.receive(request))
      assert.deepInclude(heard, { kind: "not-authentic", facts: [] })
      yield* Effect.promise(() => deaf.close())
    })
  )

  it("refuses settings that cannot work, without repeating them", () => {
    const settings = { accountSid: "AC0", apiKey: "SK0", apiKeySecret: "hush-hush" }
    const insecure = { ...settings, senders: [sender], accountsUrl: "http://elsewhere.example" }
    assert.throws(() => createTwilioProvider({ ...settings, senders: ["hush"] }), ProviderConfigError)
    assert.throws(() => createTwilioProvider(insecure), ProviderConfigError, /^(?!.*hush).*accountsUrl must be https/)
    // A variable that is not set: anybody could sign with it.
    for (const tokens of [{ authToken: "" }, { authToken: "hush", previousAuthToken: "" }]) {
      const unset = { ...settings, senders: [sender], webhook: { url, ...tokens } }
      assert.throws(() => createTwilioProvider(unset), ProviderConfigError, /^(?!.*hush).*authToken/)
    }
  })
})

describe("Twilio as a service", () => {
  it.live("is the adapter", () =>
    Effect.gen(function* () {
      const { settings } = yield* start()
      const { apiKeySecret, timeout: _, ...ids } = settings
      const config = { ...ids, account, apiKeySecret: Redacted.make(apiKeySecret) }
      const program = Effect.flatMap(Twilio, (twilio) => twilio.probe(sender))
      yield* Effect.provide(program, Layer.provide(Twilio.layer(config), FetchHttpClient.layer))
    })
  )
})
