/** What RingCentral does with a subscription as time goes by. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { makeWorld } from "../src/index.ts"
import { bodyOf, callRingCentral, listen, login, statusOf, subscribeRingCentral } from "./support.ts"

const reminder = "/restapi/v1.0/subscription/~?threshold=259200&interval=43200"
const optOuts = "/restapi/v1.0/account/~/a2p-sms/opt-outs"
const sender = "+16505550100"
const ann = "+15550100000"

describe("a subscription at RingCentral", () => {
  it.effect("is reminded of its end when it asked for that, again and again, until it is renewed", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const sent = listen(world)
      // A week: nobody said how long it is to last.
      const { id } = subscribeRingCentral(world, login(world), optOuts, reminder)
      subscribeRingCentral(world, login(world), optOuts)
      const after = (days: string) => Effect.andThen(TestClock.adjust(`${Number(days)} days`), world.tick)
      yield* after("3.9")
      assert.deepStrictEqual(sent, [])
      yield* after("0.2")
      yield* world.tick
      assert.deepStrictEqual(
        sent.map(({ event, subscriptionId }) => [event, subscriptionId]),
        [[reminder, id]]
      )
      yield* after("0.5")
      assert.strictEqual(sent.length, 2)
      const renewed = callRingCentral(world, "POST", `/restapi/v1.0/subscription/${id}/renew`, { token: login(world) })
      assert.strictEqual(bodyOf(renewed).expiresIn, 604_800)
      yield* after("3")
      assert.strictEqual(sent.length, 2)
      // Without a reminder, the other one has gone without a word.
      const all = bodyOf(callRingCentral(world, "GET", "/restapi/v1.0/subscription", { token: login(world) }))
      assert.deepStrictEqual(
        all.records.map((record: { id: string }) => record.id),
        [id]
      )
    })
  )

  it.effect("can be blacklisted by hand, and brings nothing from then on, not even a reminder", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const sent = listen(world)
      const token = login(world)
      const { id } = subscribeRingCentral(world, token, optOuts, reminder)
      assert.deepStrictEqual(yield* world.blacklist("acme"), { blacklisted: 1 })
      assert.deepStrictEqual(yield* world.blacklist("acme"), { blacklisted: 0 })
      yield* world.text({ from: ann, to: sender, text: "STOP" })
      const info = callRingCentral(world, "GET", `/restapi/v1.0/subscription/${id}`, { token })
      assert.strictEqual(bodyOf(info).status, "Blacklisted")
      assert.strictEqual(statusOf(info), 200)
      yield* TestClock.adjust("6 days")
      yield* world.tick
      assert.deepStrictEqual(sent, [])
      const { cure } = yield* Effect.flip(world.blacklist("contoso"))
      assert.include(cure, "Event Grid")
    })
  )
})
