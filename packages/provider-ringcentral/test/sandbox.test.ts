import { assert, describe, it } from "@effect/vitest"
import type { Observation } from "@stopline/consent"
import type { ListPort, WriteOutcome } from "@stopline/provider"
import { type AccountOptions, startSandbox, type SandboxOptions } from "@stopline/sandbox"
import { Clock, Effect, Redacted } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { type Generation, generations, open, person, sender } from "./ports.ts"
import { type Answer, configFor, type Seen, startServer } from "./server.ts"

type RingCentral = Extract<AccountOptions, { vendor: "ringcentral" }>

const startWith = Effect.fn(function* (
  api: Generation,
  account: Partial<RingCentral> = {},
  options: SandboxOptions = {}
) {
  const sandbox = yield* startSandbox({
    ...options,
    accounts: [{ vendor: "ringcentral", name: "acme", senders: [sender], api, ...account }]
  })
  const [opened] = sandbox.accounts
  if (opened?.vendor !== "ringcentral") return yield* Effect.die("no RingCentral account")
  const { clientId, clientSecret, jwt } = opened.credentials
  const adapter = yield* makeRingCentralAdapter(
    configFor(opened.url, { api, clientId, clientSecret: Redacted.make(clientSecret), jwt: Redacted.make(jwt) })
  )
  const optedOut = Effect.map(sandbox.state("acme", sender), ({ senders: [state] }) => state?.optedOut.toSorted())
  return { adapter, sandbox, optedOut }
})

/** Everybody on the list, if the walk came to an end that it may believe. */
const walk = Effect.fn(function* (list: ListPort, size: number) {
  const seen: Array<string> = []
  const cursors = new Set<string>()
  let cursor: string | undefined
  do {
    const page = yield* list.page({ sender, size, ...(cursor !== undefined && { cursor }) })
    assert.deepStrictEqual(page.problems, [])
    seen.push(...page.readings.map(({ recipient }) => recipient))
    cursor = page.next._tag === "More" ? page.next.cursor : undefined
    assert.isFalse(cursor !== undefined && cursors.has(cursor), "no token twice")
    if (cursor !== undefined) cursors.add(cursor)
  } while (cursor !== undefined)
  return seen.toSorted()
})

describe.each(generations)("%s: a walk through the sandbox", (api) => {
  const start = (account?: Partial<RingCentral>, options?: SandboxOptions) => startWith(api, account, options)

  for (const records of ["bare", "full"] as const) {
    it.live(`of any page size visits each row once (${records} records)`, () =>
      Effect.gen(function* () {
        const { adapter, optedOut } = yield* start({ records }, { optedOut: 25 })
        for (const size of [1, 7, 24, 25, 26, 1000]) {
          assert.deepStrictEqual(yield* walk(open(adapter.list), size), yield* optedOut)
        }
      })
    )
  }

  it.live("goes on over an empty page", () =>
    Effect.gen(function* () {
      const { adapter, optedOut, sandbox } = yield* start({}, { optedOut: 25 })
      yield* sandbox.fault({ account: "acme", kind: "empty-page", times: 1 })
      assert.deepStrictEqual(yield* walk(open(adapter.list), 10), yield* optedOut)
    })
  )

  it.live("does not end where a list misleads it", () =>
    Effect.gen(function* () {
      for (const kind of ["repeat-token", "forgotten-token"] as const) {
        const { adapter, sandbox } = yield* start({}, { optedOut: 25 })
        const list = open(adapter.list)
        const first = yield* list.page({ sender, size: 10 })
        assert.strictEqual(first.next._tag, "More")
        const cursor = first.next._tag === "More" ? first.next.cursor : ""
        yield* sandbox.fault({ account: "acme", kind, times: 1 })
        const error = yield* Effect.flip(list.page({ sender, size: 10, cursor }))
        assert.strictEqual(error.reason._tag, "Unreadable", kind)
      }
    })
  )
})

describe.each(generations)("%s: writing to the sandbox", (api) => {
  const start = (account?: Partial<RingCentral>, options?: SandboxOptions) => startWith(api, account, options)

  it.live("is seen by a check, and by the list", () =>
    Effect.gen(function* () {
      const { adapter, optedOut } = yield* start({}, { optedOut: 0 })
      const { check } = open(adapter.check)
      const stateOf = (index: number) =>
        Effect.map(check(sender, [person(index)]), ([answer]) => answer?._tag === "Known" && answer.reading.state)
      const people = [person(1), person(2), person(3)]
      const outcomes = yield* open(adapter.write.optOut).write(sender, people)
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Held"))
      assert.deepStrictEqual(yield* optedOut, people)
      assert.strictEqual(yield* stateOf(1), "opted-out")
      yield* open(adapter.write.optIn).write(sender, [person(1)])
      assert.strictEqual(yield* stateOf(1), "opted-in")
      assert.strictEqual(yield* stateOf(9), "opted-in")
      assert.deepStrictEqual(yield* walk(open(adapter.list), 2), [person(2), person(3)])
    })
  )

  it.live("blocks nobody else for one refused and one forgotten recipient", () =>
    Effect.gen(function* () {
      const { adapter, optedOut, sandbox } = yield* start({}, { optedOut: 0 })
      yield* sandbox.fault({ account: "acme", kind: "item-refused", recipient: person(2) })
      yield* sandbox.fault({ account: "acme", kind: "item-missing", recipient: person(3) })
      const outcomes = yield* open(adapter.write.optOut).write(sender, [1, 2, 3, 4].map(person))
      // Where only failures are told, one that names nobody leaves all others in doubt.
      const others = api === "v1" ? ["Held", false] : ["Retryable", true]
      assert.deepStrictEqual(
        outcomes.map((outcome) => [outcome._tag, outcome._tag === "Retryable" && outcome.mayHaveApplied]),
        [others, ["Retryable", false], ["Retryable", true], others]
      )
      assert.deepStrictEqual(yield* optedOut, [person(1), person(4)])
    })
  )

  it.live("leaves doubt when the answer is lost after the write", () =>
    Effect.gen(function* () {
      const { adapter, optedOut, sandbox } = yield* start({}, { optedOut: 0 })
      yield* sandbox.fault({ account: "acme", kind: "drop-after-apply", times: 1 })
      const error = yield* Effect.flip(open(adapter.write.optOut).write(sender, [person(1)]))
      assert.deepInclude(error.reason, { _tag: "Unavailable", mayHaveApplied: true })
      assert.deepStrictEqual(yield* optedOut, [person(1)])
    })
  )
})

describe.each(generations)("%s: the sandbox's limits", (api) => {
  const start = (account?: Partial<RingCentral>, options?: SandboxOptions) => startWith(api, account, options)

  it.live("are told, and never waited for here", () =>
    Effect.gen(function* () {
      const { adapter, sandbox } = yield* start({ limits: { light: 3, windowSeconds: 60, penaltySeconds: 60 } })
      for (let i = 0; i < 3; i++) yield* adapter.probe(sender)
      const error = yield* Effect.flip(adapter.probe(sender))
      assert.strictEqual(error.reason._tag, "Throttled")
      // The third answer said that it was the last one, so no fourth begins a penalty.
      const asked = (yield* sandbox.log("acme")).filter(({ operation }) => operation === "list")
      assert.deepStrictEqual(
        asked.map(({ status }) => status),
        [200, 200, 200]
      )
    })
  )
})

const rawHeaders = ({ headers }: Seen) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))

describe.each(generations)("%s: the sandbox's people", (api) => {
  const start = (account?: Partial<RingCentral>, options?: SandboxOptions) => startWith(api, account, options)

  it.live("are heard by webhook, once it has shaken hands, and found again in the message store", () =>
    Effect.gen(function* () {
      const { adapter, sandbox } = yield* start({}, { optedOut: 0 })
      const told: Array<Observation> = []
      const events = open(adapter.events)
      const hook = yield* startServer((seen): Answer => {
        const query = Object.fromEntries(seen.query)
        const request = { method: seen.method, headers: rawHeaders(seen), query, body: seen.body, receivedAt: 0 }
        const received = Effect.runSync(events.receive(request))
        if (received._tag === "Understood") told.push(...received.observations)
        return received.reply
      })
      const first = yield* open(adapter.subscription).ensure(`${hook.url}/ringcentral`)
      assert.deepStrictEqual(first.missing, [])
      assert.strictEqual((yield* open(adapter.subscription).ensure(`${hook.url}/ringcentral`)).id, first.id)

      const began = yield* Clock.currentTimeMillis
      yield* sandbox.text({ from: person(1), to: sender, text: "stop" })
      while (told.length < 2) yield* Effect.sleep("5 millis")
      const seen = told.map(({ basis, origin, recipient, state }) => [basis, origin, recipient, state].join(" "))
      assert.deepStrictEqual(seen.toSorted(), [
        `event unknown ${person(1)} opted-out`,
        `message recipient ${person(1)} opted-out`
      ])
      assert.isTrue(told.every(({ time }) => time.notBefore >= began))

      // REVOKE is a word of the law's, and none of RingCentral's: only the message tells.
      yield* sandbox.text({ from: person(2), to: sender, text: "Revoke" })
      while (told.length < 3) yield* Effect.sleep("5 millis")
      assert.deepStrictEqual([told[2]?.basis, told[2]?.evidence.keyword], ["message", "REVOKE"])
      const found = yield* open(adapter.evidence).since(sender, person(2), began)
      assert.deepStrictEqual(
        found.map(({ key, state, time }) => [key, state, time]),
        [[told[2]?.key, "opted-out", told[2]?.time]]
      )
    })
  )

  it.live("are found again, page by page, when their events were lost", () =>
    Effect.gen(function* () {
      const { adapter, sandbox } = yield* start({}, { optedOut: 0 })
      yield* sandbox.fault({ account: "acme", kind: "lost-events" })
      const since = yield* Clock.currentTimeMillis
      const words = ["stop", "hello", "revoke", "START"]
      for (const [n, text] of words.entries()) yield* sandbox.text({ from: person(n), to: sender, text })
      const { missed } = open(adapter.subscription)
      const span = { since, until: (yield* Clock.currentTimeMillis) + 1 }
      yield* sandbox.fault({ account: "acme", kind: "empty-page", operation: "messages", times: 1 })
      const first = yield* missed(span)
      assert.deepStrictEqual(first.observations, [])
      const next = first.next._tag === "More" ? first.next.cursor : undefined
      const told = yield* missed(span, next)
      assert.deepStrictEqual(
        told.observations.map(({ basis, recipient, state }) => `${recipient} ${basis} ${state}`).toSorted(),
        [`${person(0)} message opted-out`, `${person(2)} message opted-out`, `${person(3)} message opted-in`]
      )
      assert.deepStrictEqual((yield* missed({ since: since - 2000, until: since - 1000 })).observations, [])
    })
  )

  it.live("are looked for in vain where the app may not read messages, and that is said", () =>
    Effect.gen(function* () {
      const { adapter, sandbox } = yield* start({ permissions: ["SMS", "SubscriptionWebhook"] }, { optedOut: 0 })
      yield* sandbox.text({ from: person(0), to: sender, text: "REVOKE" })
      const { missed } = open(adapter.subscription)
      const told = yield* missed({ since: 0, until: yield* Clock.currentTimeMillis })
      assert.deepStrictEqual([told.observations, told.next], [[], { _tag: "End" }])
      assert.deepStrictEqual(
        told.problems.map(({ row }) => row),
        ["messages"]
      )
      assert.include(told.problems[0]?.reason, "RingCentral answered 403 CMN-401")
      assert.include(told.problems[0]?.reason, "A2PSMS")
      yield* sandbox.fault({ account: "acme", kind: "unavailable", operation: "messages" })
      const error = yield* Effect.flip(missed({ since: 0, until: 1 }))
      assert.strictEqual(error.reason._tag, "Unavailable", "what may pass is no answer")
    })
  )

  it.live("send events that a second reading recognises", () =>
    Effect.gen(function* () {
      const { adapter, sandbox } = yield* start({}, { optedOut: 0 })
      yield* sandbox.fault({ account: "acme", kind: "duplicate-events" })
      const keys: Array<string | null> = []
      const events = open(adapter.events)
      const hook = yield* startServer((seen): Answer => {
        const request = { method: seen.method, headers: rawHeaders(seen), query: {}, body: seen.body, receivedAt: 0 }
        const received = Effect.runSync(events.receive(request))
        if (received._tag === "Understood") keys.push(...received.observations.map(({ key }) => key))
        return received.reply
      })
      yield* open(adapter.subscription).ensure(hook.url)
      yield* sandbox.text({ from: person(1), to: sender, text: "UNSTOP" })
      while (keys.length < 4) yield* Effect.sleep("5 millis")
      // Two events, each of them twice: under one key where RingCentral names one, the message's or the event's own.
      assert.strictEqual(new Set(keys.filter((key) => key?.startsWith("message:"))).size, 1)
    })
  )
})

describe("v2: words that RingCentral acts on and shows to nobody", () => {
  it.live("are found in the history all the same, and the others in the message store", () =>
    Effect.gen(function* () {
      const { adapter, sandbox } = yield* startWith("v2", { keywordTexts: false }, { optedOut: 0 })
      for (const text of ["REVOKE", "STOP", "START"]) yield* sandbox.text({ from: person(1), to: sender, text })
      const told = yield* open(adapter.evidence).since(sender, person(1), 0)
      assert.deepStrictEqual(told.map(({ basis, origin, state }) => `${basis} ${origin} ${state}`).toSorted(), [
        "event recipient opted-in",
        "event recipient opted-out",
        "message recipient opted-out"
      ])
    })
  )
})

describe("v2: records that have to name what they cover", () => {
  it.live("are written all the same, and once it is known in one request", () =>
    Effect.gen(function* () {
      const { adapter, optedOut, sandbox } = yield* startWith("v2", { coverageNeeded: true }, { optedOut: 0 })
      const people = [1, 2, 3].map(person)
      const { optIn, optOut } = adapter.write
      const tags = (outcomes: ReadonlyArray<WriteOutcome>) => outcomes.map(({ _tag }) => _tag)
      assert.deepStrictEqual(tags(yield* open(optOut).write(sender, people)), ["Held", "Held", "Held"])
      assert.deepStrictEqual(yield* optedOut, people)
      yield* sandbox.clearLog("acme")
      assert.deepStrictEqual(tags(yield* open(optOut).write(sender, [person(4)])), ["Held"])
      assert.deepStrictEqual(tags(yield* open(optIn).write(sender, people)), ["Held", "Held", "Held"])
      assert.deepStrictEqual(yield* optedOut, [person(4)])
      assert.deepStrictEqual(
        (yield* sandbox.log("acme")).map(({ count, status }) => [count, status]),
        [
          [1, 200],
          [3, 200]
        ]
      )
    })
  )
})

describe("v2: a START that nobody was told of", () => {
  it.live("is found in the history, as the person's own, with its time", () =>
    Effect.gen(function* () {
      const { adapter, sandbox } = yield* startWith("v2", {}, { optedOut: 0 })
      const began = yield* Clock.currentTimeMillis
      yield* sandbox.text({ from: person(1), to: sender, text: "STOP" })
      yield* sandbox.text({ from: person(1), to: sender, text: "START" })
      yield* sandbox.edit({ account: "acme", sender, action: "opt-out", recipients: [person(1)] })
      yield* open(adapter.write.optIn).write(sender, [person(1)])
      const found = yield* open(adapter.evidence).since(sender, person(1), began)
      const told = found.filter(({ basis }) => basis === "event")
      assert.deepStrictEqual(
        told.map(({ origin, state }) => [state, origin]),
        [
          ["opted-in", "recipient"],
          ["opted-out", "recipient"]
        ]
      )
      const texted = found.filter(({ basis }) => basis === "message").map(({ state, time }) => [state, time.notBefore])
      assert.deepStrictEqual(
        told.map(({ state, time }) => [state, time.notBefore]),
        texted,
        "what was texted, when it was"
      )
    })
  )
})
