import { assert, describe, it } from "@effect/vitest"
import { ruleAt, type RuleSet, unitedStates } from "@stopline/consent"

const rule = (id: string, from: number, until?: number): RuleSet => ({
  id,
  from,
  ...(until !== undefined && { until }),
  optOutWords: new Set(["STOP"]),
  source: "made up"
})

describe("the rule in force", () => {
  // 15 to 20 is nobody's; nothing has followed the last one yet.
  const rules = [rule("third", 30, 40), rule("second", 20, 30), rule("first", 10, 15)]

  it.each([
    [9, "first"],
    [10, "first"],
    [14, "first"],
    [15, "first"],
    [19, "first"],
    [20, "second"],
    [29, "second"],
    [30, "third"],
    [39, "third"],
    [40, "third"],
    [1000, "third"]
  ])("at %i is the %s", (at, id) => assert.strictEqual(ruleAt(rules, at).id, id))

  it("begins with its first moment and ends before its last, whatever is in force besides", () => {
    const overlapping = [rule("newer", 20, 30), rule("older", 10)]
    assert.deepStrictEqual(
      [19, 20, 29, 30].map((at) => ruleAt(overlapping, at).id),
      ["older", "newer", "newer", "older"]
    )
  })

  it("is the newest where two overlap", () =>
    assert.strictEqual(ruleAt([rule("newer", 20), rule("older", 10)], 25).id, "newer"))

  it("is never none", () => assert.isAbove(ruleAt([], 0).optOutWords.size, 0))
})

describe("the United States", () => {
  it("name the seven words of 47 CFR 64.1200(a)(10)", () => {
    for (const word of ["STOP", "QUIT", "END", "REVOKE", "OPT OUT", "CANCEL", "UNSUBSCRIBE"]) {
      assert.isTrue(ruleAt(unitedStates, Date.UTC(2026, 0, 1)).optOutWords.has(word), word)
    }
  })
})
