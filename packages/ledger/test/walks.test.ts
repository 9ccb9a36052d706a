import { assert, layer } from "@effect/vitest"
import {
  abandonWalk,
  absences,
  beginWalk,
  claimLane,
  commitPage,
  ingest,
  type LedgerError,
  unfinishedWalk,
  walkKey
} from "@stopline/ledger"
import { Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { contextAt, leaseMs, walkThrough } from "./walking.ts"
import {
  accountOf,
  at,
  checkPairs,
  east,
  eastOne,
  eastTwo,
  fresh,
  observation,
  person,
  reading,
  saidOf,
  standings,
  west
} from "../../../test/world.ts"
import { write } from "./writing.ts"

const [one, two, three, four] = [person(1), person(2), person(3), person(4)]
const rows = (...people: ReadonlyArray<ReturnType<typeof person>>) => people.map((who) => reading(who))

layer(ledgerForTest, { excludeTestServices: true })("a walk", (it) => {
  it.effect("moves its cursor with its page (L1)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const account = accountOf(registry, east)
      yield* walkThrough(registry, [rows(one), rows(two)], { at: 10_000, cutOff: true })
      const cut = yield* unfinishedWalk(account, undefined)
      assert.deepInclude(cut, { cursor: "page 3", pages: 2, rows: 2, startedAt: 10_000, whole: true })
      assert.deepStrictEqual(yield* saidOf(two), ["opted-out listed -Infinity..10200"])
    })
  )

  it.effect("whose page cannot be stored whole stores nothing of it, and its cursor stays (L1, L12)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const account = accountOf(registry, east)
      const lane = (yield* claimLane(walkKey(account, undefined), "frozen", 10_000, leaseMs))!
      const begun = { kind: "walk", startedBy: "test", unguarded: false, marking: false } as const
      const walk = yield* beginWalk(account, undefined, begun, lane, leaseMs, 10_000)
      yield* claimLane(lane.key, "heir", 10_001 + leaseMs, leaseMs)
      const commit = commitPage(walk, lane, leaseMs, contextAt(registry, walk.runId, 10_000), {
        readings: rows(one),
        problems: false,
        next: "page 2"
      })
      const error: LedgerError = yield* Effect.flip(commit)
      assert.strictEqual(error.kind, "fenced")
      assert.deepInclude(yield* unfinishedWalk(account, undefined), { cursor: undefined, pages: 0 })
      assert.deepStrictEqual(yield* saidOf(one), [])
    })
  )

  it.effect("finished or given up is not gone on with", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const account = accountOf(registry, east)
      yield* walkThrough(registry, [rows(one)], { at: 10_000 })
      assert.isUndefined(yield* unfinishedWalk(account, undefined))
      const { walk } = yield* walkThrough(registry, [rows(one)], { at: 20_000, cutOff: true })
      assert.isDefined(yield* unfinishedWalk(account, undefined))
      yield* abandonWalk(walk, 21_000)
      assert.isUndefined(yield* unfinishedWalk(account, undefined))
    })
  )

  it.effect("that shows what was known is certain, and is no news (L10, L11)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const first = yield* walkThrough(registry, [rows(one, two), rows(three)], { at: 10_000 })
      assert.deepStrictEqual([first.news, first.complete], [3, true])
      const second = yield* walkThrough(registry, [rows(three), rows(two, one)], { at: 20_000 })
      assert.deepStrictEqual([second.news, second.complete], [0, true])
    })
  )

  it.effect("that misses a pair knows it, also when another pair has come in its place", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      assert.isFalse((yield* walkThrough(registry, [rows(one)], { at: 20_000 })).complete)
      assert.isFalse((yield* walkThrough(registry, [rows(one, three)], { at: 30_000 })).complete)
    })
  )

  it.effect("that misses a pair suspects it; the second one believes it, and opts nobody in (L3, L6)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      const first = yield* walkThrough(registry, [rows(one)], { at: 20_000, marking: true })
      assert.deepStrictEqual([first.missed?.once, first.missed?.twice, first.news], [1, 0, 0])
      assert.strictEqual((yield* standings(two))[eastOne], "opted-out held opted-out")
      const second = yield* walkThrough(registry, [rows(one)], { at: 30_000, marking: true })
      assert.deepStrictEqual([second.missed?.once, second.missed?.twice, second.news], [0, 1, 1])
      assert.strictEqual((yield* standings(two))[eastOne], "opted-out held opted-in")
      assert.strictEqual((yield* standings(one))[eastOne], "opted-out held opted-out")
      // It went between the last reading that showed it and the end of the walk that no longer did.
      assert.deepStrictEqual((yield* saidOf(two))[1], "opted-in listed 10000..31000")
    })
  )

  it.effect("says nothing of whoever spoke after it had missed them (L6)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      yield* walkThrough(registry, [rows(one)], { at: 20_000, marking: true })
      const said = observation({ recipient: two, basis: "event", reach: "pair", time: at(30_900) })
      const meanwhile = ingest(accountOf(registry, east), [said], 30_950, 0)
      const second = yield* walkThrough(registry, [rows(one)], { at: 30_000, marking: true, meanwhile })
      assert.deepStrictEqual([second.missed?.twice, second.news], [1, 0])
      assert.strictEqual((yield* standings(two))[eastOne], "opted-out held opted-out")
    })
  )

  it.effect("by who lost the lane says nothing of whom it missed (L6, L12)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      yield* walkThrough(registry, [rows(one)], { at: 20_000, marking: true })
      const key = walkKey(accountOf(registry, east), undefined)
      const meanwhile = claimLane(key, "heir", 40_000 + leaseMs, leaseMs)
      const frozen = walkThrough(registry, [rows(one)], { at: 30_000, marking: true, meanwhile })
      const error: LedgerError = yield* Effect.flip(frozen)
      assert.strictEqual(error.kind, "fenced")
      assert.strictEqual((yield* standings(two))[eastOne], "opted-out held opted-out")
    })
  )

  it.effect("by who lost the lane is not begun either: what its heir reads goes on (L12)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const account = accountOf(registry, east)
      const frozen = (yield* claimLane(walkKey(account, undefined), "frozen", 10_000, leaseMs))!
      yield* walkThrough(registry, [rows(one)], { at: 10_001 + leaseMs, cutOff: true })
      const begun = { kind: "walk", startedBy: "test", unguarded: false, marking: false } as const
      const error: LedgerError = yield* Effect.flip(beginWalk(account, undefined, begun, frozen, leaseMs, 200_000))
      assert.strictEqual(error.kind, "fenced")
      assert.deepInclude(yield* unfinishedWalk(account, undefined), { cursor: "page 2", pages: 1 })
    })
  )

  it.effect("suspects nobody who was read again before it could say so (L6)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      const meanwhile = checkPairs(registry, rows(two), { beganAt: 20_500, endedAt: 20_600 })
      yield* walkThrough(registry, [rows(one)], { at: 20_000, marking: true, meanwhile })
      const next = yield* walkThrough(registry, [rows(one)], { at: 30_000, marking: true })
      assert.deepStrictEqual([next.missed?.once, next.missed?.twice], [1, 0])
    })
  )

  it.effect("forgets nothing that another one has marked (L6)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      const { walk } = yield* walkThrough(registry, [rows(one, two)], { at: 20_000, marking: true, cutOff: true })
      const other = accountOf(registry, west)
      const lane = (yield* claimLane(walkKey(other, undefined), "test", 21_000, leaseMs))!
      const begun = { kind: "walk", startedBy: "test", unguarded: false, marking: true } as const
      yield* beginWalk(other, undefined, begun, lane, leaseMs, 21_000)
      assert.deepInclude(yield* absences(walk), { once: 0, twice: 0, known: 2 })
    })
  )

  it.effect("that begins in the millisecond in which the one before ended is still the second one", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      yield* walkThrough(registry, [rows(one)], { at: 20_000, marking: true })
      const second = yield* walkThrough(registry, [rows(one)], { at: 21_000, marking: true })
      assert.strictEqual(second.missed?.twice, 1)
    })
  )

  it.effect("that shows a suspected pair again clears it of the suspicion", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      yield* walkThrough(registry, [rows(one)], { at: 20_000, marking: true })
      yield* walkThrough(registry, [rows(two), rows(one)], { at: 30_000 })
      const next = yield* walkThrough(registry, [rows(one)], { at: 40_000, marking: true })
      assert.deepStrictEqual([next.missed?.once, next.missed?.twice], [1, 0])
      assert.strictEqual((yield* standings(two))[eastOne], "opted-out held opted-out")
    })
  )

  it.effect("that misses a suspected pair which we have written since suspects it for the first time (L6)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const account = accountOf(registry, east)
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      yield* walkThrough(registry, [rows(one)], { at: 20_000, marking: true })
      const start = { state: "opted-in", basis: "attested", origin: "operator", time: at(30_000) } as const
      yield* ingest(account, [observation({ recipient: two, ...start })], 30_000, 0)
      yield* write(registry, eastOne, two, { begun: 31_000, ended: 31_100, state: "opted-in" })
      yield* ingest(account, [observation({ recipient: two, time: at(32_000) })], 32_000, 0)
      yield* write(registry, eastOne, two, { begun: 33_000, ended: 33_100 })
      const next = yield* walkThrough(registry, [rows(one)], { at: 40_000, marking: true })
      assert.deepStrictEqual([next.missed?.once, next.missed?.twice], [1, 0])
      assert.strictEqual((yield* standings(two))[eastOne], "opted-out held opted-out")
    })
  )

  it.effect("does not lose a pair that moved from one page to another while it was read", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two), rows(three, four)], { at: 10_000 })
      // Somebody new comes in front, and pushes one that was not read yet behind the cursor and back.
      const moved = yield* walkThrough(registry, [rows(one, two), rows(four)], { at: 20_000, marking: true })
      assert.strictEqual(moved.news, 0)
      const still = yield* walkThrough(registry, [rows(three, one), rows(two, four)], { at: 30_000, marking: true })
      assert.deepStrictEqual([still.complete, still.news], [true, 0])
      assert.strictEqual((yield* standings(three))[eastOne], "opted-out held opted-out")
    })
  )

  it.effect("that shows a pair on two pages counts it once (L11)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const first = yield* walkThrough(registry, [rows(one, two), rows(two, three)], { at: 10_000 })
      assert.strictEqual(first.news, 3)
      const second = yield* walkThrough(registry, [rows(one, two), rows(two, three)], { at: 20_000, marking: true })
      assert.deepStrictEqual([second.news, second.missed?.once, second.missed?.twice], [0, 0, 0])
    })
  )

  it.effect("does not miss what we wrote while it was read (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one)], { at: 10_000 })
      const heard = observation({ recipient: two, sender: eastTwo, time: at(19_000) })
      yield* ingest(accountOf(registry, east), [heard], 19_000, 0)
      // The list was asked for, the write ended, and the list came back without it.
      yield* write(registry, eastOne, two, { begun: 19_500, ended: 20_050 })
      const during = yield* walkThrough(registry, [rows(one)], { at: 20_000, marking: true })
      assert.deepStrictEqual([during.missed?.once, during.missed?.twice], [0, 0])
      assert.strictEqual((yield* standings(two))[eastOne], "opted-out held opted-out")
    })
  )

  it.effect("does not miss a pair whose write is on its way (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      const start = observation({ recipient: two, state: "opted-in", time: at(11_000) })
      yield* ingest(accountOf(registry, east), [start], 11_000, 0)
      yield* write(registry, eastOne, two, { begun: 15_000, state: "opted-in" })
      const during = yield* walkThrough(registry, [rows(one)], { at: 20_000, marking: true })
      assert.deepStrictEqual([during.missed?.once, during.missed?.twice], [0, 0])
    })
  )

  it.effect("with a row that nobody could read is not whole (L5, L6)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const { walk } = yield* walkThrough(registry, [rows(one), rows(two)], { at: 10_000, problemsOn: 0 })
      assert.isFalse(walk.whole)
      // Nor is it when it was cut off behind that row and is gone on with.
      yield* walkThrough(registry, [rows(one), rows(two)], { at: 20_000, problemsOn: 0, cutOff: true })
      assert.deepInclude(yield* unfinishedWalk(accountOf(registry, east), undefined), { pages: 2, whole: false })
    })
  )

  it.effect("begun anew forgets what the one before had marked", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* walkThrough(registry, [rows(one, two)], { at: 10_000 })
      yield* walkThrough(registry, [rows(one, two)], { at: 20_000, marking: true, cutOff: true })
      const anew = yield* walkThrough(registry, [rows(one)], { at: 30_000, marking: true })
      assert.strictEqual(anew.missed?.once, 1)
    })
  )
})
