/** Azure without Effect: plain values in and out, one error class, and an end to everything. */
import { assert, describe, it } from "@effect/vitest"
import { Azure, createAzureProvider, ProviderCallError, ProviderConfigError } from "../src/index.ts"
import { type Sandbox, startSandbox } from "@stopline/sandbox"
import { Effect } from "effect"
import { account, accessKey, connectionString, people, portOf, startFake } from "./fake.ts"

const name = "contoso"
const sender = "+14255550123"
const secret = "4f1a-made-up-for-these-tests"

const start = Effect.fn(function* () {
  const sandbox: Sandbox = yield* startSandbox()
  const [azure] = sandbox.accounts
  if (azure?.vendor !== "azure") return yield* Effect.die("the sandbox has no Azure account")
  const provider = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createAzureProvider({
        account: name,
        connectionString: azure.credentials.connectionString,
        webhookSecrets: [secret],
        timeout: 10_000
      })
    ),
    (opened) => Effect.promise(opened.close)
  )
  return { provider, sandbox, ann: sandbox.people[0]!, bob: sandbox.people[1]! }
})

const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => assert.fail("it was kept"),
    (error: unknown) => error
  )

describe("the plain face of Azure", () => {
  it.live("writes and asks, with one answer for each number as it was given", () =>
    Effect.gen(function* () {
      const { ann, bob, provider } = yield* start()
      yield* Effect.promise(async () => {
        const written = await provider.optOut(sender, [ann, "nobody", bob.replace("+1555", "+1 (555) ")])
        assert.deepStrictEqual(
          written.map(({ number, outcome }) => [number, outcome]),
          [
            [ann, "held"],
            ["nobody", "rejected"],
            [bob.replace("+1555", "+1 (555) "), "held"]
          ]
        )
        assert.deepInclude(await provider.optIn(sender, [bob]), { number: bob, outcome: "held", mayHaveApplied: true })
        const told = await provider.check(sender, [ann, bob, "nobody"])
        assert.deepStrictEqual(
          told.map(({ state }) => state),
          ["opted-out", "opted-in", "unknown"]
        )
        await provider.probe(sender)
      })
    })
  )

  it.live("takes no national number for one from abroad: somebody else would be opted out", () =>
    Effect.gen(function* () {
      const { provider, sandbox } = yield* start()
      // With a plus before them these are numbers in Egypt.
      const national = ["(206) 555-1000", "2065551000", "206 555 1000 ext 42"]
      const written = yield* Effect.promise(() => provider.optOut(sender, national))
      assert.deepStrictEqual(
        written.map(({ outcome }) => outcome),
        ["rejected", "rejected", "rejected"]
      )
      const told = yield* Effect.promise(() => provider.check(sender, national))
      assert.deepStrictEqual(
        told.map(({ state }) => state),
        ["unknown", "unknown", "unknown"]
      )
      const abroad = ["+20 65551000", "\u202A+4712345678", "12065551000"]
      const taken = yield* Effect.promise(() => provider.optOut(sender, abroad))
      assert.deepStrictEqual(
        taken.map(({ outcome }) => outcome),
        ["held", "held", "held"]
      )
      const held = (yield* sandbox.state(name)).senders.find((one) => one.sender === sender)
      assert.sameMembers([...(held?.optedOut ?? [])], ["+2065551000", "+4712345678", "+12065551000"])
    })
  )

  it.live("takes more numbers than Azure does, and forgets no outcome when a later batch fails", () =>
    Effect.gen(function* () {
      const { provider, sandbox } = yield* start()
      const last = sandbox.people.at(-1)!
      yield* sandbox.fault({ account: name, kind: "unavailable", recipient: last })
      const written = yield* Effect.promise(() => provider.optOut(sender, sandbox.people))
      assert.deepStrictEqual(
        written.map(({ mayHaveApplied, outcome }) => [outcome, mayHaveApplied]),
        sandbox.people.map((_, index) => (index < 100 ? ["held", true] : ["retryable", true]))
      )
      const told = yield* Effect.promise(() => provider.check(sender, sandbox.people))
      assert.deepStrictEqual([...new Set(told.slice(100).map(({ state }) => state))], ["unknown"])
      assert.lengthOf(
        told.filter(({ state }) => state === "opted-out"),
        100
      )
    })
  )

  it.live("fails with one class, by what to do next", () =>
    Effect.gen(function* () {
      const { ann, provider, sandbox } = yield* start()
      for (const [fault, expected] of [
        [
          { kind: "throttle", retryAfter: 30 },
          { reason: "Throttled", retryAfter: 30_000, mayHaveApplied: false }
        ],
        [
          { kind: "unavailable", status: 502 },
          { reason: "Unavailable", retryAfter: undefined, status: 502, mayHaveApplied: true }
        ],
        [{ kind: "html-200" }, { reason: "Unreadable", mayHaveApplied: true, status: undefined }]
      ] as const) {
        yield* sandbox.fault({ account: name, ...fault, times: 1 })
        const error = yield* Effect.promise(() => rejection(provider.optOut(sender, [ann])))
        assert.instanceOf(error, ProviderCallError)
        assert.deepInclude(error, { account: name, operation: "optOut", ...expected })
        assert.notInclude(JSON.stringify(error) + String(error), ann.slice(1))
      }
      const denied = yield* Effect.promise(() => rejection(provider.probe("20501")))
      assert.deepInclude(denied as ProviderCallError, { reason: "Denied", status: 401, code: "Unauthorized" })
      assert.instanceOf(yield* Effect.promise(() => rejection(provider.probe("Contoso"))), TypeError)
    })
  )

  it.live("ends a call and its request with its signal, or with itself", () =>
    Effect.gen(function* () {
      const fake = yield* startFake(() => "hang")
      const open = () => createAzureProvider({ connectionString: `endpoint=${fake.endpoint}/;accesskey=${accessKey}` })
      const arrived = async (count: number) => {
        while (fake.heard.length < count) await new Promise((resolve) => setTimeout(resolve, 2))
        return fake.heard[count - 1]!
      }
      yield* Effect.promise(async () => {
        const provider = open()
        const controller = new AbortController()
        const called = rejection(provider.check("20500", people(1), { signal: controller.signal }))
        const request = await arrived(1)
        controller.abort(new Error("enough"))
        assert.deepInclude(await called, { message: "enough" })
        await request.closed
        assert.deepInclude(await rejection(provider.probe("20500", { signal: controller.signal })), {
          message: "enough"
        })
        assert.lengthOf(fake.heard, 1, "nothing is sent for a signal that was aborted before")

        const other = rejection(provider.check("20500", people(1)))
        const second = await arrived(2)
        await provider.close()
        assert.deepInclude(await other, { reason: "Unavailable" })
        await second.closed
        await open()[Symbol.asyncDispose]()
      })
    })
  )

  it.live("hears what Event Grid tells, and nobody else", () =>
    Effect.gen(function* () {
      const { provider } = yield* start()
      const event = {
        id: "e-1",
        topic: "t",
        subject: "s",
        eventType: "Microsoft.Communication.SMSReceived",
        eventTime: "2026-11-20T12:00:00Z",
        dataVersion: "1.0",
        data: {
          messageId: "m-1",
          from: "+15550100001",
          to: sender,
          message: "Stop",
          receivedTimestamp: "2026-11-20T12:00:00.500Z"
        }
      }
      const body = JSON.stringify([event])
      yield* Effect.promise(async () => {
        const request = new Request(`https://example.com/hook?code=${secret}`, { method: "POST", body })
        const { headers, method, url } = request
        const told = await provider.receive({ method, url, headers, body: await request.text() })
        assert.strictEqual(told.kind, "understood")
        assert.strictEqual(told.reply.status, 200)
        assert.deepStrictEqual(told.facts, [
          {
            sender,
            number: "+15550100001",
            state: "opted-out",
            origin: "recipient",
            basis: "message",
            notBefore: "2026-11-20T12:00:00.500Z",
            notAfter: "2026-11-20T12:00:00.500Z",
            key: told.facts[0]!.key,
            keyword: "STOP"
          }
        ])
        const byHeader = await provider.receive({ url: "/hook", headers: { "X-Stopline-Secret": secret }, body })
        assert.deepStrictEqual(byHeader.facts, told.facts)
        const forged = await provider.receive({ url: "/hook?code=guess", headers: {}, body })
        assert.deepInclude(forged, { kind: "not-authentic", facts: [] })
        assert.strictEqual(forged.reply.status, 401)
        // Whoever finds the server may ask for anything, and what is thrown there can end the process.
        for (const url of ["//", "http://[", `//[?code=${secret.slice(1)}`]) {
          assert.deepInclude(await provider.receive({ url, headers: {}, body }), { kind: "not-authentic" })
        }
      })
    })
  )

  it("is not opened with settings that cannot work, and says nothing secret of them", () => {
    for (const settings of [
      { connectionString: "endpoint=https://x.communication.azure.com/;key=hushhush" },
      { connectionString: `endpoint=http://example.com/;accesskey=${accessKey}` },
      { connectionString: `endpoint=https://x.communication.azure.com/;accesskey=${accessKey}`, account: "Not A Name" }
    ]) {
      try {
        createAzureProvider(settings)
        assert.fail("it was opened")
      } catch (error) {
        assert.instanceOf(error, ProviderConfigError)
        assert.notInclude(String(error), "hushhush")
        assert.notInclude(String(error), accessKey)
      }
    }
  })
})

describe("the service", () => {
  it.live("is the adapter", () =>
    Effect.gen(function* () {
      const fake = yield* startFake()
      const asked = Effect.gen(function* () {
        const adapter = yield* Azure
        return yield* portOf(adapter.check).check("20500" as never, people(1))
      })
      const config = { account, connectionString: connectionString(fake.endpoint) }
      assert.lengthOf(yield* Effect.provide(asked, Azure.layer(config)), 1)
    })
  )
})
