import { assert, layer } from "@effect/vitest"
import type { ConsentState, Origin } from "@stopline/consent"
import {
  adoptOrphans,
  beginWrites,
  claimLane,
  digits,
  endWrites,
  history,
  ingest,
  type LedgerError,
  openIntents,
  type Registry
} from "@stopline/ledger"
import { Effect, Fiber } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess, heldOpen, somebodyWaits, until } from "../../../test/process.ts"
import {
  accountOf,
  at,
  checkPairs,
  differing,
  east,
  eastOne,
  eastTwo,
  fresh,
  observation,
  person,
  reading,
  senderOf,
  standings,
  viewOf
} from "../../../test/world.ts"
import { write } from "./writing.ts"

const one = person(1)
const leaseMs = 60_000

const hear = (registry: Registry, given: Parameters<typeof observation>[0] = { recipient: one }) =>
  ingest(accountOf(registry, east), [observation(given)], given.time?.notAfter ?? 10_000, 0)
const start = observation({ recipient: one, state: "opted-in", time: at(30_000) })

/** Said at the second sender: an opt-in that its provider acts on, and what its provider tells of. */
const word = (ms: number) =>
  observation({ recipient: one, sender: eastTwo, state: "opted-in", time: at(ms), evidence: { acted: true } })
const event = (state: ConsentState, ms: number, origin: Origin = "unknown") =>
  observation({ recipient: one, sender: eastTwo, basis: "event", origin, reach: "pair", state, time: at(ms) })

layer(ledgerForTest, { excludeTestServices: true })("a write", (it) => {
  it.effect("takes only what still must be, in the order given", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      for (const n of [1, 2, 3, 4]) yield* hear(registry, { recipient: person(n) })
      yield* write(registry, eastTwo, person(2), { begun: 20_000, ended: 20_100 })
      yield* hear(registry, { recipient: person(4), sender: eastTwo, state: "opted-in", time: at(15_000) })
      const lane = (yield* claimLane("write", "test", 20_000, leaseMs))!
      const context = {
        lane,
        leaseMs,
        sender: senderOf(registry, eastTwo),
        state: "opted-out",
        policy: "strict"
      } as const
      const wanted = [4, 3, 2, 1, 9].map((n) => digits(person(n)))
      // One has opted in since, one is held already, and one never said anything.
      assert.deepStrictEqual(yield* beginWrites(context, wanted, 20_200), [digits(person(3)), digits(person(1))])
    })
  )

  it.effect("that a START has made pointless is not begun", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* ingest(accountOf(registry, east), [start], 30_000, 0)
      assert.isFalse(yield* write(registry, eastOne, one, { begun: 31_000, ended: 31_100 }))
      assert.isTrue(yield* write(registry, eastTwo, one, { begun: 31_000, ended: 31_100 }))
    })
  )

  it.effect("of a pair that is known has its intent committed like any other (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      const clear = reading(one, { sender: eastTwo, state: "opted-in" })
      yield* checkPairs(registry, [clear], { beganAt: 15_000, endedAt: 15_100 })
      yield* write(registry, eastTwo, one, { begun: 20_000 })
      const view = (yield* viewOf(senderOf(registry, eastTwo), one))?.view
      assert.deepInclude(view, { held: "opted-in", intent: "opted-out", echoDue: true })
    })
  )

  it.effect("whose echo comes while its outcome is being stored leaves no intent behind (L7, L12)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const other = yield* anotherProcess()
      yield* hear(registry)
      const lane = (yield* claimLane("echo", "test", 20_000, leaseMs))!
      const context = {
        lane,
        leaseMs,
        sender: senderOf(registry, eastTwo),
        state: "opted-out",
        policy: "strict"
      } as const
      yield* beginWrites(context, [digits(one)], 20_000)
      const ending = yield* other.run(heldOpen(endWrites(context, [{ _tag: "Held", recipient: digits(one) }], 20_100)))
      const echo = observation({ recipient: one, sender: eastTwo, basis: "event", origin: "unknown", key: "event:1" })
      const hearing = yield* Effect.forkChild(
        ingest(accountOf(registry, east), [{ ...echo, time: at(20_050) }], 20_090, leaseMs)
      )
      yield* until(somebodyWaits)
      yield* ending.commit
      assert.deepInclude(yield* Fiber.join(hearing), { recorded: [], echoes: 1 })
      const view = (yield* viewOf(senderOf(registry, eastTwo), one))?.view
      assert.deepInclude(view, { held: "opted-out", intent: undefined, echoDue: false })
    })
  )

  it.effect("by who lost the lane is neither begun nor ended (L12)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      const lane = (yield* claimLane("lost", "frozen", 20_000, leaseMs))!
      const context = {
        lane,
        leaseMs,
        sender: senderOf(registry, eastTwo),
        state: "opted-out",
        policy: "strict"
      } as const
      yield* beginWrites(context, [digits(one)], 20_000)
      yield* claimLane("lost", "heir", 20_001 + leaseMs, leaseMs)
      const begin: LedgerError = yield* Effect.flip(beginWrites(context, [digits(one)], 20_002 + leaseMs))
      const end: LedgerError = yield* Effect.flip(
        endWrites(context, [{ _tag: "Held", recipient: digits(one) }], 20_002 + leaseMs)
      )
      assert.deepStrictEqual([begin.kind, end.kind], ["fenced", "fenced"])
      const view = (yield* viewOf(senderOf(registry, eastTwo), one))?.view
      assert.deepInclude(view, { intent: "opted-out", held: undefined })
    })
  )

  it.effect("that may have been done changes nothing that is known, and waits for its echo (L5, L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100, outcome: "maybe" })
      const view = (yield* viewOf(senderOf(registry, eastTwo), one))?.view
      assert.deepInclude(view, { held: undefined, intent: undefined, echoDue: true })
      assert.deepStrictEqual(view?.written, { state: "opted-out", begunAt: 20_000, endedAt: 20_100 })
      assert.strictEqual((yield* differing(registry, eastTwo)).length, 1)
    })
  )

  it.effect("that was not done leaves no trace but that it was tried", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100, outcome: "not done" })
      const view = (yield* viewOf(senderOf(registry, eastTwo), one))?.view
      assert.deepInclude(view, { held: undefined, intent: undefined, echoDue: false, written: undefined })
      assert.strictEqual((yield* differing(registry, eastTwo)).length, 1)
    })
  )

  it.effect("that was not done leaves the one before it as it was, and what may still be heard of it (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100 })
      const attested = { sender: eastTwo, basis: "attested", origin: "operator", reach: "pair" } as const
      yield* hear(registry, { ...start, ...attested })
      assert.isTrue(yield* write(registry, eastTwo, one, { begun: 31_000, ended: 31_100, state: "opted-in" }))
      yield* hear(registry, { recipient: one, time: at(3_600_000) })
      const refused = { begun: 3_600_000, ended: 3_600_100, outcome: "rejected" } as const
      assert.isTrue(yield* write(registry, eastTwo, one, refused))
      const view = (yield* viewOf(senderOf(registry, eastTwo), one))?.view
      assert.deepInclude(view, { held: "opted-in", readAt: 31_100, intent: undefined, echoDue: true })
      assert.deepStrictEqual(view?.written, { state: "opted-in", begunAt: 31_000, endedAt: 31_100 })
      // The echo of our opt-in comes an hour late.
      const account = accountOf(registry, east)
      const { echoes, recorded } = yield* ingest(account, [event("opted-in", 31_050)], 3_700_000, 300_000)
      assert.deepStrictEqual([echoes, recorded.length], [1, 0])
    })
  )

  it.effect.each(["not done", "rejected"] as const)(
    "that may have been done is still waited for when it is tried again and comes to nothing (L7): %s",
    (outcome) =>
      Effect.gen(function* () {
        const registry = yield* fresh()
        yield* hear(registry)
        yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100, outcome: "maybe" })
        assert.isTrue(yield* write(registry, eastTwo, one, { begun: 30_000, ended: 30_100, outcome }))
        // Done at last, and only then the first is heard of.
        assert.isTrue(yield* write(registry, eastTwo, one, { begun: 60_000, ended: 60_100 }))
        const { echoes } = yield* ingest(accountOf(registry, east), [event("opted-out", 20_050)], 110_000, 5_000)
        assert.strictEqual(echoes, 1)
      })
  )

  it.effect("that was heard of is not waited for again when trying it again comes to nothing (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const account = accountOf(registry, east)
      yield* hear(registry)
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100, outcome: "maybe" })
      yield* ingest(account, [event("opted-out", 20_050)], 20_200, 5_000)
      // Lifted by a colleague, and written again by us in vain.
      yield* ingest(account, [event("opted-in", 25_000)], 25_000, 5_000)
      assert.isTrue(yield* write(registry, eastTwo, one, { begun: 30_000, ended: 30_100, outcome: "not done" }))
      const { echoes } = yield* ingest(account, [event("opted-out", 31_000)], 31_000, 300_000)
      assert.strictEqual(echoes, 0)
    })
  )

  it.effect("that somebody undid is followed by another, and both may be heard of late (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100 })
      const account = accountOf(registry, east)
      yield* ingest(account, [word(30_000)], 30_100, 300_000)
      yield* hear(registry, { recipient: one, time: at(40_000) })
      assert.isTrue(yield* write(registry, eastTwo, one, { begun: 41_000, ended: 41_100 }))
      // The echo of the second comes at once, that of the first later; a third event is somebody else speaking.
      const heard = []
      for (const ms of [41_050, 20_050, 42_000])
        heard.push((yield* ingest(account, [event("opted-out", ms)], 90_000, 300_000)).echoes)
      assert.deepStrictEqual(heard, [1, 1, 0])
    })
  )

  it.effect.each([
    ["a word heard of while it is on its way", word(20_050), "during"],
    ["an event that comes while it is on its way", event("opted-in", 20_050, "recipient"), "during"],
    ["a word heard of when it has ended", word(20_050), "after"],
    ["an event that comes when it has ended", event("opted-in", 20_050, "recipient"), "after"]
  ] as const)(
    "which an opt-in came before or after is in doubt, and done again for the next STOP (L2, L5): %s",
    ([, said, when]) =>
      Effect.gen(function* () {
        const registry = yield* fresh()
        const account = accountOf(registry, east)
        yield* hear(registry)
        const meanwhile = when === "during" ? ingest(account, [said], 20_060, 300_000) : Effect.void
        yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100, meanwhile })
        if (when === "after") yield* ingest(account, [said], 25_000, 300_000)
        // A STOP at another sender of the brand.
        yield* hear(registry, { recipient: one, time: at(26_000) })
        assert.strictEqual((yield* differing(registry, eastTwo)).length, 1)
        assert.isTrue(yield* write(registry, eastTwo, one, { begun: 30_000, ended: 30_100 }))
        assert.deepStrictEqual(yield* differing(registry, eastTwo), [])
        const both = [event("opted-out", 20_010), event("opted-out", 30_010)]
        const { echoes, recorded } = yield* ingest(account, both, 40_000, 300_000)
        assert.deepStrictEqual([echoes, recorded.length], [2, 0])
      })
  )

  it.effect("that an opt-in left in doubt is doubted until it is read, also when doing it again is refused (L5)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100 })
      yield* ingest(accountOf(registry, east), [word(20_050)], 25_000, 0)
      yield* hear(registry, { recipient: one, time: at(26_000) })
      for (const outcome of ["rejected", "not done"] as const) {
        assert.isTrue(yield* write(registry, eastTwo, one, { begun: 30_000, ended: 30_100, outcome }))
        assert.strictEqual((yield* differing(registry, eastTwo)).length, 1)
      }
      yield* checkPairs(registry, [reading(one, { sender: eastTwo })], { beganAt: 40_000, endedAt: 40_100 })
      assert.deepStrictEqual(yield* differing(registry, eastTwo), [])
    })
  )

  it.effect(
    "that a provider refuses is remembered for a day, and forgotten when somebody else moves the pair (L9)",
    () =>
      Effect.gen(function* () {
        const registry = yield* fresh()
        yield* hear(registry)
        yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100, outcome: "rejected" })
        const day = 24 * 60 * 60 * 1000
        assert.deepInclude((yield* differing(registry, eastTwo))[0], {
          refused: "not taken",
          refusedUntil: 20_100 + day
        })
        const seen = reading(one, { sender: eastTwo, state: "opted-in" })
        yield* checkPairs(registry, [seen], { beganAt: 30_000, endedAt: 30_100 })
        assert.isUndefined((yield* differing(registry, eastTwo))[0]?.refused)
      })
  )

  it.effect("that is done after it was refused leaves no refusal behind", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100, outcome: "rejected" })
      yield* write(registry, eastTwo, one, { begun: 30_000, ended: 30_100 })
      const { standings } = yield* history(one, "strict")
      assert.deepInclude(
        standings.find(({ sender }) => sender === eastTwo),
        { held: "opted-out", refused: null }
      )
    })
  )

  it.effect.each(["not done", "maybe", "rejected"] as const)(
    "that was to put back what its provider had lifted, and was not done, leaves it lifted (L3, L8): %s",
    (outcome) =>
      Effect.gen(function* () {
        const registry = yield* fresh()
        yield* hear(registry)
        yield* write(registry, eastTwo, one, { begun: 20_000, ended: 20_100 })
        yield* ingest(accountOf(registry, east), [event("opted-in", 30_000)], 30_000, 0)
        assert.isTrue(yield* write(registry, eastTwo, one, { begun: 40_000, ended: 40_100, outcome }))
        // Otherwise it would pass for what is carried for the first time, which asks for no evidence and no guard.
        assert.deepInclude((yield* differing(registry, eastTwo))[0], { must: "opted-out", liftedAt: 30_000 })
      })
  )

  it.effect("that begins while a reading is being stored has that reading not judged (L7)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      const other = yield* anotherProcess()
      yield* hear(registry)
      const clear = reading(one, { sender: eastTwo, state: "opted-in" })
      yield* checkPairs(registry, [clear], { beganAt: 15_000, endedAt: 15_100 })
      const beginning = yield* other.run(heldOpen(write(registry, eastTwo, one, { begun: 20_000 })))
      const blocked = reading(one, { sender: eastTwo })
      const checking = yield* Effect.forkChild(checkPairs(registry, [blocked], { beganAt: 19_900, endedAt: 20_050 }))
      yield* until(somebodyWaits)
      yield* beginning.commit
      assert.deepInclude(yield* Fiber.join(checking), { undecided: 1, recorded: [] })
      const view = (yield* viewOf(senderOf(registry, eastTwo), one))?.view
      assert.deepInclude(view, { held: "opted-in", intent: "opted-out" })
    })
  )

  it.effect("left behind by a process that died, and done again by another, may be heard of as well (L7, L12)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastTwo, one, { begun: 20_000 })
      assert.isTrue(yield* write(registry, eastTwo, one, { begun: 60_000, ended: 60_100 }))
      const { recorded } = yield* ingest(accountOf(registry, east), [event("opted-out", 20_050)], 70_000, 5_000)
      assert.deepStrictEqual(recorded, [])
    })
  )

  it.effect("left behind by a process that died is adopted: it may have been done (L7, L12)", () =>
    Effect.gen(function* () {
      const registry = yield* fresh()
      yield* hear(registry)
      yield* write(registry, eastTwo, one, { begun: 20_000 })
      const sender = senderOf(registry, eastTwo)
      assert.deepStrictEqual(yield* openIntents(accountOf(registry, east).senders), [sender.id])
      assert.strictEqual(yield* adoptOrphans(sender, 40_000), 1)
      assert.strictEqual(yield* adoptOrphans(sender, 40_000), 0)
      assert.deepStrictEqual(yield* openIntents(accountOf(registry, east).senders), [])
      const view = (yield* viewOf(sender, one))?.view
      assert.deepInclude(view, { held: undefined, intent: undefined, echoDue: true })
      assert.deepStrictEqual(view?.written, { state: "opted-out", begunAt: 20_000, endedAt: 40_000 })
      // A reading that began before it was adopted proves nothing; a later one is judged.
      const seen = reading(one, { sender: eastTwo })
      const early = yield* checkPairs(registry, [seen], { beganAt: 39_999, endedAt: 41_000 })
      assert.strictEqual(early.undecided, 1)
      yield* checkPairs(registry, [seen], { beganAt: 40_000, endedAt: 41_000 })
      assert.strictEqual((yield* standings(one))[eastTwo], "opted-out held opted-out")
    })
  )
})
