/** RingCentral without Effect: what it can do besides, lists and subscriptions. */
import { assert, describe, it } from "@effect/vitest"
import { startSandbox } from "@stopline/sandbox"
import { Effect } from "effect"
import { createRingCentralProvider, ProviderCallError, ProviderConfigError, RingCentral } from "../src/index.ts"
import { person, sender } from "./ports.ts"
import { configFor, emptyList, secrets, startRingCentral, startServer } from "./server.ts"

const open = (server: string, credentials = { clientId: "app-1", ...secrets }) =>
  Effect.acquireRelease(
    Effect.sync(() => createRingCentralProvider({ server, ...credentials })),
    (provider) => Effect.promise(provider.close)
  )

const start = Effect.fn(function* () {
  const sandbox = yield* startSandbox({ accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender] }] })
  const [account] = sandbox.accounts
  if (account?.vendor !== "ringcentral") return yield* Effect.die("no RingCentral account")
  const provider = yield* open(account.url, { ...secrets, ...account.credentials })
  const held = Effect.map(sandbox.state("acme", sender), ({ senders }) => senders.flatMap(({ optedOut }) => optedOut))
  return { held, provider, sandbox }
})

const collect = async <A>(pages: AsyncIterable<A>): Promise<ReadonlyArray<A>> => {
  const collected: Array<A> = []
  for await (const page of pages) collected.push(page)
  return collected
}

describe("the plain face of RingCentral", () => {
  it.live("lists page by page, and goes on where it was left", () =>
    Effect.gen(function* () {
      const { held, provider } = yield* start()
      const everybody = (yield* held).toSorted()
      yield* Effect.promise(async () => {
        const pages = await collect(provider.optOuts(sender, { pageSize: 10 }))
        assert.deepStrictEqual(
          pages.map(({ optOuts }) => optOuts.length),
          [10, 10, 5]
        )
        const numbers = pages.flatMap(({ optOuts }) => optOuts.map(({ number }) => number))
        assert.deepStrictEqual(numbers.toSorted(), everybody)
        assert.isUndefined(pages.at(-1)!.next)
        const rest = await collect(provider.optOuts(sender, { pageSize: 10, cursor: pages[0]!.next! }))
        assert.deepStrictEqual(rest, pages.slice(1))
        assert.deepStrictEqual(await collect(provider.optOuts()), [
          { optOuts: pages.flatMap(({ optOuts }) => optOuts), problems: [] }
        ])
      })
    })
  )

  it.live("takes no national number for a sender abroad, of whom nobody has opted out (L5)", () =>
    Effect.gen(function* () {
      const { held, provider } = yield* start()
      const [person = ""] = yield* held
      yield* Effect.promise(async () => {
        // Read on with a plus before it, it is a number in Singapore.
        for (const national of [sender.slice(2), "(650) 555-0100"]) {
          for (const asked of [
            () => provider.check(national, [person]),
            () => provider.optOut(national, [person]),
            async () => collect(provider.optOuts(national))
          ]) {
            const told = await asked().catch((error: unknown) => error)
            assert.instanceOf(told, TypeError)
          }
        }
        assert.deepInclude((await provider.check(sender.slice(1), [person]))[0], { state: "opted-out" })
      })
    })
  )

  it.live("ends no list that goes in circles, and none whose signal was aborted", () =>
    Effect.gen(function* () {
      let page = 0
      const server = yield* startRingCentral(() => {
        const nextPageToken = page++ % 2 === 0 ? "A" : "B"
        return { body: { records: [{ from: sender, to: person(page) }], paging: { perPage: 1, nextPageToken } } }
      })
      const provider = yield* open(server.url)
      const read = (signal?: AbortSignal) =>
        collect(provider.optOuts(sender, { ...(signal && { signal }) })).then(
          () => assert.fail("it ended"),
          (error: unknown) => error
        )
      const circle = yield* Effect.promise(() => read())
      assert.instanceOf(circle, ProviderCallError)
      assert.deepInclude(circle, { operation: "list", reason: "Unreadable" })
      assert.deepInclude(yield* Effect.promise(() => read(AbortSignal.abort(new Error("enough")))), {
        message: "enough"
      })
    })
  )

  it.live("writes, asks, subscribes and hears", () =>
    Effect.gen(function* () {
      const { provider, sandbox } = yield* start()
      const [ann = "", bob = ""] = sandbox.people.slice(150)
      const heard: Array<string> = []
      const told = Promise.withResolvers<void>()
      const hook = yield* startServer(({ body, headers, method }) => {
        // The handshake has no body to wait for; the adapter answers at once.
        const validation = headers["validation-token"]
        if (typeof validation === "string") return { headers: { "validation-token": validation } }
        void provider.receive({ method, headers, body }).then(({ facts }) => {
          heard.push(...facts.map(({ basis, number, state }) => `${basis} ${number} ${state}`))
          if (heard.length === 2) told.resolve()
        })
        return {}
      })
      yield* Effect.promise(async () => {
        assert.deepStrictEqual(
          (await provider.optOut(sender, [ann])).map(({ outcome }) => outcome),
          ["held"]
        )
        const asked = await provider.check(sender, [ann, bob])
        assert.deepStrictEqual(
          asked.map(({ state }) => state),
          ["opted-out", "opted-in"]
        )
        assert.deepStrictEqual((await provider.subscribe(hook.url)).missing, [])
      })
      yield* sandbox.text({ from: bob, to: sender, text: "STOP" })
      yield* Effect.promise(() => told.promise)
      assert.deepStrictEqual(heard.toSorted(), [`event ${bob} opted-out`, `message ${bob} opted-out`])
    })
  )

  it.live("says what it cannot do without a token", () =>
    Effect.gen(function* () {
      const { clientSecret, jwt } = secrets
      const provider = createRingCentralProvider({ clientId: "app-1", clientSecret, jwt })
      const error = yield* Effect.promise(() => provider.subscribe("https://example.com").catch((error) => error))
      assert.instanceOf(error, ProviderCallError)
      assert.deepInclude(error, { reason: "Unsupported", mayHaveApplied: false })
      assert.include(error.message, "verificationToken")
      yield* Effect.promise(provider.close)
    })
  )

  it("is not opened with settings that cannot work", () => {
    const settings = { clientId: "app-1", ...secrets, verificationToken: "short" }
    assert.throws(() => createRingCentralProvider(settings), ProviderConfigError)
    assert.throws(() => createRingCentralProvider({ ...settings, server: "http://example.com" }), ProviderConfigError)
  })
})

describe("the service", () => {
  it.live("is the adapter", () =>
    Effect.gen(function* () {
      const server = yield* startRingCentral(() => ({ body: emptyList }))
      const probe = Effect.flatMap(RingCentral, (adapter) => adapter.probe(sender))
      yield* Effect.provide(probe, RingCentral.layer(configFor(server.url)))
      assert.lengthOf(server.calls(), 1)
    })
  )
})
