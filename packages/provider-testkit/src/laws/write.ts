/**
 * Laws of writing and of asking (L5, L9, L10): one outcome for each, what is held
 * is held, and one bad recipient costs nobody else.
 */
import type { ConsentState, Recipient } from "@stopline/consent"
import { type ProviderAdapter, type WriteOutcome, writePort } from "@stopline/provider"
import { Effect } from "effect"
import { assert } from "vitest"
import type { Fake, Fault } from "../fake.ts"
import { type Bench, type Law, need, skip } from "../law.ts"
import { optedOut, pagesFrom } from "../walk.ts"

const directions: ReadonlyArray<readonly ["optOut" | "optIn", ConsentState]> = [
  ["optOut", "opted-out"],
  ["optIn", "opted-in"]
]

/** What somebody who asks or lists is told about these people, where anybody can. Undefined: not told. */
const readBack = Effect.fnUntraced(function* (
  { check, list }: ProviderAdapter,
  fake: Fake,
  people: ReadonlyArray<Recipient>
) {
  const told: Array<ReadonlyArray<string | undefined>> = []
  if (check._tag === "Can") {
    const { maxRecipients } = check.port
    const parts = people.flatMap((_, at) => (at % maxRecipients === 0 ? [people.slice(at, at + maxRecipients)] : []))
    // Enough to know, where each person takes a request.
    const answers = (yield* Effect.forEach(parts.slice(0, 10), (part) => check.port.check(fake.sender, part))).flat()
    told.push(answers.map((answer) => (answer._tag === "Known" ? answer.reading.state : undefined)))
  }
  if (list._tag === "Can") {
    const out = new Set(optedOut(yield* pagesFrom(list.port, fake, list.port.maxPage)))
    told.push(people.map((person) => (out.has(person) ? "opted-out" : "opted-in")))
  }
  return told
})

const assertHeld = (outcomes: ReadonlyArray<WriteOutcome>, people: ReadonlyArray<Recipient>) =>
  assert.deepStrictEqual(
    outcomes,
    people.map((recipient): WriteOutcome => ({ _tag: "Held", recipient }))
  )

/** Makes the opposite so, so that there is something to write. */
const prepare = Effect.fnUntraced(function* ({ adapter, fake }: Bench, state: ConsentState) {
  const port = yield* need(state === "opted-out" ? "optOut" : "optIn", writePort(adapter, state))
  const excepted = port.except(fake.sender)
  if (excepted !== undefined) return yield* skip(`this sender is excepted: ${excepted}`)
  const people = fake.people.slice(0, Math.min(port.maxRecipients, fake.people.length))
  if (state === "opted-in") yield* fake.seed(people)
  return { people, port }
})

const written = ([operation, state]: (typeof directions)[number]): Law => ({
  name: "what is written is held, and read back; written again it changes nothing (L9, L10)",
  part: operation,
  try: Effect.fnUntraced(function* (bench) {
    const { adapter, fake } = bench
    const { people, port } = yield* prepare(bench, state)
    const expected = state === "opted-out" ? people.toSorted() : []
    for (const time of ["first", "second"]) {
      assertHeld(yield* port.write(fake.sender, people), people)
      assert.deepStrictEqual((yield* fake.held).toSorted(), expected, `held after the ${time} time`)
      for (const told of yield* readBack(adapter, fake, people)) {
        assert.deepStrictEqual([...new Set(told)], [state], `read back after the ${time} time`)
      }
    }
  })
})

/** What must become of the one, and whether the provider then has it. */
interface Treatment {
  readonly fault: (recipient: Recipient) => Fault
  readonly what: string
  readonly outcomes: ReadonlyArray<string>
  /** What may become of the others. Where only failures are told, one that names nobody leaves them in doubt. */
  readonly others: ReadonlyArray<string>
  readonly done: boolean
}

const told = (outcome: WriteOutcome | undefined): string =>
  outcome?._tag === "Retryable"
    ? `Retryable, ${outcome.mayHaveApplied ? "in doubt" : "not done"}`
    : (outcome?._tag ?? "")

const treatments: ReadonlyArray<Treatment> = [
  {
    fault: (recipient) => ({ kind: "itemRefused", recipient }),
    what: "one refused recipient spares its batch",
    outcomes: ["Rejected", "Retryable, not done"],
    others: ["Held"],
    done: false
  },
  {
    fault: (recipient) => ({ kind: "batchRefused", recipient }),
    what: "a batch refused because of one recipient costs nobody else",
    outcomes: ["Rejected", "Retryable, not done"],
    others: ["Held"],
    done: false
  },
  ...[true, false].map((applied): Treatment => ({
    fault: (recipient) => ({ kind: "itemMissing", recipient, applied }),
    what: `a recipient left out of the answer is in doubt${applied ? "" : ", done or not"}`,
    outcomes: ["Retryable, in doubt"],
    others: ["Held", "Retryable, in doubt"],
    done: applied
  }))
]

const spared = ([operation, state]: (typeof directions)[number], treatment: Treatment): Law => ({
  name: `${treatment.what} (L9)`,
  part: operation,
  try: Effect.fnUntraced(function* (bench) {
    const { fake } = bench
    const prepared = yield* prepare(bench, state)
    const people = prepared.people.slice(0, 7)
    const [one, two, bad] = people
    if (one === undefined || two === undefined || bad === undefined) {
      return yield* skip(`a batch of ${prepared.port.maxRecipients} cannot have a bad one among others`)
    }
    yield* fake.fault(operation, treatment.fault(bad))
    const outcomes = yield* prepared.port.write(fake.sender, people)
    assert.deepStrictEqual(
      outcomes.map(({ recipient }) => recipient),
      people,
      "one outcome each, in order"
    )
    for (const outcome of outcomes) {
      assert.include(outcome.recipient === bad ? treatment.outcomes : treatment.others, told(outcome))
    }
    const held = yield* fake.held
    for (const person of people) {
      const changed = person !== bad || treatment.done
      assert.strictEqual(held.includes(person), changed === (state === "opted-out"), "what the provider has")
    }
  })
})

const nobody = ([operation, state]: (typeof directions)[number]): Law => ({
  name: "for nobody, nothing is sent",
  part: operation,
  try: Effect.fnUntraced(function* (bench) {
    const { port } = yield* prepare(bench, state)
    assert.deepStrictEqual(yield* port.write(bench.fake.sender, []), [])
    assert.lengthOf(yield* bench.fake.log, 0)
  })
})

const nobodyAsked: Law = {
  name: "for nobody, nothing is sent",
  part: "check",
  try: Effect.fnUntraced(function* ({ adapter, fake }) {
    const { check } = yield* need("check", adapter.check)
    assert.deepStrictEqual(yield* check(fake.sender, []), [])
    assert.lengthOf(yield* fake.log, 0)
  })
}

const answered: Law = {
  name: "a check answers once for each, in the order asked (L9)",
  part: "check",
  try: Effect.fnUntraced(function* ({ adapter, fake }) {
    const { check, maxRecipients } = yield* need("check", adapter.check)
    const seeded = fake.people.slice(3, 9)
    yield* fake.seed(seeded)
    const asked = fake.people.slice(0, Math.min(maxRecipients, fake.people.length)).toReversed()
    const batches = maxRecipients > 1 ? [asked] : fake.people.slice(0, 12).map((person) => [person])
    for (const batch of batches) {
      const answers = yield* check(fake.sender, batch)
      const told = answers.map((answer) => [answer.recipient, answer._tag === "Known" ? answer.reading.state : "?"])
      const expected = batch.map((person) => [person, seeded.includes(person) ? "opted-out" : "opted-in"])
      assert.deepEqual(told, expected)
    }
  })
}

const silence: Law = {
  name: "a recipient left out of the answer is unanswered, never opted in (L5)",
  part: "check",
  try: Effect.fnUntraced(function* ({ adapter, fake }) {
    const { check, maxRecipients } = yield* need("check", adapter.check)
    const people = fake.people.slice(0, Math.min(maxRecipients, 3))
    const [bad] = people
    if (bad === undefined) return assert.fail("the fake has nobody")
    yield* fake.fault("check", { kind: "itemMissing", recipient: bad, applied: false })
    const answers = yield* check(fake.sender, people)
    assert.deepStrictEqual(
      answers.map(({ _tag, recipient }) => [recipient, _tag]),
      people.map((person) => [person, person === bad ? "Unanswered" : "Known"])
    )
  })
}

export const writeLaws: ReadonlyArray<Law> = [
  ...directions.map(written),
  ...treatments.flatMap((treatment) => directions.map((direction) => spared(direction, treatment))),
  ...directions.map(nobody),
  nobodyAsked,
  answered,
  silence
]
