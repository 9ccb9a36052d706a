import { describe, expect, it } from "@effect/vitest"
import { mayHaveApplied, NextTurn } from "@stopline/provider"
import { Effect } from "effect"
import {
  agreeable,
  type Answer,
  type Behaviour,
  failureOf,
  invalidInput,
  items,
  people,
  portOf,
  recipient,
  sender,
  startPair,
  tollFree
} from "./fake.ts"

const [one, two, three] = [recipient("+12065551000"), recipient("+12065551001"), recipient("+12065551002")]

const answering =
  (...value: ReadonlyArray<unknown>): Behaviour =>
  () => ({ status: 200, body: { value } })

describe("a check", () => {
  it.live("answers for every recipient, in the order asked, whatever order the answer has", () =>
    Effect.gen(function* () {
      const { check } = yield* startPair(
        answering(
          { to: "+19999999999", httpStatusCode: 200, isOptedOut: true },
          { to: two.slice(1), httpStatusCode: 200, isOptedOut: false },
          { to: one, httpStatusCode: 200, isOptedOut: true }
        )
      )
      expect(yield* check(sender, [one, two])).toEqual([
        { _tag: "Known", recipient: one, reading: { sender, recipient: one, state: "opted-out", origin: "unknown" } },
        { _tag: "Known", recipient: two, reading: { sender, recipient: two, state: "opted-in", origin: "unknown" } }
      ])
    })
  )

  const unanswered: ReadonlyArray<readonly [string, unknown, number | undefined]> = [
    ["failed", { to: one, httpStatusCode: 500, errorMessage: "Internal Server Error" }, 500],
    ["failed although a flag is set", { to: one, httpStatusCode: 500, isOptedOut: false }, 500],
    ["was not liked", { to: one, httpStatusCode: 400, errorMessage: "Invalid recipient phone number format" }, 400],
    ["was throttled", { to: one, httpStatusCode: 429 }, 429],
    ["has no flag", { to: one, httpStatusCode: 200 }, 200],
    ["has a null flag", { to: one, httpStatusCode: 200, isOptedOut: null }, 200],
    ["has a word for a flag", { to: one, httpStatusCode: 200, isOptedOut: "false" }, undefined],
    ["has no status", { to: one, isOptedOut: false }, undefined],
    ["is missing", { to: two, httpStatusCode: 200, isOptedOut: false }, undefined],
    ["is null", null, undefined]
  ]
  for (const [what, item, status] of unanswered) {
    it.live(`is no "not opted out" when an item ${what}`, () =>
      Effect.gen(function* () {
        const { check } = yield* startPair(answering(item))
        const [answer] = yield* check(sender, [one])
        expect(answer).toMatchObject({ _tag: "Unanswered", recipient: one })
        expect(answer?._tag === "Unanswered" && answer.status).toBe(status)
      })
    )
  }

  it.live("asked twice for one number takes two items, and no item serves twice", () =>
    Effect.gen(function* () {
      const item = { to: one, httpStatusCode: 200, isOptedOut: true }
      const twice = yield* startPair(answering(item, item))
      expect((yield* twice.check(sender, [one, one])).map(({ _tag }) => _tag)).toEqual(["Known", "Known"])
      const once = yield* startPair(answering(item))
      expect((yield* once.check(sender, [one, one])).map(({ _tag }) => _tag)).toEqual(["Known", "Unanswered"])
    })
  )

  it.live("believes no number that has more items than it was asked for", () =>
    Effect.gen(function* () {
      const { check } = yield* startPair(
        answering(
          { to: one, httpStatusCode: 200, isOptedOut: false },
          { to: one, httpStatusCode: 200, isOptedOut: true },
          { to: two, httpStatusCode: 200, isOptedOut: true }
        )
      )
      expect((yield* check(sender, [one, two])).map(({ _tag }) => _tag)).toEqual(["Unanswered", "Known"])
    })
  )

  it.live("believes no number of whose two items one cannot be read (L5)", () =>
    Effect.gen(function* () {
      const { check } = yield* startPair(
        answering(
          { to: one, httpStatusCode: "200", isOptedOut: true },
          { to: one, httpStatusCode: 200, isOptedOut: false }
        )
      )
      expect((yield* check(sender, [one])).map(({ _tag }) => _tag)).toEqual(["Unanswered"])
    })
  )

  it.live("has no answers in a body that is none", () =>
    Effect.gen(function* () {
      for (const body of ["", "null", "[]", "<html></html>", '{"value":[', '{"value":{}}', '{"Value":[]}']) {
        const { check, optOut } = yield* startPair(() => ({ status: 200, body }))
        const read = yield* failureOf(check(sender, [one]))
        expect([read.reason._tag, mayHaveApplied(read)]).toEqual(["Unreadable", false])
        const write = yield* failureOf(optOut(sender, [one]))
        expect([write.reason._tag, mayHaveApplied(write)]).toEqual(["Unreadable", true])
      }
    })
  )
})

describe("a write", () => {
  const outcomes: ReadonlyArray<readonly [number, object]> = [
    [200, { _tag: "Held" }],
    [400, { _tag: "Rejected" }],
    [404, { _tag: "Rejected" }],
    // Over the credentials, and no judgement of the person.
    [401, { _tag: "Retryable", mayHaveApplied: false }],
    [403, { _tag: "Retryable", mayHaveApplied: false }],
    [408, { _tag: "Retryable", mayHaveApplied: true }],
    [429, { _tag: "Retryable", mayHaveApplied: false }],
    [500, { _tag: "Retryable", mayHaveApplied: true }],
    [503, { _tag: "Retryable", mayHaveApplied: true }]
  ]
  it.live("has one outcome per recipient, by the status of its item", () =>
    Effect.gen(function* () {
      const asked = people(outcomes.length + 1)
      const value = outcomes.map(([httpStatusCode], index) => ({ to: asked[index], httpStatusCode }))
      for (const direction of ["optOut", "optIn"] as const) {
        const pair = yield* startPair(answering(...value.toReversed()))
        const told = yield* pair[direction](sender, asked)
        expect(told.map(({ recipient }) => recipient)).toEqual(asked)
        expect(told).toMatchObject(
          // The last one is missing from the answer: it may have been done.
          [...outcomes.map(([, outcome]) => outcome), { _tag: "Retryable", mayHaveApplied: true }]
        )
      }
    })
  )

  it.live("quotes Azure only where no number can hide", () =>
    Effect.gen(function* () {
      const { optOut } = yield* startPair(
        answering(
          { to: one, httpStatusCode: 400, errorMessage: "Invalid recipient phone number format" },
          { to: two, httpStatusCode: 400, errorMessage: `Invalid number ${two}` },
          { to: three, httpStatusCode: 400, errorMessage: "Invalid number ٤١٢٣٤٥٦٧" }
        )
      )
      expect(
        (yield* optOut(sender, [one, two, three])).map((outcome) => outcome._tag === "Rejected" && outcome.detail)
      ).toEqual([
        "Azure answered 400 for this recipient: Invalid recipient phone number format",
        "Azure answered 400 for this recipient",
        "Azure answered 400 for this recipient"
      ])
    })
  )

  it.live("never opts in at a toll-free sender, and says what the person must do", () =>
    Effect.gen(function* () {
      const { adapter, fake, optIn, optOut } = yield* startPair()
      const port = portOf(adapter.write.optIn)
      expect(port.except(tollFree)).toContain("START or UNSTOP")
      expect(port.except(sender)).toBeUndefined()
      expect(portOf(adapter.write.optOut).except(tollFree)).toBeUndefined()
      expect((yield* optIn(tollFree, [one, two])).map(({ _tag }) => _tag)).toEqual(["Rejected", "Rejected"])
      expect(fake.heard).toHaveLength(0)
      expect((yield* optOut(tollFree, [one])).map(({ _tag }) => _tag)).toEqual(["Held"])
    })
  )
})

describe("a batch refused as a whole", () => {
  const crowd = people(100)
  const offenders = new Set<string>([crowd[3]!, crowd[50]!, crowd[99]!])
  const picky: Behaviour = (request) =>
    request.body.recipients.some(({ to }) => offenders.has(to)) ? invalidInput : agreeable(request, 0)

  it.live("is halved until each offender stands alone; the others are held", () =>
    Effect.gen(function* () {
      const { fake, optOut } = yield* startPair(picky)
      const outcomes = yield* optOut(sender, crowd)
      expect(outcomes.map(({ recipient }) => recipient)).toEqual(crowd)
      for (const outcome of outcomes) {
        expect(outcome._tag).toBe(offenders.has(outcome.recipient) ? "Rejected" : "Held")
      }
      // A hundred have 7 levels: 3 offenders cost 31 requests, where asking both halves of every refused part cost 35.
      expect(fake.heard).toHaveLength(31)
      // Everybody who was held was asked for exactly once with success.
      const accepted = fake.heard.filter(({ body }) => !body.recipients.some(({ to }) => offenders.has(to)))
      const done = accepted.flatMap(({ body }) => body.recipients)
      expect(done.map(({ to }) => to).toSorted()).toEqual(crowd.filter((to) => !offenders.has(to)).toSorted())
    })
  )

  it.live("waits for a turn before every request but the first (L15)", () =>
    Effect.gen(function* () {
      const { fake, optOut } = yield* startPair(picky)
      let turns = 0
      const turn = Effect.sync(() => void (turns += 1))
      yield* Effect.provideService(optOut(sender, crowd), NextTurn, turn)
      expect(turns).toBe(fake.heard.length - 1)
      yield* Effect.provideService(optOut(sender, [one, two]), NextTurn, turn)
      expect(turns).toBe(fake.heard.length - 2)
    })
  )

  it.live("leaves the offenders of a check unanswered", () =>
    Effect.gen(function* () {
      const { check } = yield* startPair(picky)
      for (const answer of yield* check(sender, crowd)) {
        if (offenders.has(answer.recipient)) expect(answer).toMatchObject({ _tag: "Unanswered", status: 400 })
        else expect(answer._tag).toBe("Known")
      }
    })
  )

  it.live("costs one request more than nothing for a batch of one", () =>
    Effect.gen(function* () {
      const { fake, optOut } = yield* startPair(() => invalidInput)
      expect((yield* optOut(sender, [one])).map(({ _tag }) => _tag)).toEqual(["Rejected"])
      expect(fake.heard).toHaveLength(1)
    })
  )

  const field = (name: string): Answer => ({
    status: 400,
    body: { title: "One or more validation errors occurred.", status: 400, errors: { [name]: ["Invalid format."] } }
  })
  const wordings: ReadonlyArray<readonly [string, Answer]> = [
    ["an item's field", field("Recipients[1].To")],
    ["an item's path", field("$.recipients[1].to")],
    ["the field of all", field("Recipients")],
    ["422", { status: 422, body: { error: { code: "UnprocessableEntity", message: "" } } }],
    ["another code", { status: 400, body: { error: { code: "BadRequest", message: "" } } }]
  ]
  for (const [what, answer] of wordings) {
    it.live(`may also be told of by ${what} (L9)`, () =>
      Effect.gen(function* () {
        const { optOut } = yield* startPair((request) =>
          request.body.recipients.some(({ to }) => to === two) ? answer : agreeable(request, 0)
        )
        expect((yield* optOut(sender, [one, two, three])).map(({ _tag }) => _tag)).toEqual(["Held", "Rejected", "Held"])
      })
    )
  }

  it.live("whoever is in it, is a request that is refused, and nobody is rejected for it", () =>
    Effect.gen(function* () {
      const { fake, optOut } = yield* startPair(() => invalidInput)
      expect((yield* failureOf(optOut(sender, crowd))).reason).toMatchObject({ _tag: "Refused", code: "InvalidInput" })
      expect(fake.heard.length).toBeLessThan(40)
    })
  )

  /** Four people, all refused together; the first pair is then done, and the second pair meets `answer`. */
  const secondHalf =
    (answer: Answer | "reset"): Behaviour =>
    (request, turn) =>
      turn === 1 ? invalidInput : turn === 2 ? { status: 200, body: { value: items(request) } } : answer

  it.live("keeps what it knows when a later half fails", () =>
    Effect.gen(function* () {
      for (const [answer, applied] of [
        [{ status: 429 }, false],
        [{ status: 503 }, true],
        [{ status: 200, body: "?" }, true],
        [{ status: 401 }, false],
        ["reset", true]
      ] as const) {
        const write = yield* startPair(secondHalf(answer))
        expect(yield* write.optOut(sender, people(4))).toMatchObject([
          { _tag: "Held" },
          { _tag: "Held" },
          { _tag: "Retryable", mayHaveApplied: applied },
          // The pair is known to hold the offender and is asked apart, so this one was not asked.
          { _tag: "Retryable", mayHaveApplied: false }
        ])
        const read = yield* startPair(secondHalf(answer))
        const answers = yield* read.check(sender, people(4))
        expect(answers.map(({ _tag }) => _tag)).toEqual(["Known", "Known", "Unanswered", "Unanswered"])
      }
    })
  )

  it.live("sends nothing more once a part has failed", () =>
    Effect.gen(function* () {
      // 8 refused, 4 refused, 2 done, 1 of the other 2 throttled: the other 5 are not asked.
      const { fake, optOut } = yield* startPair((request, turn) =>
        turn <= 2 ? invalidInput : turn === 3 ? { status: 200, body: { value: items(request) } } : { status: 429 }
      )
      const outcomes = yield* optOut(sender, people(8))
      expect(fake.heard.map(({ body }) => body.recipients.length)).toEqual([8, 4, 2, 1])
      expect(outcomes.map(({ _tag }) => _tag)).toEqual([...Array(2).fill("Held"), ...Array(6).fill("Retryable")])
      expect(outcomes.every((outcome) => outcome._tag !== "Retryable" || !outcome.mayHaveApplied)).toBe(true)
    })
  )

  it.live("fails when nothing was learnt about anybody", () =>
    Effect.gen(function* () {
      const { optOut } = yield* startPair((_, turn) => (turn === 1 ? invalidInput : { status: 503 }))
      const error = yield* failureOf(optOut(sender, people(4)))
      expect(error.reason).toMatchObject({ _tag: "Unavailable", status: 503, mayHaveApplied: true })
    })
  )
})
