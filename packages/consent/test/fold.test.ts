/** The standing set against the laws as they are written: about facts, with no register in them. */
import { assert, describe, it } from "@effect/vitest"
import { bases, gradeOptIn, type OptInPolicy, origins, policies, Standing } from "@stopline/consent"
import { Schema } from "effect"
import { between, contribution, fold, Said, Sayings, timeOf } from "./saying.ts"

const statesOf = (standing: Standing.Standing) => policies.map((policy) => Standing.mustBeOptedOut(standing, policy))

/** Whether an opt-in counts for the pair. */
const isAdmissible = (said: Said, policy: OptInPolicy): boolean => {
  const { basis, origin, reach, samePair, state } = said
  if (state === "opted-out" || timeOf(said).notBefore === Number.NEGATIVE_INFINITY) return false
  if (origin === "import" || basis === "imported") return false
  const inPerson = origin === "recipient" || (origin === "operator" && basis === "attested")
  const toldOf = basis === "event" || (basis === "listed" && origin !== "unknown")
  switch (policy) {
    case "strict":
      return inPerson && samePair
    case "group":
      return inPerson && (samePair || reach === "group")
    case "trusting":
      return (inPerson || toldOf) && samePair
  }
}

/** Certainly said after it: not even perhaps at the same moment. */
const follows = (optIn: Said, optOut: Said): boolean => timeOf(optIn).notBefore > timeOf(optOut).notAfter

/** Some opt-out that no opt-in that counts is known to follow. */
const unanswered = (sayings: ReadonlyArray<Said>, policy: OptInPolicy): boolean =>
  sayings.some(
    (optOut) =>
      optOut.state === "opted-out" && !sayings.some((said) => isAdmissible(said, policy) && follows(said, optOut))
  )

const runs = { arbitrary: { runs: 500 } }

describe("a standing", () => {
  it.prop(
    "is opted out exactly when some opt-out is not known to be followed by an opt-in that counts (L2, L3, L4)",
    [Sayings],
    ([sayings]) =>
      assert.deepStrictEqual(
        statesOf(fold(sayings)),
        policies.map((policy) => unanswered(sayings, policy))
      ),
    runs
  )

  const Dealt = Schema.Struct({ ...Said.fields, place: between(0, 20), part: between(0, 2), again: between(0, 3) })

  it.prop(
    "is the same in any order, from any parts, and with some of it heard twice (L11)",
    [Schema.Array(Dealt).check(Schema.isMaxLength(10))],
    ([dealt]) => {
      const inOrder = [...dealt.entries()].toSorted(([, a], [, b]) => a.place - b.place)
      const parts = [2, 0, 1].map((part) =>
        inOrder
          .filter(([, one]) => one.part === part || one.again === part)
          .map(([id, one]) => contribution(one, id))
          .reduce(Standing.join, Standing.empty)
      )
      const whole = fold(dealt)
      assert.deepStrictEqual(parts.reduce(Standing.join), whole)
      assert.deepStrictEqual(
        parts.reduceRight((right, left) => Standing.join(left, right)),
        whole
      )
    },
    runs
  )

  it.prop(
    "is opted in again by nothing but an opt-in that counts and is later than every opt-out (L3)",
    [Sayings, Said],
    ([sayings, said]) => {
      const [before, after] = [fold(sayings), fold([...sayings, said])].map(statesOf)
      for (const [index, policy] of policies.entries()) {
        if (!before![index] || after![index]) continue
        assert.isTrue(isAdmissible(said, policy))
        for (const one of sayings) if (one.state === "opted-out") assert.isTrue(follows(said, one))
      }
    },
    runs
  )

  it.prop(
    "is opted out by an opt-out and an opt-in that tie or overlap, whoever said either (L4)",
    [Said, Said, between(0, 2)],
    ([one, other, shift]) => {
      const optOut: Said = { ...one, state: "opted-out", edge: 0 }
      const last = timeOf(optOut).notAfter
      const optIn: Said = { ...other, state: "opted-in", at: last - shift, width: other.width + shift, edge: 0 }
      for (const sayings of [
        [optOut, optIn],
        [optIn, optOut]
      ]) {
        assert.deepStrictEqual(statesOf(fold(sayings)), [true, true, true])
      }
    },
    runs
  )

  const Register = Schema.UndefinedOr(Schema.Struct({ at: between(-4, 4), because: Schema.Int }))
  /** The earliest and the latest moments stand for the ends of time. */
  const register = (given: typeof Register.Type) =>
    given && { ...given, at: Math.abs(given.at) === 4 ? given.at * Number.POSITIVE_INFINITY : given.at }

  it.prop(
    "of any registers has an answer under every policy, and never opted out without an opt-out (L4)",
    [Register, Register, Register, Register],
    (given) => {
      const [out, groupIn, pairIn, toldIn] = given.map(register)
      const standing: Standing.Standing = {
        ...(out && { out }),
        ...(groupIn && { groupIn }),
        ...(pairIn && { pairIn }),
        ...(toldIn && { toldIn })
      }
      for (const [index, policy] of policies.entries()) {
        const optIn = Standing.admissibleOptIn(standing, policy)
        const expected = out !== undefined && (optIn === undefined || out.at >= optIn.at)
        assert.strictEqual(statesOf(standing)[index], expected)
      }
      assert.deepStrictEqual(statesOf({ ...standing, out: { at: Number.POSITIVE_INFINITY, because: 1 } }), [
        true,
        true,
        true
      ])
    },
    runs
  )
})

describe("the worth of an opt-in", () => {
  it("is known for every origin and basis, and is nothing without a name or a record (L3)", () => {
    for (const origin of origins) {
      for (const basis of bases) {
        const grade = gradeOptIn({ state: "opted-in", origin, basis })
        assert.include(["said", "told", undefined], grade)
        if (grade === "said") assert.include(["recipient", "operator"], origin)
        if (origin === "import" || basis === "imported") assert.isUndefined(grade)
        if (basis === "checked" && origin !== "recipient") assert.isUndefined(grade)
        assert.isUndefined(gradeOptIn({ state: "opted-out", origin, basis }))
      }
    }
  })
})
