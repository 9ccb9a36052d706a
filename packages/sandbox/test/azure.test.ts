import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { TestClock } from "effect/testing"
import { makeWorld } from "../src/index.ts"
import { about, azureOf, bodyOf, callAzure, responseOf, statusOf } from "./support.ts"

const tollFree = "+18005550100"
const longCode = "+14255550123"
const shortCode = "20500"
const ann = "+15550100000"
const ben = "+15550100001"

const check = Effect.fnUntraced(function* (world: Parameters<typeof callAzure>[0], sender: string, person: string) {
  return bodyOf(yield* callAzure(world, "check", about(sender, person))).value[0].isOptedOut
})

describe("Azure: versions", () => {
  it.effect("serves three versions and says so", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      for (const version of ["2024-12-10-preview", "2025-05-29-preview", "2026-01-23"]) {
        const response = responseOf(yield* callAzure(world, "check", about(shortCode, ann), { version }))
        assert.strictEqual(response.status, 200)
        assert.include(response.headers["api-supported-versions"], version)
      }
    })
  )

  it.effect("refuses a missing and an unknown version in the published shapes", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const missing = yield* callAzure(world, "check", about(shortCode, ann), { version: undefined })
      assert.strictEqual(statusOf(missing), 400)
      assert.deepStrictEqual(bodyOf(missing).error, {
        code: "ApiVersionUnspecified",
        message: "An API version is required, but was not specified.",
        innerError: null
      })
      const unknown = yield* callAzure(world, "check", about(shortCode, ann), { version: "2021-03-07" })
      assert.strictEqual(statusOf(unknown), 400)
      assert.strictEqual(bodyOf(unknown).error.code, "InvalidApiVersion")
      assert.include(bodyOf(unknown).error.message, "'2021-03-07'")
    })
  )
})

describe("Azure: access keys", () => {
  it.effect("refuses another body, another key, another date and no signature", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* TestClock.adjust("1 day")
      const now = yield* Clock.currentTimeMillis
      const body = about(shortCode, ann)
      const tampered = yield* callAzure(world, "add", body, { sent: JSON.stringify(about(shortCode, ben)) })
      assert.strictEqual(statusOf(tampered), 401)
      assert.deepStrictEqual(bodyOf(tampered).error, {
        code: "Denied",
        message: "Request 'x-ms-content-sha256' differs from generated content hash."
      })
      const strange = yield* callAzure(world, "add", body, { key: Buffer.from("another key").toString("base64") })
      assert.strictEqual(statusOf(strange), 401)
      assert.deepStrictEqual(bodyOf(strange).error, { code: "Unauthorized", message: "" })
      const quarter = 15 * 60_000
      assert.strictEqual(statusOf(yield* callAzure(world, "add", body, { at: now - quarter - 1_000 })), 401)
      assert.strictEqual(statusOf(yield* callAzure(world, "add", body, { at: now + quarter + 1_000 })), 401)
      const unsigned = {
        method: "POST",
        path: "/sms/optouts:add",
        query: "api-version=2026-01-23",
        headers: {},
        body: ""
      }
      assert.strictEqual(statusOf(azureOf(world).handle(unsigned)), 401)
      assert.isFalse(yield* check(world, shortCode, ann))
      assert.isFalse(yield* check(world, shortCode, ben))
      assert.strictEqual(statusOf(yield* callAzure(world, "add", body, { at: now - quarter })), 200)
    })
  )

  it.effect("answers a sender of somebody else as it answers a wrong key", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const outcome = yield* callAzure(world, "check", about("+18005550199", ann))
      assert.strictEqual(statusOf(outcome), 401)
      assert.deepStrictEqual(bodyOf(outcome).error, { code: "Unauthorized", message: "" })
    })
  )
})

describe("Azure: opt-outs", () => {
  it.effect("refuses what does not fit the schema, by field", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const hundred = Array.from({ length: 100 }, (_, n) => `+1555010${String(n).padStart(4, "0")}`)
      const fields = Effect.fnUntraced(function* (body: unknown) {
        const outcome = yield* callAzure(world, "add", body)
        assert.strictEqual(statusOf(outcome), 400)
        assert.strictEqual(bodyOf(outcome).title, "One or more validation errors occurred.")
        return Object.keys(bodyOf(outcome).errors)
      })
      assert.deepStrictEqual(yield* fields(about("Contoso", ann)), ["From"])
      assert.deepStrictEqual(yield* fields(about(shortCode)), ["Recipients"])
      assert.deepStrictEqual(yield* fields(about(shortCode, ...hundred, ann)), ["Recipients"])
      assert.deepStrictEqual(yield* fields({ from: shortCode, recipients: [{}] }), ["Recipients[0].To"])
      assert.deepStrictEqual(yield* fields("{"), ["$"])
      assert.strictEqual(bodyOf(yield* callAzure(world, "add", about(shortCode, ...hundred))).value.length, 100)
    })
  )

  it.effect("answers one item for each recipient, twice for the same, and again the same", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const add = () => callAzure(world, "add", about(longCode, ann, "+123", ann))
      const expected = [
        { to: ann, httpStatusCode: 200 },
        { to: "+123", httpStatusCode: 400, errorMessage: "Invalid recipient phone number format" },
        { to: ann, httpStatusCode: 200 }
      ]
      assert.deepStrictEqual(bodyOf(yield* add()).value, expected)
      assert.deepStrictEqual(bodyOf(yield* add()).value, expected)
      assert.deepStrictEqual(bodyOf(yield* callAzure(world, "check", about(longCode, ann, ben, "+123"))).value, [
        { to: ann, isOptedOut: true, httpStatusCode: 200 },
        { to: ben, isOptedOut: false, httpStatusCode: 200 },
        { to: "+123", httpStatusCode: 400, errorMessage: "Invalid recipient phone number format" }
      ])
      assert.isFalse(yield* check(world, shortCode, ann))
      for (let again = 0; again < 2; again++) {
        const removed = yield* callAzure(world, "remove", about(longCode, ann))
        assert.deepStrictEqual(bodyOf(removed).value, [{ to: ann, httpStatusCode: 200 }])
      }
      assert.isFalse(yield* check(world, longCode, ann))
    })
  )

  it.effect("refuses the whole request for one unassignable number, and does not name it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const outcome = yield* callAzure(world, "add", about(shortCode, ann, "+15550000000"))
      assert.strictEqual(statusOf(outcome), 400)
      assert.deepStrictEqual(bodyOf(outcome), {
        error: { code: "InvalidInput", message: "Request parameter   is invalid.", target: "" }
      })
      assert.isFalse(yield* check(world, shortCode, ann))
    })
  )
})

describe("Azure: people who text", () => {
  const abroad = "+33644600100"
  const usual = ["STOP", "QUIT", "END", "REVOKE", "OPT OUT", "CANCEL", "UNSUBSCRIBE"]
  const tables: ReadonlyArray<readonly [string, ReadonlyArray<string>, ReadonlyArray<string>]> = [
    [shortCode, [...usual, " stop\n"], ["ARRET"]],
    [longCode, usual, ["ARRET"]],
    [tollFree, ["STOP", "Stop "], ["ARRET", ...usual.slice(1)]],
    [abroad, [...usual, "arret"], []]
  ]
  const withAbroad = makeWorld({
    accounts: [{ vendor: "azure", name: "contoso", senders: [tollFree, longCode, shortCode, abroad] }],
    optedOut: 0
  })

  it.effect.each(tables)("%s hears its own words only", ([sender, heard, unheard]) =>
    Effect.gen(function* () {
      const world = yield* withAbroad
      for (const text of heard) {
        assert.isTrue((yield* world.text({ from: ann, to: sender, text })).optedOut, text)
        assert.isFalse((yield* world.text({ from: ann, to: sender, text: "start" })).optedOut)
      }
      for (const text of [...unheard, "STOP please", "STOPALL", "don't stop", "YES"]) {
        assert.isFalse((yield* world.text({ from: ann, to: sender, text })).optedOut, text)
      }
    })
  )

  it.effect.each([
    [tollFree, true],
    [abroad, true],
    [shortCode, false],
    [longCode, false]
  ] as const)("%s hears UNSTOP: %s", ([sender, heard]) =>
    Effect.gen(function* () {
      const world = yield* withAbroad
      yield* world.text({ from: ann, to: sender, text: "STOP" })
      assert.strictEqual((yield* world.text({ from: ann, to: sender, text: "UNSTOP" })).optedOut, !heard)
    })
  )

  it.effect("a carrier holds a toll-free STOP until the person texts START", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.text({ from: ann, to: tollFree, text: "STOP" })
      assert.strictEqual(statusOf(yield* callAzure(world, "remove", about(tollFree, ann))), 200)
      assert.isTrue(yield* check(world, tollFree, ann))
      const [held] = (yield* world.state("contoso", tollFree)).senders
      assert.deepStrictEqual(held, { sender: tollFree, optedOut: [], optedIn: [], carrierHeld: [ann] })
      yield* world.text({ from: ann, to: tollFree, text: "START" })
      assert.isFalse(yield* check(world, tollFree, ann))
    })
  )

  it.effect("an opt-out through the API is not the carrier's, even at a toll-free number", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* callAzure(world, "add", about(tollFree, ann))
      assert.isTrue(yield* check(world, tollFree, ann))
      yield* callAzure(world, "remove", about(tollFree, ann))
      assert.isFalse(yield* check(world, tollFree, ann))
    })
  )

  it.effect("a text to somebody who opted out is accepted and fails with 4007", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const before = yield* world.send({ account: "contoso", from: shortCode, to: ann })
      assert.isTrue(before.delivered)
      yield* world.edit({ account: "contoso", sender: shortCode, action: "opt-out", recipients: [ann] })
      const after = yield* world.send({ account: "contoso", from: shortCode, to: ann })
      assert.strictEqual(after.status, 202)
      assert.isFalse(after.delivered)
      assert.match(after.detail, /^4007\b/)
    })
  )
})
