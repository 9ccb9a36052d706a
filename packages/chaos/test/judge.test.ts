/** The judge must be able to find somebody guilty. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { anyPerson, personOf } from "../src/accounts.ts"
import { doubleWriters } from "../src/judge.ts"
import { Record } from "../src/record.ts"
import { waitingSeconds } from "../src/sample.ts"
import { slope } from "../src/verdict.ts"
import { readWrite, type Write } from "../src/wire.ts"

const one = personOf(1)

const write = (worker: string, from: number, to: number, sender = "20500"): Write => ({
  worker,
  account: "contoso",
  sender,
  state: "opted-out",
  recipients: [one],
  from,
  to
})

describe("two writers", () => {
  it("are two when the one begins before the other has ended, at the same sender", () => {
    assert.lengthOf(doubleWriters([write("one", 0, 10), write("two", 9, 20)]), 1)
  })

  it("are none one after the other, at two senders, or in one process", () => {
    assert.deepStrictEqual(doubleWriters([write("one", 0, 10), write("two", 10, 20)]), [])
    assert.deepStrictEqual(doubleWriters([write("one", 0, 10), write("two", 5, 20, "+18005550100")]), [])
    assert.deepStrictEqual(doubleWriters([write("one", 0, 10), write("one", 5, 20)]), [])
  })
})

describe("the STOP that waits longest", () => {
  const sender = "20500"
  const waits = (meanwhile: (record: Record) => void, held: ReadonlyArray<string> = []) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(600_000)
      const record = new Record([sender])
      record.note({ person: one, sender, means: "stop", byColleague: false, at: 0 })
      const look = Effect.sync(() => {
        meanwhile(record)
        return new Set(held)
      })
      return yield* waitingSeconds({ control: { held: () => look }, record })
    })

  it.effect("waits since it was said", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* waits(() => undefined), 600)
      assert.strictEqual(yield* waits(() => undefined, [`${sender} ${one}`]), 0)
    })
  )

  it.effect("waits no more when START is said while we look", () =>
    Effect.gen(function* () {
      const start = (record: Record) =>
        record.note({ person: one, sender, means: "start", byColleague: false, at: 600_000 })
      assert.strictEqual(yield* waits(start), 0)
    })
  )
})

describe("what people said", () => {
  const record = new Record(["20500", "+16505550100"])
  const says = (means: "stop" | "start", sender: string, at: number) =>
    record.note({ person: one, sender, means, byColleague: false, at })

  it("silences every sender, until it is taken back at one, and again with the next STOP (L2, L3)", () => {
    says("stop", "20500", 1)
    assert.deepStrictEqual([...record.mustBeHeld().keys()], [`20500 ${one}`, `+16505550100 ${one}`])
    says("start", "+16505550100", 2)
    assert.deepStrictEqual([...record.mustBeHeld().keys()], [`20500 ${one}`])
    assert.deepStrictEqual(record.mayText(), [`+16505550100 ${one}`])
    says("stop", "+16505550100", 3)
    assert.lengthOf([...record.mustBeHeld().keys()], 2)
    assert.isTrue(record.hadSaidStart(one, "+16505550100", 2))
    assert.isFalse(record.hadSaidStart(one, "20500", 2))
  })
})

describe("a request", () => {
  it("is known for a write at either provider, and for none when it reads", () => {
    const azure = JSON.stringify({ from: "20500", recipients: [{ to: one }] })
    assert.deepStrictEqual(readWrite("POST", "/sms/optouts:remove?api-version=1", azure), {
      sender: "20500",
      state: "opted-in",
      recipients: [one]
    })
    assert.isUndefined(readWrite("POST", "/sms/optouts:check?api-version=1", azure))
    const records = JSON.stringify({ records: [{ from: "+16505550100", to: one, optStatus: "OptOut" }] })
    assert.deepStrictEqual(readWrite("PATCH", "/restapi/v2/accounts/~/sms/consents", records), {
      sender: "+16505550100",
      state: "opted-out",
      recipients: [one]
    })
    assert.isUndefined(readWrite("POST", "/restapi/v2/accounts/~/sms/consents/search", records))
  })
})

describe("a number", () => {
  it("is found in a log in full, and not when it is masked", () => {
    assert.isTrue(anyPerson.test(`held for ${one}`))
    assert.isFalse(anyPerson.test("held for +1555•••0001"))
  })
})

describe("a slope", () => {
  it("is that of the line", () => {
    assert.closeTo(
      slope([
        [0, 1],
        [1, 3],
        [2, 5]
      ]),
      2,
      1e-9
    )
  })
})
