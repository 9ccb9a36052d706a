import { assert, layer } from "@effect/vitest"
import { walk, type WalkStart } from "@stopline/engine"
import { beginWalk, claimLane, clearHalts, Connection, ingest, lastEnded, openHalts, walkKey } from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { at, observation, saidOf } from "../../../test/world.ts"
import { anotherProcess } from "../../../test/process.ts"
import {
  lister,
  listerOne,
  listerTwo,
  makeWorld,
  pass,
  people,
  person,
  senderOf,
  standings,
  testSettings,
  timed,
  type World,
  type WorldOptions
} from "./world.ts"

const start: WalkStart = { kind: "walk", startedBy: "test", unguarded: false }

const walkOf = (world: World, given: Partial<WalkStart> = {}, sender?: typeof listerOne) => {
  const { list } = world.lister.adapter
  if (list._tag !== "Can") throw new Error("it has a list")
  const one = sender === undefined ? undefined : senderOf(world.listing, sender)
  return world.run(walk(world.listing, list.port, one, { ...start, ...given }))
}

const cursors = (world: World) => world.lister.calls.map((call) => call.cursor?.split(" ")[1]?.slice(-2))

/** Seven people on three pages, known from a walk a minute ago. */
const known = Effect.fnUntraced(function* (options: WorldOptions = {}, count = 7) {
  const world = yield* makeWorld(options)
  world.lister.block(listerOne, ...people(count))
  yield* walkOf(world)
  yield* pass("1 minute")
  world.lister.calls.length = 0
  return world
})

const heldOf = (n: number) => Effect.map(standings(person(n)), (one) => one[listerOne])
const absences = (count: number) => ({ settings: { guard: { ...testSettings.guard, absences: { count, share: 0 } } } })

layer(ledgerForTest, { excludeTestServices: true })("a walk", (it) => {
  it.effect("reads every page, once where nothing has changed (L6, L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      world.lister.block(listerOne, ...people(7))
      const first = yield* walkOf(world)
      assert.deepInclude(first, { pages: 3, rows: 7, news: 7, problems: 0, halted: false, resumed: false })
      yield* pass("1 minute")
      world.lister.calls.length = 0
      assert.deepInclude(yield* walkOf(world), { pages: 3, rows: 7, news: 0 })
      assert.deepStrictEqual(cursors(world), [undefined, "03", "06"])
    }).pipe(timed)
  )

  it.effect("of one sender reads that sender's list, the same throughout (L6)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      world.lister.block(listerOne, ...people(4))
      world.lister.block(listerTwo, ...people(4, 10))
      assert.deepInclude(yield* walkOf(world, {}, listerTwo), { sender: listerTwo, rows: 4, news: 4 })
      assert.deepStrictEqual(
        world.lister.calls.map((call) => call.sender),
        [listerTwo, listerTwo]
      )
      assert.deepStrictEqual(yield* saidOf(person(1)), [])
    }).pipe(timed)
  )

  it.effect("that was cut off goes on from the cursor it had committed (L1, L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      world.lister.block(listerOne, ...people(7))
      world.lister.fail("list", [{ kind: "none" }, { kind: "none" }, { kind: "unavailable" }])
      const error = yield* Effect.flip(walkOf(world))
      assert.strictEqual(error._tag, "ProviderError")
      assert.strictEqual(yield* heldOf(6), "opted-out held opted-out")
      assert.strictEqual(yield* heldOf(7), "opted-in held unknown")
      yield* pass("1 minute")
      world.lister.calls.length = 0
      const rest = yield* walkOf(world)
      assert.deepStrictEqual(cursors(world), ["06"])
      assert.deepInclude(rest, { pages: 3, rows: 7, news: 1, resumed: true })
      assert.strictEqual(yield* heldOf(7), "opted-out held opted-out")
    }).pipe(timed)
  )

  it.effect("that was cut off by the death of its process is gone on with by another (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const dying = yield* anotherProcess()
      world.lister.block(listerOne, ...people(7))
      world.lister.fail("list", [{ kind: "none" }, { kind: "none" }])
      let pages = 0
      world.lister.onRequest = () =>
        Effect.suspend(() => {
          pages += 1
          return pages === 3 ? Effect.die("killed") : Effect.void
        })
      yield* Effect.exit(dying.run(walkOf(world)))
      yield* dying.end
      world.lister.onRequest = () => Effect.void
      world.lister.calls.length = 0
      assert.deepInclude(yield* walkOf(world), { rows: 7, resumed: true })
      assert.deepStrictEqual(cursors(world), ["06"])
    }).pipe(timed)
  )

  for (const kind of ["refused", "unreadable"] as const) {
    it.effect(`whose old cursor is ${kind} begins again, once, from the first page (L12)`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        world.lister.block(listerOne, ...people(7))
        world.lister.fail("list", [{ kind: "none" }, { kind: "unavailable" }])
        yield* Effect.flip(walkOf(world))
        yield* pass("1 day")
        world.lister.calls.length = 0
        world.lister.fail("list", [{ kind }])
        assert.deepInclude(yield* walkOf(world), { rows: 7, news: 4 })
        assert.deepStrictEqual(cursors(world), ["03", undefined, "03", "06"])
        // From the first page there is nowhere to begin again.
        world.lister.calls.length = 0
        world.lister.failAlways(["list"], { kind })
        yield* Effect.flip(walkOf(world))
        assert.strictEqual(world.lister.calls.length, 1)
      }).pipe(timed)
    )
  }

  it.effect("in a circle is unreadable, and says nothing about absence (L5, L6)", () =>
    Effect.gen(function* () {
      const world = yield* known()
      world.lister.lift(listerOne, person(7))
      world.lister.spoil("circle")
      const error = yield* Effect.flip(walkOf(world))
      assert.strictEqual(error._tag === "ProviderError" && error.reason._tag, "Unreadable")
      assert.include(error.message, "circle")
      assert.strictEqual(world.lister.calls.length, 2)
      world.lister.spoil(undefined)
      world.lister.calls.length = 0
      yield* walkOf(world)
      assert.strictEqual(cursors(world)[0], undefined)
    }).pipe(timed)
  )

  it.effect("of a list without rows and without an end is given up, and concludes nothing (L6)", () =>
    Effect.gen(function* () {
      const world = yield* known()
      world.lister.spoil("endless")
      const error = yield* Effect.flip(walkOf(world))
      assert.strictEqual(error._tag === "ProviderError" && error.reason._tag, "Unreadable")
      assert.isBelow(world.lister.calls.length, 100)
      assert.strictEqual(yield* heldOf(1), "opted-out held opted-out")
      assert.deepStrictEqual(yield* openHalts(), [])
    }).pipe(timed)
  )

  it.effect("with a row that nobody can read takes the others and says nothing about absence (L5, L6)", () =>
    Effect.gen(function* () {
      const world = yield* known()
      world.lister.lift(listerOne, person(7))
      world.lister.block(listerOne, person(8))
      world.lister.spoil("unreadable row")
      for (let n = 0; n < 3; n++) {
        assert.deepInclude(yield* walkOf(world), { problems: 3, halted: false })
        yield* pass("1 minute")
      }
      assert.strictEqual(yield* heldOf(8), "opted-out held opted-out")
      assert.strictEqual(yield* heldOf(7), "opted-out held opted-out")
    }).pipe(timed)
  )

  it.effect("of a list that is promised only in part says nothing about absence (L6)", () =>
    Effect.gen(function* () {
      const world = yield* known({ lister: { coverage: "partial" } })
      world.lister.lift(listerOne, person(7))
      assert.deepInclude(yield* walkOf(world), { news: 0, pages: 2 })
      assert.strictEqual(yield* heldOf(7), "opted-out held opted-out")
    }).pipe(timed)
  )

  it.effect("that misses somebody looks twice more, and opts nobody in (L3, L6)", () =>
    Effect.gen(function* () {
      const world = yield* known()
      world.lister.lift(listerOne, person(7))
      assert.deepInclude(yield* walkOf(world), { news: 1, pages: 6, halted: false })
      assert.strictEqual(yield* heldOf(7), "opted-out held opted-in")
      assert.strictEqual((yield* saidOf(person(7)))[1]?.split(" ").slice(0, 2).join(" "), "opted-in listed")
    }).pipe(timed)
  )

  it.effect("that is long under way says what was so when it began, and nothing of what happened since (L7)", () =>
    Effect.gen(function* () {
      const world = yield* known()
      world.lister.lift(listerOne, person(7))
      world.lister.onRequest = () => pass("1 second")
      assert.deepInclude(yield* walkOf(world), { news: 1 })
      assert.strictEqual(yield* heldOf(7), "opted-out held opted-in")
      // Blocked while the last page was read, which is heard of late.
      const now = yield* Clock.currentTimeMillis
      const blocked = observation({
        account: lister,
        sender: listerOne,
        recipient: person(7),
        basis: "event",
        origin: "unknown",
        time: at(now - 500)
      })
      yield* ingest(world.listing.account, [blocked], now, 0)
      assert.strictEqual(yield* heldOf(7), "opted-out held opted-out")
    }).pipe(timed)
  )

  it.effect("does not believe in an absence that a second look takes back (L6)", () =>
    Effect.gen(function* () {
      const world = yield* known()
      world.lister.lift(listerOne, person(7))
      // It is back before the third reading is over.
      world.lister.onRequest = () =>
        Effect.sync(() => {
          if (world.lister.calls.length === 5) world.lister.block(listerOne, person(7))
        })
      assert.deepInclude(yield* walkOf(world), { news: 0 })
      assert.strictEqual(yield* heldOf(7), "opted-out held opted-out")
    }).pipe(timed)
  )

  it.effect("of a list that came back empty halts, and believes it once a person has looked", () =>
    Effect.gen(function* () {
      const world = yield* known({}, 12)
      world.lister.blocked.clear()
      assert.deepInclude(yield* walkOf(world), { news: 0, halted: true })
      assert.strictEqual(yield* heldOf(1), "opted-out held opted-out")
      assert.strictEqual((yield* lastEnded("walk", world.listing.account.id))?.outcome, "halted")
      const [halt] = yield* openHalts()
      assert.deepInclude(halt, { kind: "listing-emptied", numbers: { missing: 12, known: 12, limit: 1000 } })
      yield* clearHalts({}, "ann", yield* Clock.currentTimeMillis)
      yield* pass("1 minute")
      assert.deepInclude(yield* walkOf(world), { news: 12, halted: false })
      assert.strictEqual(yield* heldOf(1), "opted-out held opted-in")
    }).pipe(timed)
  )

  it.effect("of a list that lost too many halts, each time, until a person has looked of late", () =>
    Effect.gen(function* () {
      const world = yield* known(absences(2))
      world.lister.lift(listerOne, ...people(3))
      assert.isTrue((yield* walkOf(world)).halted)
      yield* pass("1 minute")
      assert.isTrue((yield* walkOf(world)).halted)
      assert.strictEqual((yield* openHalts())[0]?.kind, "listing-shrank")
      yield* clearHalts({}, "ann", yield* Clock.currentTimeMillis)
      yield* pass("25 hours")
      assert.isTrue((yield* walkOf(world)).halted)
      yield* clearHalts({}, "ann", yield* Clock.currentTimeMillis)
      yield* pass("1 hour")
      assert.deepInclude(yield* walkOf(world), { halted: false, news: 3 })
    }).pipe(timed)
  )

  it.effect("of a list that lost a few does not halt", () =>
    Effect.gen(function* () {
      const world = yield* known(absences(2))
      world.lister.lift(listerOne, ...people(2))
      assert.deepInclude(yield* walkOf(world), { halted: false, news: 2 })
      assert.deepStrictEqual(yield* openHalts(), [])
    }).pipe(timed)
  )

  it.effect("that a person asked for does not go on with one that nobody asked for", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      world.lister.block(listerOne, ...people(7))
      world.lister.fail("list", [{ kind: "none" }, { kind: "unavailable" }])
      yield* Effect.flip(walkOf(world))
      world.lister.calls.length = 0
      const report = yield* walkOf(world, { kind: "backfill", unguarded: true })
      assert.deepInclude(report, { rows: 7, resumed: false })
      assert.deepStrictEqual(cursors(world)[0], undefined)
    }).pipe(timed)
  )

  it.effect("that was taken over as it ended does not take the marks of its successor for its own (L6, L12)", () =>
    Effect.gen(function* () {
      const world = yield* known(absences(3))
      const other = yield* anotherProcess()
      const ledger = yield* Connection
      world.lister.lift(listerOne, person(7))
      const { account } = world.listing
      const heir = Effect.gen(function* () {
        const later = (yield* Clock.currentTimeMillis) + 60_001
        const lane = (yield* claimLane(walkKey(account, undefined), "heir", later, 60_000))!
        yield* beginWalk(account, undefined, { ...start, marking: true }, lane, 60_000, later)
      })
      let looks = 0
      // The process freezes behind the last page of the walk that marks.
      const query: Connection["Service"]["query"] = (operation, run) =>
        Effect.tap(ledger.query(operation, run), () =>
          operation === "saw all" && ++looks === 2 ? Effect.orDie(other.run(heir)) : Effect.void
        )
      const error = yield* Effect.flip(Effect.provideService(walkOf(world), Connection, { ...ledger, query }))
      assert.deepInclude(error, { _tag: "LaneBusy", owner: "heir" })
      assert.deepStrictEqual(yield* openHalts(), [])
    }).pipe(timed)
  )
})
