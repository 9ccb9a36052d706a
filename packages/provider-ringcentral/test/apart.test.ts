import { assert, describe, it } from "@effect/vitest"
import { NextTurn } from "@stopline/provider"
import { Effect } from "effect"
import { makeRingCentralAdapter } from "../src/index.ts"
import { type Generation, generations, open, person, sender } from "./ports.ts"
import { type Answer, configFor, type Seen, startRingCentral } from "./server.ts"

const badRequest: Answer = {
  status: 400,
  body: { errorCode: "CMN-101", message: "Parameter [to] value is invalid.", errors: [] }
}

const write = Effect.fn(function* (api: Generation, answer: (seen: Seen) => Answer, people: ReadonlyArray<number>) {
  const server = yield* startRingCentral(answer)
  const port = open((yield* makeRingCentralAdapter(configFor(server.url, { api }))).write.optOut)
  let turns = 1
  const outcomes = yield* port.write(sender, people.map(person)).pipe(
    Effect.provideService(
      NextTurn,
      Effect.sync(() => void (turns += 1))
    ),
    Effect.result
  )
  return { outcomes, turns, calls: server.calls() }
})

describe.each(generations)("%s: a write that is refused as a whole", (api) => {
  /** Everybody in the request is done. */
  const done = ({ body }: Seen): Answer => ({
    body: api === "v1" ? { optOuts: { successful: [1, 2, 3, 4].map(person).filter((one) => body.includes(one)) } } : {}
  })

  it.live("is done for everybody but the one it was refused over, a turn for each request (L9, L15)", () =>
    Effect.gen(function* () {
      const { calls, outcomes, turns } = yield* write(
        api,
        (seen) => (seen.body.includes(person(2)) ? badRequest : done(seen)),
        [1, 2, 3, 4, 2]
      )
      assert.deepStrictEqual(
        (yield* Effect.fromResult(outcomes)).map(({ _tag, recipient }) => [_tag, recipient]),
        [
          ["Held", person(1)],
          ["Rejected", person(2)],
          ["Held", person(3)],
          ["Held", person(4)],
          ["Rejected", person(2)]
        ]
      )
      assert.strictEqual(turns, calls.length)
    })
  )

  it.live("whoever is in it, is an error of the request", () =>
    Effect.gen(function* () {
      for (const people of [[1], [1, 2], Array.from({ length: 50 }, (_, index) => index)]) {
        const { calls, outcomes } = yield* write(api, () => badRequest, people)
        assert.strictEqual(outcomes._tag === "Failure" && outcomes.failure.reason._tag, "Refused")
        assert.isBelow(calls.length, 30)
      }
    })
  )

  it.live("keeps what it knows when a later part fails (L7)", () =>
    Effect.gen(function* () {
      const { outcomes } = yield* write(
        api,
        (seen) => {
          if (seen.body.includes(person(1)) && seen.body.includes(person(3))) return badRequest
          return seen.body.includes(person(1)) ? done(seen) : { status: 503 }
        },
        [1, 2, 3, 4]
      )
      assert.deepStrictEqual(
        (yield* Effect.fromResult(outcomes)).map((one) => (one._tag === "Retryable" ? one.mayHaveApplied : one._tag)),
        ["Held", "Held", true, false]
      )
    })
  )
})
