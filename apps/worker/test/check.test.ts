/** May I text them? Asked over HTTP, as an application does. */
import { describe, expect, it } from "@effect/vitest"
import { createStoplineClient } from "@stopline/client"
import { Effect, Option, Schema } from "effect"
import { readCheck } from "../src/api/check.ts"
import { CheckRequest, CheckResponse, mostPeople } from "../src/api/shapes.ts"
import { ask, keyFor } from "./api.ts"
import { startWorker } from "./worker.ts"
import { acmeSender, azure, azureSenders, eventually, makeWorld, ringcentral, tenDlc, tollFree } from "./world.ts"

const decode = Schema.decodeUnknownSync(CheckResponse, { onExcessProperty: "error" })

describe.concurrent("the check before a text", () => {
  it.live("says no from the moment a STOP is stored, for every sender of the brand, and why (L16)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const key = yield* keyFor(world, "shop", "read")
      const [stopped = "", other = ""] = world.sandbox.people
      yield* world.sandbox.text({ from: stopped, to: acmeSender, text: "STOP" })
      const check = (body: object) => ask(world.url, key, "/v1/check", body)
      const people = [other, stopped, other, stopped.slice(1), "no number", ""]
      yield* eventually(
        "it is a no",
        Effect.map(check({ sender: tollFree, recipients: [stopped] }), ({ body }) => !body.results[0].mayText)
      )
      for (const from of [{ sender: tollFree }, { sender: acmeSender, account: ringcentral }, { group: "all" }]) {
        const { body, status } = yield* check({ ...from, recipients: people })
        expect(status).toBe(200)
        const { checkedAt, results, senders } = decode(body)
        expect(Number.isFinite(Date.parse(checkedAt))).toBe(true)
        expect(results.map(({ mayText, recipient }) => [recipient, mayText])).toEqual(
          people.map((person) => [person, person === other])
        )
        expect(results.map(({ why }) => why)).toEqual([
          "nothing-said",
          "opted-out",
          "nothing-said",
          "not-a-number",
          "not-a-number",
          "not-a-number"
        ])
        expect(results[1]).toMatchObject({ state: "opted-out", because: { account: ringcentral, sender: acmeSender } })
        expect(Number.isFinite(Date.parse(results[1]?.since ?? ""))).toBe(true)
        expect(senders).toHaveLength("group" in from ? azureSenders.length + 1 : 1)
      }
    })
  )

  it.live("says how fresh it is: what was read when, and whether events can be heard (L16)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ optedOut: 3 })
      yield* startWorker(world)
      const key = yield* keyFor(world, "shop", "read")
      const freshness = Effect.map(
        ask(world.url, key, "/v1/check", { group: "all", recipients: [world.sandbox.people[9]] }),
        ({ body }) =>
          decode(body).senders.map(({ account, events, listReadAt }) => [account, events, listReadAt !== null] as const)
      )
      const events = (account: string, how: string, listed: boolean) =>
        eventually(
          `${account} is ${how}`,
          Effect.map(freshness, (all) =>
            all.some(([name, events, read]) => name === account && events === how && read === listed)
          )
        )
      yield* events(ringcentral, "heard", true)
      // Nobody can see whether Event Grid calls, and Azure has no list.
      yield* events(azure, "unproven", false)
      // A time in which nobody listened, and no walk since.
      yield* world.sql("update run set ended_at = started_at - interval '1 hour' where kind = 'listen'")
      yield* world.sql(
        "insert into run (kind, account_id, started_by, started_at, ended_at) select 'listen', id, 'test', now(), now() from account where name = $1",
        [ringcentral]
      )
      yield* events(ringcentral, "blind", true)
      const [held = ""] = (yield* world.sandbox.state(ringcentral)).senders[0]?.optedOut ?? []
      const { body } = yield* ask(world.url, key, "/v1/check", { sender: acmeSender, recipients: [held] })
      expect(decode(body).results[0]?.readAt).not.toBe(null)
    })
  )

  it.live("takes a thousand people at once, in their order", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const key = yield* keyFor(world, "shop", "read")
      const client = createStoplineClient({ url: world.url, key })
      const recipients = Array.from({ length: mostPeople }, (_, i) => `+1555${String(i).padStart(7, "0")}`)
      const { results } = yield* Effect.promise(() => client.check({ sender: tenDlc, recipients }))
      expect(results.map(({ recipient }) => recipient)).toEqual(recipients)
      expect(yield* Effect.promise(() => client.mayText({ sender: tenDlc, recipient: recipients[0] ?? "" }))).toBe(true)
    })
  )

  const field = Schema.Union([Schema.String, Schema.Literal(""), Schema.Int, Schema.Null, Schema.Undefined])
  const Anything = Schema.Struct({
    sender: Schema.optionalKey(field),
    account: Schema.optionalKey(field),
    group: Schema.optionalKey(field),
    stranger: Schema.optionalKey(field),
    recipients: Schema.optionalKey(Schema.Union([Schema.Array(field), field]))
  })
  const bySchema = Schema.decodeUnknownOption(CheckRequest, { onExcessProperty: "error" })

  const agree = (value: unknown) => {
    const byHand = readCheck(value)
    const told = Option.getOrUndefined(bySchema(value))
    expect([value, typeof byHand === "string" ? undefined : byHand]).toEqual([value, told])
  }

  it.prop("takes by hand what its schema takes, and nothing else", [Anything], ([value]) => agree(value))

  it("takes by hand what its schema takes at the edges", () => {
    const recipients = ["+15550100001"]
    const edges = [
      null,
      [],
      "text",
      {},
      { recipients },
      { recipients, sender: "x".repeat(64) },
      { recipients, sender: "x".repeat(65) },
      { recipients, group: "x".repeat(500) },
      { recipients, account: "x".repeat(501) },
      { recipients: [] },
      { recipients: ["x".repeat(64)] },
      { recipients: ["x".repeat(65)] },
      { recipients: Array.from({ length: mostPeople }, () => "") },
      { recipients: Array.from({ length: mostPeople + 1 }, () => "") }
    ]
    edges.forEach(agree)
  })
})
