import { assert, describe, it } from "@effect/vitest"
import { Recipient } from "@stopline/consent"
import { askBatch, BatchRefused, ProviderError, Refused, Throttled } from "@stopline/provider"
import { Effect } from "effect"

const people = (count: number): ReadonlyArray<Recipient> =>
  Array.from({ length: count }, (_, index) => Recipient.make(`+1206555${1000 + index}`))

const failure = (reason: Refused | Throttled) =>
  new ProviderError({ account: "acme", operation: "optOut", reason, detail: "it was refused" })

const refusal = (overRecipient: boolean) =>
  new BatchRefused({ error: failure(new Refused({ status: 400 })), overRecipient })

/** What becomes of a batch of which whoever is in `bad` makes every request with them refused. */
const ask = Effect.fn(function* (count: number, bad: ReadonlyArray<number>, overRecipient: boolean) {
  const crowd = people(count)
  const offenders = new Set(bad.map((index) => crowd[index]))
  let requests = 0
  const judged = yield* Effect.result(
    askBatch(crowd, (part) => {
      requests += 1
      return part.some((one) => offenders.has(one)) ? Effect.fail(refusal(overRecipient)) : Effect.succeed(part)
    })
  )
  return { crowd, judged, requests }
})

const all = (count: number) => Array.from({ length: count }, (_, index) => index)

describe("a batch that is refused as a whole", () => {
  it.effect("is asked apart until whoever it is about stands alone (L9)", () =>
    Effect.gen(function* () {
      for (const bad of [
        [0],
        [3, 50, 99],
        all(10),
        all(30),
        [98, 99],
        all(99),
        [...all(10), 99],
        [...all(40), 98, 99]
      ]) {
        for (const overRecipient of [true, false]) {
          const { crowd, judged } = yield* ask(100, bad, overRecipient)
          const verdicts = yield* Effect.fromResult(judged)
          assert.deepStrictEqual(
            verdicts.map(({ recipient, verdict }) => [recipient, verdict._tag]),
            crowd.map((one, index) => [one, bad.includes(index) ? "Refused" : "Answered"])
          )
          for (const { recipient, verdict } of verdicts) {
            if (verdict._tag === "Answered") assert.strictEqual(verdict.answer, recipient)
          }
        }
      }
    })
  )

  it.effect("is about them though they stand before and behind the only one who is taken (L9)", () =>
    Effect.gen(function* () {
      for (const good of [10, 11, 14]) {
        const bad = all(17).filter((index) => index !== good)
        const { judged } = yield* ask(17, bad, false)
        assert.strictEqual((yield* Effect.fromResult(judged))[good]?.verdict._tag, "Answered")
      }
    })
  )

  it.effect("whoever is in it, is a request that is refused, and is soon given up", () =>
    Effect.gen(function* () {
      for (const overRecipient of [true, false]) {
        const { judged, requests } = yield* ask(1000, all(1000), overRecipient)
        assert.strictEqual(judged._tag === "Failure" && judged.failure.reason._tag, "Refused")
        assert.isBelow(requests, 40)
      }
    })
  )

  it.effect("of a few, all refused, is about them only if that is known", () =>
    Effect.gen(function* () {
      for (const count of [1, 2, 10, 17]) {
        const known = yield* Effect.fromResult((yield* ask(count, all(count), true)).judged)
        assert.isTrue(known.every(({ verdict }) => verdict._tag === "Refused"))
        assert.strictEqual((yield* ask(count, all(count), false)).judged._tag, "Failure")
      }
    })
  )

  it.effect("and then fails, has learnt nothing of those whom it only may be about", () =>
    Effect.gen(function* () {
      for (const [overRecipient, told] of [
        [true, ["Refused", "Failed"]],
        [false, "Throttled"]
      ] as const) {
        let turn = 0
        const judged = yield* Effect.result(
          askBatch(people(2), () => {
            turn += 1
            return Effect.fail(turn < 3 ? refusal(overRecipient) : failure(new Throttled({})))
          })
        )
        assert.deepStrictEqual<unknown>(
          judged._tag === "Success" ? judged.success.map(({ verdict }) => verdict._tag) : judged.failure.reason._tag,
          told
        )
      }
    })
  )
})
