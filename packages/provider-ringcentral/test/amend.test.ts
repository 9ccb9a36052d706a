import { assert, describe, it } from "@effect/vitest"
import { startSandbox } from "@stopline/sandbox"
import { NextTurn } from "@stopline/provider"
import { Effect, Redacted } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { open, otherSender, person, sender } from "./ports.ts"
import { configFor, startRingCentral } from "./server.ts"

const write = Effect.fn(function* (state: "optOut" | "optIn", body: unknown, people: ReadonlyArray<number>) {
  const server = yield* startRingCentral(() => ({ body }))
  const port = open((yield* makeRingCentralAdapter(configFor(server.url, { api: "v2" }))).write[state])
  const outcomes = yield* port.write(sender, people.map(person))
  return { outcomes, asked: server.calls() }
})

const error = (errorCode: string, message: string) => ({ errorCode, message })

describe("a change of consents", () => {
  it.live("has a record for each number once, and never one for the whole account", () =>
    Effect.gen(function* () {
      const out = yield* write("optOut", {}, [1, 2, 1])
      assert.deepStrictEqual(
        [out.asked[0]?.method, out.asked[0]?.path],
        ["PATCH", "/restapi/v2/accounts/~/sms/consents"]
      )
      assert.deepStrictEqual(JSON.parse(out.asked[0]!.body), {
        records: [1, 2].map((n) => ({ from: sender, to: person(n), optStatus: "OptOut", source: "Api" }))
      })
      assert.deepStrictEqual(
        out.outcomes.map(({ _tag, recipient }) => [_tag, recipient]),
        [
          ["Held", person(1)],
          ["Held", person(2)],
          ["Held", person(1)]
        ]
      )
      const back = yield* write("optIn", { failedRecords: null }, [1])
      assert.strictEqual(JSON.parse(back.asked[0]!.body).records[0].optStatus, "OptIn")
      assert.strictEqual(back.outcomes[0]?._tag, "Held")
      assert.deepStrictEqual((yield* write("optOut", {}, [])).asked, [])
    })
  )

  it.live("gives a failure to whose number it bears, and spares the others", () =>
    Effect.gen(function* () {
      const { outcomes } = yield* write(
        "optOut",
        {
          failedRecords: [
            { from: sender, to: person(4), error: error("CMN-101", "Parameter [to] value is invalid.") },
            { from: sender, to: "1 (212) 555-0002", error: error("", "Unexpected issue") },
            { to: person(3), error: error(person(3), `Cannot opt out ${person(3)}`) },
            { from: sender, to: person(5) }
          ]
        },
        [1, 2, 3, 4, 5]
      )
      const failed = (index: number, detail: string) => ({
        _tag: "Retryable" as const,
        recipient: person(index),
        detail,
        mayHaveApplied: false
      })
      assert.deepStrictEqual(outcomes, [
        { _tag: "Held", recipient: person(1) },
        failed(2, "RingCentral says: Unexpected issue"),
        failed(3, "RingCentral says that it failed"),
        failed(4, "RingCentral says: CMN-101"),
        failed(5, "RingCentral says that it failed")
      ])
    })
  )

  it.live("leaves everybody else in doubt after a failure that cannot be given to anybody", () =>
    Effect.gen(function* () {
      for (const nameless of [
        { error: error("CMN-203", "") },
        { from: sender, to: "nobody", error: error("CMN-203", "") },
        { from: sender, to: person(9), error: error("CMN-203", "") },
        { from: otherSender, to: person(2), error: error("CMN-203", "") }
      ]) {
        const named = { from: sender, to: person(1), error: error("CMN-203", "") }
        const { outcomes } = yield* write("optOut", { failedRecords: [nameless, named] }, [1, 2])
        assert.deepStrictEqual(
          outcomes.map((outcome) => outcome._tag === "Retryable" && outcome.mayHaveApplied),
          [false, true],
          JSON.stringify(nameless)
        )
      }
    })
  )

  it.live("is not done because an error or a list came with status 200 (L9)", () =>
    Effect.gen(function* () {
      for (const body of [
        { errors: [error("CMN-203", "")] },
        error("CMN-203", ""),
        [],
        { error: "temporarily_unavailable" },
        { message: "Service is temporarily unavailable" },
        { records: [], paging: { perPage: 1000 } }
      ]) {
        const told = yield* Effect.flip(write("optOut", body, [1]))
        assert.deepInclude(told._tag === "ProviderError" && told.reason, { _tag: "Unreadable", mayHaveApplied: true })
      }
    })
  )

  it.live(
    "that is refused without a coverage, and taken with one, has a turn for each request and loses no outcome",
    () =>
      Effect.gen(function* () {
        let taken = 0
        const server = yield* startRingCentral(({ body }) => {
          if (!body.includes('"coverage":"PhoneNumber"')) return { status: 400 }
          return ++taken === 1 ? { body: {} } : { status: 503 }
        })
        const port = open((yield* makeRingCentralAdapter(configFor(server.url, { api: "v2" }))).write.optOut)
        let turns = 1
        const outcomes = yield* port.write(sender, [1, 2].map(person)).pipe(
          Effect.provideService(
            NextTurn,
            Effect.sync(() => void (turns += 1))
          )
        )
        assert.deepStrictEqual(
          outcomes.map((outcome) => (outcome._tag === "Retryable" ? outcome.mayHaveApplied : outcome._tag)),
          [true, "Held"]
        )
        assert.strictEqual(turns, server.calls().length)
      })
  )

  it.live("that fails person by person does not tell that no coverage is needed: the next one names it", () =>
    Effect.gen(function* () {
      const failedRecords = [1, 2].map((n) => ({ from: sender, to: person(n), error: error("CMN-101", "") }))
      const server = yield* startRingCentral(({ body }) => ({
        body: body.includes('"coverage":"PhoneNumber"') ? {} : { failedRecords }
      }))
      const port = open((yield* makeRingCentralAdapter(configFor(server.url, { api: "v2" }))).write.optOut)
      const tags = Effect.map(port.write(sender, [1, 2].map(person)), (told) => told.map(({ _tag }) => _tag))
      assert.deepStrictEqual(yield* tags, ["Retryable", "Retryable"])
      assert.deepStrictEqual(yield* tags, ["Held", "Held"])
      assert.deepStrictEqual(yield* tags, ["Held", "Held"])
    })
  )

  it.live("that once held somebody is written so ever after, whoever fails and whatever is refused", () =>
    Effect.gen(function* () {
      const failedRecords = [{ from: sender, to: person(1), error: error("CMN-101", "") }]
      const answers = [{ body: {} }, { body: { failedRecords } }, { status: 400 }]
      const server = yield* startRingCentral(() => answers.shift() ?? { body: {} })
      const port = open((yield* makeRingCentralAdapter(configFor(server.url, { api: "v2" }))).write.optOut)
      const told = Effect.matchEffect(port.write(sender, [person(1)]), {
        onFailure: (failure) => Effect.succeed([failure._tag]),
        onSuccess: (outcomes) => Effect.succeed(outcomes.map(({ _tag }) => _tag))
      })
      assert.deepStrictEqual(yield* Effect.all([told, told, told, told]), [
        ["Held"],
        ["Retryable"],
        ["ProviderError"],
        ["Held"]
      ])
      const named = server.calls().map(({ body }) => body.includes("coverage"))
      assert.deepStrictEqual(named, [false, false, false, false])
    })
  )

  it.live("forgets no doubt, whatever it tries next (L5, L9)", () =>
    Effect.gen(function* () {
      const nameless = { body: { failedRecords: [{ error: error("CMN-101", "") }] } }
      const doubts = Effect.fnUntraced(function* (people: ReadonlyArray<number>, ...answers: ReadonlyArray<object>) {
        let turn = 0
        const server = yield* startRingCentral(() => answers[turn++] ?? { status: 429 })
        const port = open((yield* makeRingCentralAdapter(configFor(server.url, { api: "v2" }))).write.optIn)
        const told = yield* port.write(sender, people.map(person))
        return told.map((outcome) => (outcome._tag === "Retryable" ? outcome.mayHaveApplied : outcome._tag))
      })
      assert.deepStrictEqual(yield* doubts([1], nameless), [true])
      assert.deepStrictEqual(yield* doubts([1], { status: 400 }, nameless), [true])
      // One that is held stays so, whatever becomes of the rest.
      const [refused, taken] = [{ status: 400 }, { body: {} }]
      assert.deepStrictEqual(yield* doubts([1, 2], refused, refused, refused, taken), [false, "Held"])
    })
  )

  it.live("takes a thousand, or what the configuration says if that is less", () =>
    Effect.gen(function* () {
      const most = (recipients?: number) =>
        Effect.map(
          makeRingCentralAdapter(
            configFor("http://127.0.0.1:1", { api: "v2", ...(recipients && { limits: { recipients } }) })
          ),
          ({ write }) => [open(write.optOut).maxRecipients, open(write.optIn).maxRecipients]
        )
      assert.deepStrictEqual(yield* most(), [1000, 1000])
      assert.deepStrictEqual(yield* most(7), [7, 7])
      assert.deepStrictEqual(yield* most(5000), [1000, 1000])
    })
  )

  it.live("of a thousand, three of them bad, does the others in one request", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox({
        optedOut: 0,
        accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender] }]
      })
      const [account] = sandbox.accounts
      if (account?.vendor !== "ringcentral") return yield* Effect.die("no RingCentral account")
      const { clientId, clientSecret, jwt } = account.credentials
      const adapter = yield* makeRingCentralAdapter(
        configFor(account.url, {
          api: "v2",
          clientId,
          clientSecret: Redacted.make(clientSecret),
          jwt: Redacted.make(jwt)
        })
      )
      const bad = [person(7), person(500), person(999)]
      for (const recipient of bad) yield* sandbox.fault({ account: "acme", kind: "item-refused", recipient })
      const people = Array.from({ length: 1000 }, (_, n) => person(n))
      const outcomes = yield* open(adapter.write.optOut).write(sender, people)
      assert.deepStrictEqual(
        outcomes.map(({ recipient }) => recipient),
        people
      )
      assert.deepStrictEqual(
        outcomes.filter(({ _tag }) => _tag !== "Held").map(({ _tag, recipient }) => [_tag, recipient]),
        bad.map((recipient) => ["Retryable", recipient])
      )
      const [state] = (yield* sandbox.state("acme", sender)).senders
      assert.deepStrictEqual(
        state?.optedOut,
        people.filter((recipient) => !bad.includes(recipient))
      )
      const writes = (yield* sandbox.log("acme")).filter(({ operation }) => operation === "bulk-assign")
      assert.deepStrictEqual(
        writes.map(({ count, method }) => [method, count]),
        [["PATCH", 1000]]
      )
    })
  )
})
