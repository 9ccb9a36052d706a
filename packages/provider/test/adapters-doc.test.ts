/** The example of docs/adapters.md as it is printed there: it compiles, and it does what the page says. */
import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import path from "node:path"
import { assert, describe, layer } from "@effect/vitest"
import { type AccountName, by, type Recipient, type SenderAddress } from "@stopline/consent"
import { type Capability, mayHaveApplied, retryAfter } from "@stopline/provider"
import { Context, Duration, Effect, Layer, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { writeExample, type Written } from "../../../test/adapters-doc.ts"
import { type Answer, hangUp, serve } from "./larkpost.ts"

const root = path.join(import.meta.dirname, "../../..")

/** The code of the page, in a folder that is deleted afterwards. */
class Example extends Context.Service<Example, Written>()("test/Example") {
  static readonly layer = Layer.effect(Example, writeExample(import.meta.dirname))
}

/** What the compiler has to say about one file and what it imports. Nothing: it is fine. */
const compile = Effect.fnUntraced(function* (folder: string, file: string) {
  const project = path.join(folder, `${file}.json`)
  const compilerOptions = {
    composite: false,
    declarationMap: false,
    sourceMap: false,
    noEmit: true,
    rewriteRelativeImportExtensions: false,
    allowImportingTsExtensions: true,
    rootDir: root
  }
  const config = { extends: path.join(root, "tsconfig.base.json"), compilerOptions, files: [file] }
  yield* Effect.promise(() => writeFile(project, JSON.stringify(config)))
  const compiler = path.join(root, "node_modules/typescript/bin/tsc")
  return yield* Effect.callback<string>((resume) => {
    execFile(process.execPath, [compiler, "-p", project], (error, said) =>
      resume(Effect.succeed(error === null ? said : `${said}${error.message}`))
    )
  })
})

const account = "larks" as AccountName
const sender = "+18005550100" as SenderAddress
const ann = "+15550000001" as Recipient
const bob = "+15550000002" as Recipient
const cem = "+15550000003" as Recipient
const dee = "+15550000004" as Recipient
const eve = "+15550000005" as Recipient

const connect = Effect.fnUntraced(function* (answers: ReadonlyArray<Answer>) {
  const { module } = yield* Example
  const { asked, url } = yield* serve(answers)
  const adapter = yield* module.makeLarkpostAdapter({
    account,
    url,
    key: Redacted.make("k-123"),
    webhookSecret: Redacted.make("w-123")
  })
  return { adapter, asked }
})

const port = <Port>(capability: Capability<Port>): Port => {
  if (capability._tag !== "Can") return assert.fail(capability.reason)
  return capability.port
}

const text = { id: "t1", from: "15550000001", to: "+1 800 555 0100", text: "Stop!", at: "2026-11-20T12:00:00Z" }

const receive = Effect.fnUntraced(function* (body: unknown, secret = "w-123") {
  const { adapter } = yield* connect([])
  return yield* port(adapter.events).receive({
    method: "POST",
    headers: { "x-larkpost-secret": secret },
    query: {},
    body: JSON.stringify(body),
    receivedAt: Date.UTC(2026, 10, 20, 12, 0, 5)
  })
})

layer(Layer.merge(Example.layer, FetchHttpClient.layer), { excludeTestServices: true })("the example", (it) => {
  describe("for the compiler", () => {
    it.effect(
      "is an adapter",
      () =>
        Effect.gen(function* () {
          const { folder } = yield* Example
          assert.strictEqual(yield* compile(folder, "adapter.ts"), "")
        }),
      60_000
    )

    it.effect(
      "is not whatever one likes",
      () =>
        Effect.gen(function* () {
          const { folder } = yield* Example
          const code = `import { makeLarkpostAdapter } from "./adapter.ts"\nmakeLarkpostAdapter({ account: 1 })\n`
          yield* Effect.promise(() => writeFile(path.join(folder, "misuse.ts"), code))
          assert.include(yield* compile(folder, "misuse.ts"), "misuse.ts(2,")
        }),
      60_000
    )
  })

  describe("as a list", () => {
    it.effect("goes on until Larkpost says that there is no more", () =>
      Effect.gen(function* () {
        const rows = [
          { from: sender, to: ann },
          { from: "20500", to: "1 (555) 000-0002" }
        ]
        const { adapter, asked } = yield* connect([
          { body: { rows, next: "p2" } },
          { body: { rows: [], next: "p3" } },
          { body: { rows: [], next: null } }
        ])
        const { page } = port(adapter.list)
        assert.deepStrictEqual(yield* page({ sender, size: 2 }), {
          readings: [
            { sender, recipient: ann, state: "opted-out", origin: "unknown" },
            { sender: "20500" as SenderAddress, recipient: bob, state: "opted-out", origin: "unknown" }
          ],
          problems: [],
          next: { _tag: "More", cursor: "p2" }
        })
        assert.deepStrictEqual((yield* page({ sender, size: 2, cursor: "p2" })).next, { _tag: "More", cursor: "p3" })
        assert.deepStrictEqual((yield* page({ sender, size: 2, cursor: "p3" })).next, { _tag: "End" })
        assert.deepStrictEqual(
          asked.map(({ authorization, url }) => [authorization, url]),
          ["", "&after=p2", "&after=p3"].map((after) => [
            "Bearer k-123",
            `/opt-outs?limit=2&from=%2B18005550100${after}`
          ])
        )
      })
    )

    it.effect("is spared by a row that nobody can read, and says so (L5)", () =>
      Effect.gen(function* () {
        const rows = [{ from: sender, to: "CONTOSO" }, { from: sender, to: ann }, { from: sender }]
        const { adapter } = yield* connect([{ body: { rows, next: null } }])
        const page = yield* port(adapter.list).page({ size: 3 })
        assert.deepStrictEqual(
          page.readings.map(({ recipient }) => recipient),
          [ann]
        )
        assert.deepStrictEqual(page.problems, [
          { row: "rows[0]", reason: "to is no phone number" },
          { row: "rows[2]", reason: "from or to is missing" }
        ])
      })
    )

    it.effect("is unreadable when it does not say whether there is more (L5, L6)", () =>
      Effect.gen(function* () {
        const bodies = [{ rows: [] }, { rows: [], next: "" }, {}, "", "<html></html>"]
        const { adapter } = yield* connect(bodies.map((body) => ({ body })))
        for (const body of bodies) {
          const error = yield* Effect.flip(port(adapter.list).page({ size: 1 }))
          assert.strictEqual(error.reason._tag, "Unreadable", JSON.stringify(body))
          assert.isFalse(mayHaveApplied(error))
        }
      })
    )
  })

  describe("as a write", () => {
    it.effect("has one outcome for each recipient, in the order given (L9)", () =>
      Effect.gen(function* () {
        const results = [
          { to: "15550000003", status: "busy" },
          { to: bob, status: "invalid" },
          { to: "+1 555 000 0001", status: "held" },
          { to: eve, status: "held" },
          { to: eve, status: "invalid" }
        ]
        const { adapter, asked } = yield* connect([{ body: { results } }])
        const outcomes = yield* port(adapter.write.optOut).write(sender, [ann, bob, cem, dee, eve])
        assert.deepStrictEqual(
          outcomes.map((one) => [one.recipient, one._tag, one._tag === "Retryable" ? one.mayHaveApplied : undefined]),
          [
            [ann, "Held", undefined],
            [bob, "Rejected", undefined],
            [cem, "Retryable", false],
            // Larkpost said nothing about this one.
            [dee, "Retryable", true],
            // And of this one both.
            [eve, "Retryable", true]
          ]
        )
        assert.deepStrictEqual(
          asked.map(({ body, method }) => [method, JSON.parse(body)]),
          [["POST", { from: sender, to: [ann, bob, cem, dee, eve] }]]
        )
      })
    )

    it.effect("that got no answer, or one that nobody can read, may have been done (L7)", () =>
      Effect.gen(function* () {
        const { adapter } = yield* connect([hangUp, { status: 500, body: "" }, { body: "thank you" }])
        const write = Effect.flip(port(adapter.write.optOut).write(sender, [ann]))
        for (const tag of ["Unavailable", "Unavailable", "Unreadable"]) {
          const error = yield* write
          assert.strictEqual(error.reason._tag, tag)
          assert.isTrue(mayHaveApplied(error))
        }
      })
    )

    it.effect("that is sent on goes nowhere else: the numbers in it would go along", () =>
      Effect.gen(function* () {
        const moved = { status: 307, headers: { location: "/elsewhere" }, body: "" }
        const { adapter, asked } = yield* connect([moved, { body: { results: [{ to: ann, status: "held" }] } }])
        const error = yield* Effect.flip(port(adapter.write.optOut).write(sender, [ann]))
        assert.strictEqual(error.reason._tag, "Refused")
        assert.lengthOf(asked, 1)
      })
    )

    it.effect("cannot opt anybody in, and says what to do instead", () =>
      Effect.gen(function* () {
        const { adapter } = yield* connect([])
        assert.strictEqual(adapter.write.optIn._tag, "Cannot")
      })
    )
  })

  describe("as an error", () => {
    it.effect("is named by what to do next, and repeats nothing that Larkpost wrote (L14)", () =>
      Effect.gen(function* () {
        const statuses = [401, 403, 429, 400, 404, 408, 503]
        const { adapter } = yield* connect(statuses.map((status) => ({ status, body: `no route to ${ann}` })))
        const tags = ["Denied", "Denied", "Throttled", "Refused", "Refused", "Unavailable", "Unavailable"]
        for (const [index, tag] of tags.entries()) {
          const error = yield* Effect.flip(adapter.probe(sender))
          assert.strictEqual(error.message, `larks: probe: ${tag}: Larkpost answered ${statuses[index]}`)
          assert.isFalse(mayHaveApplied(error))
        }
      })
    )

    it.effect("hands on how long to wait, where Larkpost says it", () =>
      Effect.gen(function* () {
        const { adapter } = yield* connect(
          ["7", "Fri, 20 Nov 2026 12:00:00 GMT", ""].map((wait) => ({
            status: 429,
            headers: { "retry-after": wait },
            body: ""
          }))
        )
        const waits = yield* Effect.replicateEffect(Effect.flip(adapter.probe(sender)), 3)
        assert.deepStrictEqual(waits.map(retryAfter), [Duration.seconds(7), undefined, undefined])
      })
    )
  })

  describe("as a webhook", () => {
    it.effect("hears a STOP", () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* receive(text), {
          _tag: "Understood",
          observations: [
            {
              account,
              sender,
              recipient: ann,
              state: "opted-out",
              origin: "recipient",
              basis: "message",
              time: { notBefore: Date.UTC(2026, 10, 20, 12), notAfter: Date.UTC(2026, 10, 20, 12, 0, 0, 999) },
              reach: "group",
              key: "message:t1",
              evidence: { messageId: "t1", keyword: "STOP" }
            }
          ],
          problems: [],
          reply: { status: 200, headers: {}, body: "" }
        })
      })
    )

    it.effect("makes no time up", () =>
      Effect.gen(function* () {
        const received = yield* receive({ ...text, at: "noon" })
        assert.deepStrictEqual(received._tag === "Understood" && received.observations.map(({ time }) => time), [
          by(Date.UTC(2026, 10, 20, 12, 0, 5))
        ])
      })
    )

    it.effect("says what it is not", () =>
      Effect.gen(function* () {
        const told = Effect.fnUntraced(function* (body: unknown, secret?: string) {
          const received = yield* receive(body, secret)
          const found = received._tag === "Understood" ? [received.observations.length, received.problems.length] : []
          return [received._tag, received.reply.status, ...found]
        })
        assert.deepStrictEqual(yield* told({ ...text, text: "see you at 5" }), ["Understood", 200, 0, 0])
        assert.deepStrictEqual(yield* told({ ...text, from: "CONTOSO" }), ["Understood", 200, 0, 1])
        assert.deepStrictEqual(yield* told({ hello: "world" }), ["NotUnderstood", 400])
        assert.deepStrictEqual(yield* told(text, "w-124"), ["NotAuthentic", 401])
        assert.deepStrictEqual(yield* told(text, ""), ["NotAuthentic", 401])
      })
    )
  })
})
