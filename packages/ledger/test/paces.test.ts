import { assert, layer } from "@effect/vitest"
import { block, blockedFor, type Bucket, reserve } from "@stopline/ledger"
import { Effect, Schema } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess } from "../../../test/process.ts"

let buckets = 0
const bucket = (requests: number, windowMs: number): Bucket => {
  buckets += 1
  return { key: `bucket ${buckets}`, requests, windowMs }
}

/** The most turns that fall into any one window. */
const busiest = (turns: ReadonlyArray<number>, windowMs: number): number =>
  Math.max(...turns.map((from) => turns.filter((turn) => turn >= from && turn < from + windowMs).length))

const turnsOf = Effect.fnUntraced(function* (bucket: Bucket, moments: ReadonlyArray<number>) {
  const turns: Array<number> = []
  for (const now of moments) turns.push(...(yield* reserve(bucket, now)).map((wait) => now + wait))
  return turns
})

const Limit = Schema.Struct({
  requests: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 })),
  windowMs: Schema.Int.check(Schema.isBetween({ minimum: 100, maximum: 60_000 })),
  gaps: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3_000 }))).check(
    Schema.isMinLength(20),
    Schema.isMaxLength(80)
  )
})

layer(ledgerForTest, { excludeTestServices: true })("a gate", (it) => {
  it.effect.prop(
    "never gives out more turns than the limit, in whichever window, and gives every turn in the end (L15)",
    [Limit],
    ([{ gaps, requests, windowMs }]) =>
      Effect.gen(function* () {
        let now = 1_000_000
        const turns = yield* turnsOf(
          bucket(requests, windowMs),
          gaps.map((gap) => (now += gap))
        )
        // Turns come in whole milliseconds.
        assert.isAtMost(busiest(turns, windowMs - 1), requests)
        assert.isBelow(turns.at(-1)!, now + (gaps.length / requests) * windowMs * 2)
      }),
    { arbitrary: { runs: 15 } }
  )

  it.effect.prop(
    "gives many turns at once as it would one after another (L15)",
    [Limit],
    ([{ gaps, requests, windowMs }]) =>
      Effect.gen(function* () {
        const [singly, together] = [bucket(requests, windowMs), bucket(requests, windowMs)]
        let now = 1_000_000
        for (const gap of gaps.slice(0, 20)) {
          now += gap
          const count = 1 + (gap % 7)
          if (gap % 5 === 0) for (const one of [singly, together]) yield* block(one, now + gap, now)
          const turns = yield* turnsOf(
            singly,
            Array.from({ length: count }, () => now)
          )
          const atOnce = (yield* reserve(together, now, count)).map((wait) => now + wait)
          // Sums of the same fractions in another order may round to the next millisecond.
          for (const [n, turn] of turns.entries()) assert.approximately(atOnce[n]!, turn, 1)
          assert.strictEqual(atOnce.length, count)
        }
      }),
    { arbitrary: { runs: 15 } }
  )

  it.effect("lets some through at once, and then one after another", () =>
    Effect.gen(function* () {
      const turns = yield* turnsOf(bucket(8, 7_000), Array(5).fill(1_000_000))
      assert.deepStrictEqual(turns, [1_000_000, 1_000_000, 1_001_010, 1_002_020, 1_003_030])
    })
  )

  it.effect("fills up again, and never above what may go at once", () =>
    Effect.gen(function* () {
      const eight = bucket(8, 7_000)
      yield* turnsOf(eight, Array(4).fill(1_000_000))
      const later = yield* turnsOf(eight, Array(3).fill(9_000_000))
      assert.deepStrictEqual(later, [9_000_000, 9_000_000, 9_001_010])
    })
  )

  it.effect("gives nearly the whole limit to whoever never pauses, and no more to anybody (L15)", () =>
    Effect.gen(function* () {
      const [requests, windowMs] = [100, 10_000]
      const busy = bucket(requests, windowMs)
      // Four at a time, with a pause after each four that is shorter than they took.
      const turns: Array<number> = []
      let now = 1_000_000
      while (turns.length < 5 * requests) {
        const four = yield* turnsOf(busy, Array(4).fill(now))
        turns.push(...four)
        now = Math.max(...four) + 30
      }
      assert.isAtMost(busiest(turns, windowMs), requests)
      const later = turns.filter((turn) => turn >= 1_000_000 + windowMs)
      const perWindow = ((later.length - 1) / (later.at(-1)! - later[0]!)) * windowMs
      assert.isAtLeast(perWindow, 0.98 * requests)
    })
  )

  it.effect("lets nobody go at once after a pause that was short", () =>
    Effect.gen(function* () {
      const busy = bucket(100, 10_000)
      yield* turnsOf(busy, Array(100).fill(1_000_000))
      // Long after, and yet not so long that all of them could go at once again.
      const turns = yield* turnsOf(busy, Array(3).fill(1_012_000))
      assert.deepStrictEqual(turns, [1_012_000, 1_012_101, 1_012_202])
    })
  )

  it.effect("is one gate for all processes (L15)", () =>
    Effect.gen(function* () {
      const shared = bucket(8, 7_000)
      const others = yield* Effect.forEach([1, 2], () => anotherProcess({ connections: 5 }))
      const now = 1_000_000
      const waits = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, n) => others[n % 2]!),
        (other) => other.run(reserve(shared, now)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        waits.flat().toSorted((a, b) => a - b),
        [0, 0, 1_010, 2_020, 3_030, 4_040, 5_050, 6_060, 7_070, 7_954, 8_838, 9_722]
      )
    })
  )

  it.effect("is shut for everybody during a penalty, and then opens for one after another (L15)", () =>
    Effect.gen(function* () {
      const shared = bucket(8, 7_000)
      const other = yield* anotherProcess()
      const now = 1_000_000
      yield* reserve(shared, now)
      yield* block(shared, now + 30_000, now)
      assert.strictEqual(yield* other.run(blockedFor(shared.key, now)), 30_000)
      const turns = yield* other.run(turnsOf(shared, Array(5).fill(now + 10_000)))
      assert.deepStrictEqual(turns, [1_030_000, 1_030_000, 1_031_010, 1_032_020, 1_033_030])
      assert.strictEqual(yield* blockedFor(shared.key, now + 29_999), 1)
      assert.strictEqual(yield* blockedFor(shared.key, now + 30_000), 0)
    })
  )

  it.effect("lets nobody go at once behind a penalty, however short, who could have gone before it (L15)", () =>
    Effect.gen(function* () {
      const shared = bucket(40, 7_000)
      const now = 1_000_000
      yield* reserve(shared, now)
      yield* block(shared, now + 100, now)
      const turns = yield* turnsOf(shared, Array(5).fill(now + 50))
      assert.isAtLeast(turns[0] ?? 0, now + 100)
      // One after another: no two of them at one moment.
      assert.strictEqual(new Set(turns).size, 5)
    })
  )

  it.effect("keeps the longer of two penalties", () =>
    Effect.gen(function* () {
      const shared = bucket(8, 7_000)
      yield* block(shared, 1_060_000, 1_000_000)
      yield* block(shared, 1_030_000, 1_001_000)
      assert.strictEqual(yield* blockedFor(shared.key, 1_002_000), 58_000)
    })
  )

  it.effect("is as fast as ever when a clock that was far ahead has been set right", () =>
    Effect.gen(function* () {
      const eight = bucket(8, 7_000)
      const [now, hour] = [1_000_000, 3_600_000]
      yield* reserve(eight, now + hour)
      const turns = yield* turnsOf(eight, Array(3).fill(now))
      assert.deepStrictEqual(turns, [now, now + 1_010, now + 2_020])
      // It fills up again, and does not owe a turn for each that was taken meanwhile.
      const later = yield* turnsOf(eight, Array(3).fill(now + hour / 2))
      assert.deepStrictEqual(
        later.map((turn) => turn - now - hour / 2),
        [0, 0, 1_010]
      )
    })
  )

  it.effect("is one gate for processes whose clocks differ a little, though by far more than its window (L15)", () =>
    Effect.gen(function* () {
      const shared = bucket(4, 1_000)
      const turns: Array<number> = []
      for (let now = 1_000_000; now < 1_010_000; now += 100) {
        const ahead = now % 200 === 0 ? 30_000 : 0
        turns.push(...(yield* reserve(shared, now + ahead)).map((wait) => now + wait))
      }
      assert.isAtMost(busiest(turns, 999), 4)
    })
  )

  it.effect("keeps apart who waits for the end of a penalty, however far ahead that is (L15)", () =>
    Effect.gen(function* () {
      const shared = bucket(8, 7_000)
      const [now, hour] = [1_000_000, 3_600_000]
      yield* block(shared, now + hour, now)
      const turns = yield* turnsOf(shared, [now, now, now + 1_000, now + 1_000])
      assert.deepStrictEqual(
        turns.map((turn) => turn - now - hour),
        [0, 0, 1_010, 2_020]
      )
    })
  )

  it.effect("is open though a clock that was far ahead began a penalty there", () =>
    Effect.gen(function* () {
      const shared = bucket(8, 7_000)
      const [now, minute, year] = [1_000_000, 60_000, 365 * 24 * 3_600_000]
      yield* block(shared, now + year + minute, now + year)
      assert.strictEqual(yield* blockedFor(shared.key, now), 0)
      assert.isBelow((yield* turnsOf(shared, [now]))[0]!, now + 2_000)
      // A penalty of today counts all the same.
      yield* block(shared, now + minute, now)
      assert.strictEqual(yield* blockedFor(shared.key, now), minute)
      assert.isAtLeast((yield* turnsOf(shared, [now]))[0]!, now + minute)
    })
  )

  it.effect("nobody has passed is open", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* blockedFor("never seen", 1_000_000), 0)
    })
  )

  it.effect("keeps those who waited when a penalty began ahead of who comes after it", () =>
    Effect.gen(function* () {
      const shared = bucket(8, 7_000)
      const now = 1_000_000
      const before = yield* turnsOf(shared, Array(6).fill(now))
      yield* block(shared, now + 2_000, now)
      const after = yield* turnsOf(shared, [now + 500])
      // Whose turn lies behind the penalty keeps it; a new one is given out after the last of them.
      assert.strictEqual(before.at(-1), now + 4_040)
      assert.strictEqual(after[0], now + 5_050)
    })
  )
})
