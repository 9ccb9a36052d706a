import { assert, describe, it } from "@effect/vitest"
import { by, gradeOptIn, type Observation, point, policies, Standing } from "@stopline/consent"
import { Schema } from "effect"
import { contribution, fold, Said, Sayings } from "./saying.ts"

const out = (at: Observation["time"], id = 1) =>
  Standing.contribution(
    { state: "opted-out", origin: "recipient", basis: "message", time: at, reach: "group" },
    id,
    false
  )

const start = (at: Observation["time"], given: Partial<Observation> = {}, samePair = true) =>
  Standing.contribution(
    { state: "opted-in", origin: "recipient", basis: "message", time: at, reach: "group", ...given },
    2,
    samePair
  )

const mustBeOut = (a: Standing.Standing, b: Standing.Standing, policy: (typeof policies)[number] = "strict") =>
  Standing.mustBeOptedOut(Standing.join(a, b), policy)

describe("joining standings (L11)", () => {
  it.prop("is the same in either order", [Sayings, Sayings], ([a, b]) => {
    const [left, right] = [fold(a), fold(b)]
    assert.deepStrictEqual(Standing.join(left, right), Standing.join(right, left))
  })

  it.prop("is the same however they are put together", [Said, Said, Said], ([a, b, c]) => {
    const [x, y, z] = [contribution(a, 1), contribution(b, 2), contribution(c, 3)]
    assert.deepStrictEqual(Standing.join(Standing.join(x, y), z), Standing.join(x, Standing.join(y, z)))
  })

  it.prop("with itself, or with nothing, changes nothing", [Sayings], ([sayings]) => {
    const standing = fold(sayings)
    assert.deepStrictEqual(Standing.join(standing, standing), standing)
    assert.deepStrictEqual(Standing.join(standing, Standing.empty), standing)
    assert.deepStrictEqual(Standing.join(Standing.empty, standing), standing)
  })

  it("remembers the earlier of two observations of the same moment, so that a rebuild finds the same one", () => {
    assert.deepStrictEqual(Standing.join(out(point(5), 9), out(point(5), 4)).out, { at: 5, because: 4 })
    assert.deepStrictEqual(Standing.later({ at: 5, because: 4 }, { at: 6, because: 9 }), { at: 6, because: 9 })
  })
})

describe("a pair must be opted out", () => {
  it("not when nobody said so", () => {
    for (const policy of policies) assert.isFalse(Standing.mustBeOptedOut(Standing.empty, policy))
  })

  it("after an opt-out that nothing follows", () => assert.isTrue(mustBeOut(out(point(5)), Standing.empty)))

  it("but not after a later START", () => assert.isFalse(mustBeOut(out(point(5)), start(point(6)))))

  it("after a START and a STOP of the same moment (L4)", () => {
    for (const policy of policies) assert.isTrue(mustBeOut(out(point(5)), start(point(5)), policy))
  })

  it("when their order cannot be known (L4)", () => {
    // The opt-out may be as late as 8, the opt-in as early as 6.
    assert.isTrue(mustBeOut(out({ notBefore: 4, notAfter: 8 }), start({ notBefore: 6, notAfter: 10 })))
    assert.isFalse(mustBeOut(out({ notBefore: 4, notAfter: 8 }), start({ notBefore: 9, notAfter: 10 })))
  })

  it("when nobody knows how old the opt-in is", () => {
    for (const policy of policies) assert.isTrue(mustBeOut(out(point(5)), start(by(99)), policy))
    assert.deepStrictEqual(start(by(99)), Standing.empty)
  })

  it.prop("after one opt-out more if before it, under every policy (L2)", [Sayings, Said], ([sayings, said]) => {
    const before = fold(sayings)
    const after = Standing.join(before, contribution({ ...said, state: "opted-out" }, 100))
    for (const policy of policies) {
      if (Standing.mustBeOptedOut(before, policy)) assert.isTrue(Standing.mustBeOptedOut(after, policy))
    }
  })

  it.prop(
    "after an opt-out as late as everything else, whatever its origin (L2)",
    [Sayings, Said],
    ([sayings, said]) => {
      const last = { ...said, state: "opted-out" as const, at: 99 }
      for (const policy of policies) assert.isTrue(Standing.mustBeOptedOut(fold([...sayings, last]), policy))
    }
  )

  it.prop("under strict whenever under any other policy", [Sayings], ([sayings]) => {
    const standing = fold(sayings)
    for (const policy of policies) {
      if (Standing.mustBeOptedOut(standing, policy)) assert.isTrue(Standing.mustBeOptedOut(standing, "strict"))
    }
  })
})

describe("an opt-in (L3)", () => {
  it("reaches the group under the policy of that name, and only in words that reach so far", () => {
    const elsewhere = start(point(6), {}, false)
    assert.isTrue(mustBeOut(out(point(5)), elsewhere, "strict"))
    assert.isFalse(mustBeOut(out(point(5)), elsewhere, "group"))
    assert.isTrue(mustBeOut(out(point(5)), elsewhere, "trusting"))
    assert.isTrue(mustBeOut(out(point(5)), start(point(6), { reach: "pair" }, false), "group"))
    assert.isFalse(mustBeOut(out(point(5)), start(point(6), { reach: "pair" }), "group"))
  })

  it("that a provider tells of with nobody named counts under trusting, for its pair", () => {
    const told: Partial<Observation> = { origin: "unknown", basis: "event", reach: "group" }
    assert.isTrue(mustBeOut(out(point(5)), start(point(6), told), "strict"))
    assert.isTrue(mustBeOut(out(point(5)), start(point(6), told), "group"))
    assert.isFalse(mustBeOut(out(point(5)), start(point(6), told), "trusting"))
    assert.isTrue(mustBeOut(out(point(5)), start(point(6), told, false), "trusting"))
  })

  it.prop("by an import is none, under any policy", [Sayings, Said, Schema.Boolean], ([sayings, said, byOrigin]) => {
    const imported = contribution(
      { ...said, state: "opted-in", ...(byOrigin ? { origin: "import" } : { basis: "imported" }) },
      100
    )
    assert.deepStrictEqual(Standing.join(fold(sayings), imported), fold(sayings))
  })

  it.each([
    ["recipient", "message", "said"],
    ["recipient", "event", "said"],
    ["recipient", "listed", "said"],
    ["operator", "attested", "said"],
    // An operator whom only the provider names has attested nothing.
    ["operator", "event", "told"],
    ["unknown", "event", "told"],
    ["carrier", "event", "told"],
    ["account", "listed", "told"],
    ["api", "listed", "told"],
    // Its absence from a list, or a plain no, says nothing about a wish.
    ["unknown", "listed", undefined],
    ["unknown", "checked", undefined],
    ["account", "checked", undefined],
    ["unknown", "send-error", undefined],
    ["unknown", "attested", undefined],
    ["recipient", "imported", undefined],
    ["import", "message", undefined],
    ["import", "event", undefined]
  ] as const)("of origin %s, known as %s, is worth: %s", (origin, basis, grade) =>
    assert.strictEqual(gradeOptIn({ state: "opted-in", origin, basis }), grade)
  )

  it.prop("is never made of an opt-out", [Said], ([said]) =>
    assert.isUndefined(gradeOptIn({ ...said, state: "opted-out" }))
  )
})
