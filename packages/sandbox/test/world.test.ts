import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import {
  type OutgoingAnswer,
  type OutgoingRequest,
  makeWorld,
  perform,
  startCourier,
  startSandbox
} from "../src/index.ts"
import { about, azureOf, callAzure, login, openRingCentral, ringCentralOf, statusOf } from "./support.ts"

const ann = "+15550100000"

describe("the world", () => {
  it.effect("is the same for the same seed, and another for another", () =>
    Effect.gen(function* () {
      const look = Effect.fnUntraced(function* (seed: number) {
        const world = yield* makeWorld({ seed })
        const { accessKey } = azureOf(world)
        const { clientId, clientSecret, jwt } = ringCentralOf(world)
        const said = yield* world.text({ from: ann, to: "20500", text: "STOP" })
        const token = login(world)
        return { accessKey, clientId, clientSecret, jwt, token, said, list: yield* world.state("acme") }
      })
      const first = yield* look(7)
      assert.deepStrictEqual(yield* look(7), first)
      const other = yield* look(8)
      for (const key of ["accessKey", "clientSecret", "jwt", "token"] as const)
        assert.notStrictEqual(other[key], first[key])
      assert.notDeepEqual(other.list, first.list)
    })
  )

  it.effect("has as many people as asked for, all different and valid", () =>
    Effect.gen(function* () {
      const { people } = yield* makeWorld({ people: 1_000_001, optedOut: 0 })
      assert.strictEqual(people.length, 1_000_001)
      assert.strictEqual(new Set(people).size, people.length)
      assert.isTrue(people.every((person) => /^\+1555\d{7}$/.test(person)))
      assert.notInclude(people, "+15550000000")
    })
  )

  it.effect("opts out as many as asked for, at the first RingCentral sender", () =>
    Effect.gen(function* () {
      const listed = Effect.fnUntraced(function* (options: { people?: number; optedOut?: number }) {
        const world = yield* makeWorld(options)
        const { optedOut = [] } = (yield* world.state("acme")).senders[0] ?? {}
        assert.isTrue(optedOut.every((person) => world.people.includes(person)))
        return optedOut.length
      })
      assert.strictEqual(yield* listed({}), 25)
      assert.strictEqual(yield* listed({ people: 5 }), 5)
      assert.strictEqual(yield* listed({ people: 300, optedOut: 300 }), 300)
    })
  )

  it.effect("refuses a setup that cannot be", () =>
    Effect.gen(function* () {
      const azure = { vendor: "azure", name: "contoso", senders: ["20500"] } as const
      for (const [options, word] of [
        [{ people: 3, optedOut: 4 }, "4 of 3"],
        [{ accounts: [azure, azure] }, "contoso is there twice"],
        [{ accounts: [azure, { ...azure, name: "fabrikam" }] }, "20500 is there twice"],
        [{ accounts: [{ ...azure, senders: ["Contoso"] }] }, "accounts.0"]
      ] as const) {
        const error = yield* Effect.flip(makeWorld(options))
        assert.include(error.problem, word)
      }
    })
  )

  it.effect("runs without sockets, in virtual time", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const world = yield* makeWorld()
      const taken: Array<{ at: number; count: string | undefined }> = []
      let up = false
      const post = Effect.fnUntraced(function* (request: OutgoingRequest): Effect.fn.Return<OutgoingAnswer> {
        if (request.headers["aeg-event-type"] === "SubscriptionValidation") {
          const validationResponse = JSON.parse(request.body)[0].data.validationCode
          return { _tag: "Answered", status: 200, headers: {}, body: JSON.stringify({ validationResponse }) }
        }
        taken.push({ at: yield* Clock.currentTimeMillis, count: request.headers["aeg-delivery-count"] })
        return up
          ? { _tag: "Answered", status: 200, headers: {}, body: "" }
          : { _tag: "Unreachable", reason: "ECONNREFUSED" }
      })
      yield* Scope.provide(startCourier(world, post), scope)
      yield* world.subscribe({ account: "contoso", url: "http://engine/webhook" }, post)
      yield* world.text({ from: ann, to: "20500", text: "STOP" })
      yield* TestClock.adjust("500 millis")
      up = true
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(taken, [
        { at: 0, count: "0" },
        { at: 500, count: "1" },
        { at: 2_500, count: "2" }
      ])
      const outcome = yield* callAzure(world, "check", about("20500", ann))
      assert.strictEqual((yield* perform(outcome, post)).status, statusOf(outcome))
      up = false
      yield* world.text({ from: ann, to: "20500", text: "START" })
      yield* Scope.close(scope, Exit.void)
      const before = taken.length
      yield* TestClock.adjust("1 day")
      assert.strictEqual(taken.length, before)
    })
  )
})

describe("the sandbox", () => {
  it.live("closes its ports with its scope, whatever still hangs", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const sandbox = yield* Scope.provide(startSandbox(), scope)
      const { url } = openRingCentral(sandbox)
      const path = `${url}/restapi/v1.0/subscription`
      yield* sandbox.fault({ account: "acme", kind: "hang" })
      const hanging = fetch(path).then(
        () => "answered",
        () => "cut"
      )
      yield* Effect.promise(() => fetch(`${sandbox.controlUrl}/health`))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Effect.promise(() => hanging), "cut")
      for (const origin of [url, sandbox.controlUrl]) {
        assert.isTrue((yield* Effect.exit(Effect.tryPromise(() => fetch(origin))))._tag === "Failure")
      }
    })
  )

  it.live("says which port is in use, and what to do", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox()
      const controlPort = Number(new URL(sandbox.controlUrl).port)
      const error = yield* Effect.flip(startSandbox({ controlPort }))
      assert.strictEqual(error.problem, `Port ${controlPort} on 127.0.0.1 is in use.`)
      assert.isNotEmpty(error.cure)
    })
  )
})
