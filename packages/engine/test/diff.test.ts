import { assert, describe, it } from "@effect/vitest"
import { bases, type SenderAddress } from "@stopline/consent"
import { type Change, judge, type Withheld, type Writability } from "@stopline/engine"
import type { Difference } from "@stopline/ledger"
import { Schema } from "effect"

const sender = "+14255550101" as SenderAddress
const writable: Writability = { optOut: undefined, optIn: undefined }
const moment = { now: 100_000, confirmMs: 10_000 }

const stop: Difference = {
  recipient: 15_550_000_001,
  must: "opted-out",
  held: undefined,
  liftedAt: undefined,
  outAt: 50_000,
  intent: undefined,
  refused: undefined,
  refusedUntil: undefined,
  because: 7,
  basis: "listed",
  inOwnWords: false,
  unguarded: false,
  heldForAll: false,
  silencedBefore: false
}
const lifted = { held: "opted-in", liftedAt: 60_000 } as const
const start = { must: "opted-in", held: "opted-out" } as const

const outcome = (item: Change | Withheld): string =>
  item._tag === "Withheld"
    ? `withheld: ${item.why}`
    : `${item.reason}${item.personal ? ", personal" : ""}${item.guarded ? ", guarded" : ""}`

describe("a difference", () => {
  const cases: ReadonlyArray<readonly [string, Partial<Difference>, string, Partial<Writability>?]> = [
    ["found by reading counts towards the guard", {}, "opt-out, guarded"],
    ["in a person's own words is held by no guard (L8)", { basis: "message", inOwnWords: true }, "opt-out, personal"],
    ["in their own words stays so, whatever was read later (L8)", { inOwnWords: true }, "opt-out, personal"],
    ["that the first backfill found needs no guard", { unguarded: true }, "opt-out"],
    ["imported is not their own word", { basis: "imported" }, "opt-out, guarded"],
    ["about a lifted block is put back (L3)", lifted, "reassert, guarded"],
    ["about a lifted block is guarded, whoever once said it", { ...lifted, inOwnWords: true }, "reassert, guarded"],
    [
      "about a lifted block is guarded, though a backfill found the opt-out",
      { ...lifted, unguarded: true },
      "reassert, guarded"
    ],
    [
      "about a block lifted just now waits for evidence",
      { ...lifted, liftedAt: 90_001 },
      "withheld: awaiting-evidence"
    ],
    ["about a block lifted a window ago waits no longer", { ...lifted, liftedAt: 90_000 }, "reassert, guarded"],
    [
      "about a block lifted before the opt-out that counts is an opt-out",
      { ...lifted, liftedAt: 49_999, inOwnWords: true },
      "opt-out, personal"
    ],
    [
      "about a block lifted as the opt-out was said is an opt-out: the tie is its (L4)",
      { ...lifted, liftedAt: 50_000, inOwnWords: true },
      "opt-out, personal"
    ],
    [
      "the other way is an opt-in, and always counted",
      { ...start, basis: "message", inOwnWords: false },
      "opt-in, guarded"
    ],
    [
      "the other way stays when the block is for every sender",
      { ...start, heldForAll: true },
      "withheld: held-for-all"
    ],
    [
      "the other way stays when another group once silenced the sender (L3)",
      { ...start, silencedBefore: true },
      "withheld: awaiting-evidence"
    ],
    ["a block for every sender is no reason to leave an opt-out", { heldForAll: true }, "opt-out, guarded"],
    ["that the provider refused is left alone", { refused: "no", refusedUntil: 100_001 }, "withheld: refused"],
    ["that the provider refused is tried again later", { refused: "no", refusedUntil: 100_000 }, "opt-out, guarded"],
    ["that cannot be written says why", {}, "withheld: cannot", { optOut: "no such operation" }],
    ["that cannot be written the other way can be written this way", {}, "opt-out, guarded", { optIn: "the carrier" }],
    ["the other way cannot be promised everywhere", start, "withheld: cannot", { optIn: "the carrier" }],
    [
      "that cannot be written is not hidden by a refusal",
      { refused: "no", refusedUntil: 100_001 },
      "withheld: cannot",
      { optOut: "no such operation" }
    ]
  ]
  for (const [name, difference, expected, can] of cases) {
    it(name, () => {
      const item = judge({ ...stop, ...difference }, sender, { ...writable, ...can }, moment)
      assert.strictEqual(outcome(item), expected)
    })
  }

  it("says whom it is about, what they must be, and because of which observation (L13)", () => {
    const item = judge(stop, sender, writable, moment)
    assert.deepStrictEqual(item, {
      _tag: "Change",
      sender,
      recipient: "+15550000001" as never,
      to: "opted-out",
      reason: "opt-out",
      because: 7,
      basis: "listed",
      personal: false,
      guarded: true
    })
  })

  it("withheld says why in words a person can act on", () => {
    const item = judge(stop, sender, { ...writable, optOut: "the carrier holds it" }, moment)
    assert.deepInclude(item, { _tag: "Withheld", why: "cannot", detail: "the carrier holds it", because: 7 })
  })
})

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const State = Schema.Literals(["opted-out", "opted-in"])
const Moment = Schema.UndefinedOr(between(0, 20))
const Reason = Schema.UndefinedOr(Schema.Literal("no"))

const AnyDifference = Schema.Struct({
  recipient: between(1_000_000, 999_999_999_999_999),
  must: State,
  held: Schema.UndefinedOr(State),
  liftedAt: Moment,
  outAt: Moment,
  intent: Schema.UndefinedOr(State),
  refused: Reason,
  refusedUntil: Moment,
  because: Schema.UndefinedOr(between(1, 9)),
  basis: Schema.UndefinedOr(Schema.Literals(bases)),
  inOwnWords: Schema.Boolean,
  unguarded: Schema.Boolean,
  heldForAll: Schema.Boolean,
  silencedBefore: Schema.Boolean
})
const AnyAbility = Schema.Struct({ optOut: Reason, optIn: Reason })
const AnyMoment = Schema.Struct({ now: between(0, 30), confirmMs: between(0, 10) })
const runs = { arbitrary: { runs: 500 } }

describe("any difference", () => {
  it.prop(
    "is a change or withheld for a reason, the way it must be, and keeps its observation (L8, L13)",
    [AnyDifference, AnyAbility, AnyMoment],
    ([difference, can, moment]) => {
      const item = judge(difference, sender, can, moment)
      assert.deepInclude(item, { sender, to: difference.must, because: difference.because, basis: difference.basis })
      assert.strictEqual(item.recipient, `+${difference.recipient}`)
      assert.strictEqual(item.reason === "opt-in", item.to === "opted-in")
      const unable = difference.must === "opted-out" ? can.optOut : can.optIn
      if (item._tag === "Change") assert.isUndefined(unable)
      else assert.include(["cannot", "refused", "awaiting-evidence", "held-for-all"], item.why)
      assert.strictEqual(item._tag === "Withheld" && item.why === "cannot", unable !== undefined)
    },
    runs
  )

  it.prop(
    "in a person's own words is guarded by nobody, and waits for nothing but the provider (L8)",
    [AnyDifference, AnyAbility, AnyMoment],
    ([difference, can, moment]) => {
      const item = judge({ ...difference, must: "opted-out", inOwnWords: true }, sender, can, moment)
      if (item.reason !== "opt-out") return
      if (item._tag === "Withheld") assert.include(["cannot", "refused"], item.why)
      else assert.deepStrictEqual([item.personal, item.guarded], [true, false])
    },
    runs
  )

  it.prop(
    "that is an opt-in is nobody's own opt-out, and goes nowhere while another block stands (L3, L8)",
    [AnyDifference, AnyAbility, AnyMoment],
    ([difference, can, moment]) => {
      const item = judge({ ...difference, must: "opted-in" }, sender, can, moment)
      if (item._tag === "Withheld") return
      assert.isFalse(item.personal)
      assert.isFalse(difference.heldForAll || difference.silencedBefore)
    },
    runs
  )

  it.prop(
    "that is a change now is one later, if nothing else happens (L10)",
    [AnyDifference, AnyAbility, AnyMoment, between(0, 40)],
    ([difference, can, moment, later]) => {
      const [now, then] = [moment.now, moment.now + later].map((at) =>
        judge(difference, sender, can, { ...moment, now: at })
      )
      if (now!._tag === "Change") assert.deepStrictEqual(then, now)
    },
    runs
  )
})
