import { assert, describe, it } from "@effect/vitest"
import { defaultSettings, guard, guardMessage, type Tally } from "@stopline/engine"
import { Schema } from "effect"
import { holdsBack } from "../src/guard.ts"

const limits = {
  optOuts: { count: 10, share: 0.1 },
  optIns: { count: 2, share: 0.01 },
  absences: { count: 10, share: 0.1 }
}
const none: Tally = { optOuts: 0, optIns: 0, optInsWithoutEvidence: 0 }

const amount = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 }))
const share = Schema.Number.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
const Limits = Schema.Struct({
  optOuts: Schema.Struct({ count: amount, share }),
  optIns: Schema.Struct({ count: amount, share }),
  absences: Schema.Struct({ count: amount, share })
})
const Tallies = Schema.Struct({ optOuts: amount, optIns: amount, optInsWithoutEvidence: amount })

describe("the guard (L8)", () => {
  const cases: ReadonlyArray<readonly [string, Partial<Tally>, number, ReadonlyArray<string>]> = [
    ["nothing", {}, 0, []],
    ["opt-outs at the limit", { optOuts: 10 }, 0, []],
    ["opt-outs over it", { optOuts: 11 }, 0, ["too-many-opt-outs 11/10"]],
    ["a share, where that is more", { optOuts: 11 }, 110, []],
    ["over the share as well", { optOuts: 12 }, 119, ["too-many-opt-outs 12/11"]],
    ["opt-ins at the limit", { optIns: 2 }, 0, []],
    ["opt-ins over it", { optIns: 3 }, 0, ["too-many-opt-ins 3/2"]],
    ["opt-ins over the count and within the share", { optIns: 3 }, 300, []],
    [
      "a single opt-in without evidence",
      { optIns: 1, optInsWithoutEvidence: 1 },
      1_000_000,
      ["opt-ins-without-evidence 1/0"]
    ],
    [
      "all at once",
      { optOuts: 20, optIns: 9, optInsWithoutEvidence: 2 },
      0,
      ["too-many-opt-outs 20/10", "too-many-opt-ins 9/2", "opt-ins-without-evidence 2/0"]
    ]
  ]
  for (const [name, tally, population, expected] of cases) {
    it(`on ${name}: ${expected.length === 0 ? "goes" : "halts"}`, () => {
      const halts = guard({ ...none, ...tally }, population, limits)
      assert.deepStrictEqual(
        halts.map((halt) => `${halt.kind} ${halt.count}/${halt.limit}`),
        expected
      )
    })
  }

  it.prop(
    "always answers, lets nothing through above its limits and halts nothing within them",
    [Tallies, amount, Limits],
    ([tally, population, limits]) => {
      const kinds = new Set(guard(tally, population, limits).map((halt) => halt.kind))
      const most = (limit: { count: number; share: number }) =>
        Math.max(limit.count, Math.floor(limit.share * population))
      assert.strictEqual(kinds.has("too-many-opt-outs"), tally.optOuts > most(limits.optOuts))
      assert.strictEqual(kinds.has("too-many-opt-ins"), tally.optIns > most(limits.optIns))
      assert.strictEqual(kinds.has("opt-ins-without-evidence"), tally.optInsWithoutEvidence > 0)
    },
    { arbitrary: { runs: 300 } }
  )

  it.prop(
    "never lets go of a halt because there is more to change, and halts each way by itself",
    [Tallies, Tallies, amount, Limits],
    ([tally, more, population, limits]) => {
      const kinds = (given: Tally) => guard(given, population, limits).map((halt) => halt.kind)
      const all = {
        optOuts: tally.optOuts + more.optOuts,
        optIns: tally.optIns + more.optIns,
        optInsWithoutEvidence: tally.optInsWithoutEvidence + more.optInsWithoutEvidence
      }
      assert.includeMembers(kinds(all), kinds(tally))
      const otherWay = kinds({ ...tally, optOuts: all.optOuts }).filter((kind) => kind !== "too-many-opt-outs")
      assert.deepStrictEqual(
        otherWay,
        kinds(tally).filter((kind) => kind !== "too-many-opt-outs")
      )
    },
    { arbitrary: { runs: 300 } }
  )

  it("stands in one way each, and halts of reading in none", () => {
    assert.deepStrictEqual(
      ["too-many-opt-outs", "too-many-opt-ins", "opt-ins-without-evidence", "listing-emptied", "listing-shrank"].map(
        holdsBack
      ),
      ["opted-out", "opted-in", "opted-in", undefined, undefined]
    )
  })

  it("says the command that approves exactly this plan", () => {
    const [halt] = guard({ ...none, optOuts: 5_000 }, 100, defaultSettings.guard)
    const message = guardMessage("lister", halt!, "abc123")
    assert.include(message, "lister: 5000 opt-outs found by reading, over the limit of 1000 (100 pairs known there)")
    assert.include(message, "stopline apply --approve abc123")
  })
})
