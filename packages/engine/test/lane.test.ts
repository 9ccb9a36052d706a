import { assert, layer } from "@effect/vitest"
import { adoptAll, applyTo, Fleet, push } from "@stopline/engine"
import { claimLane, Connection, digits, type Lane, LedgerError, releaseLane } from "@stopline/ledger"
import { Clock, Deferred, Effect, Fiber } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { anotherProcess, until, untilCertain } from "../../../test/process.ts"
import { viewOf } from "../../../test/world.ts"
import { withLane } from "../src/lane.ts"
import {
  askerOne,
  askerTwo,
  everything,
  inTime,
  listerOne,
  makeWorld,
  pass,
  people,
  person,
  quietly,
  senderOf,
  timed,
  type World
} from "./world.ts"

const leaseMs = 60_000
const writing = `write:asker/${askerOne}`

const rowOf = (key: string) =>
  Effect.flatMap(Connection, ({ query }) =>
    query("test", (db) => db.selectFrom("lane").selectAll().where("key", "=", key).executeTakeFirstOrThrow())
  )

/** The same accounts in another process. */
const twin = (world: World): Fleet["Service"] =>
  Fleet.make(
    {
      accounts: world.fleet.stations.map((one) => one.account),
      groups: new Map(),
      policy: world.fleet.settings.policy
    },
    world.fleet.stations.map((one) => one.adapter),
    world.fleet.settings,
    "twin"
  )

layer(ledgerForTest, { excludeTestServices: true })("a lane", (it) => {
  it.effect("that could not be let go while the database was away is let go when it is back (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const other = yield* anotherProcess()
      const ledger = yield* Connection
      let away = 3
      const query: Connection["Service"]["query"] = (operation, run) =>
        operation === "release lane" && away-- > 0
          ? Effect.fail(new LedgerError({ kind: "unreachable", operation, detail: "Connection terminated" }))
          : ledger.query(operation, run)
      const used = world.run(withLane(writing, () => Effect.void))
      yield* Effect.provideService(used, Connection, { ...ledger, query })
      const lane = yield* other.run(claimLane(writing, "other", yield* Clock.currentTimeMillis, leaseMs))
      assert.isDefined(lane)
    })
  )

  it.effect("has one writer at a time, in however many processes (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        asker: { batch: 2, concurrency: 1 },
        lister: { batch: 2, concurrency: 1 },
        settings: { patienceMs: 30_000 }
      })
      const other = yield* anotherProcess()
      for (const who of people(8)) yield* world.says("STOP", listerOne, who)
      // Every request takes a while, so that two writers would meet.
      const slowly = () => Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 5)))
      world.asker.onRequest = slowly
      world.lister.onRequest = slowly
      const numbers = people(8).map(digits)
      const here = world.run(push(numbers))
      const there = other.run(Effect.provideService(push(numbers), Fleet, twin(world)))
      const reports = (yield* Effect.all([here, there, here, there], { concurrency: "unbounded" })).flat()
      assert.deepStrictEqual(
        reports.flatMap((report) => report.errors),
        []
      )
      assert.strictEqual(world.asker.mostAtOnce(), 1)
      assert.strictEqual(world.lister.mostAtOnce(), 1)
      // Each pair was written once: who came second found it held.
      const written = world.asker.calls.flatMap((call) => call.recipients.map((who) => `${call.sender} ${who}`))
      assert.deepStrictEqual([written.length, new Set(written).size], [16, 16])
      assert.strictEqual(
        reports.reduce((sum, report) => sum + report.optedOut, 0),
        32
      )
    }).pipe(quietly)
  )

  it.effect("held by another process is left to it, after a while, by name", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const other = yield* anotherProcess()
      yield* world.says("STOP", listerOne, person(1))
      yield* other.run(claimLane(writing, "worker@elsewhere", yield* Clock.currentTimeMillis, leaseMs))
      const report = yield* world.run(applyTo(world.asking, everything))
      assert.deepStrictEqual(
        report.errors.map((error) => error.message),
        [`${writing} is held by worker@elsewhere; it goes on there, or try again when that process has ended`]
      )
      // The other sender is none of its business.
      assert.isTrue(world.asker.holds(askerTwo, person(1)))
      assert.isFalse(world.asker.holds(askerOne, person(1)))
    }).pipe(timed)
  )

  it.effect("is waited for as long as patience lasts", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { patienceMs: 30_000 } })
      const other = yield* anotherProcess()
      yield* untilCertain
      yield* world.says("STOP", listerOne, person(1))
      yield* other.run(claimLane(writing, "elsewhere", yield* Clock.currentTimeMillis, leaseMs))
      const applying = world.run(applyTo(world.asking, everything))
      const [report] = yield* Effect.all([inTime(applying), other.end], { concurrency: 2 })
      assert.deepInclude(report, { optedOut: 2, errors: [] })
    }).pipe(timed)
  )

  it.effect("is had as soon as its holder lets go, however seldom anybody looks", () =>
    Effect.gen(function* () {
      const hour = 3_600_000
      const world = yield* makeWorld({ settings: { patienceMs: hour, lookAgainMs: hour } })
      const other = yield* anotherProcess()
      yield* world.says("STOP", listerOne, person(1))
      const lane = yield* other.run(claimLane(writing, "elsewhere", yield* Clock.currentTimeMillis, leaseMs))
      const fiber = yield* Effect.forkChild(world.run(applyTo(world.asking, everything)))
      yield* until(Effect.map(rowOf(writing), ({ lease_until, wanted_until }) => wanted_until > lease_until))
      // Time stands still: nothing but the news can wake it.
      yield* other.run(releaseLane(lane!))
      assert.deepInclude(yield* Fiber.join(fiber), { optedOut: 2, errors: [] })
    }).pipe(timed)
  )

  it.effect("is waited for no more by a process that is told to stop", () =>
    Effect.gen(function* () {
      const hour = 3_600_000
      const world = yield* makeWorld({ settings: { patienceMs: hour, lookAgainMs: hour } })
      const other = yield* anotherProcess()
      const lane = yield* other.run(claimLane("stopping", "elsewhere", yield* Clock.currentTimeMillis, leaseMs))
      const fiber = yield* Effect.forkChild(world.run(withLane("stopping", () => Effect.void)))
      yield* until(Effect.map(rowOf("stopping"), ({ lease_until, wanted_until }) => wanted_until > lease_until))
      const stopped = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      // Still waiting, it would be woken by that, and have it once more.
      yield* other.run(releaseLane(lane!))
      yield* Fiber.join(stopped)
      const next = yield* claimLane("stopping", "next", yield* Clock.currentTimeMillis, leaseMs)
      assert.strictEqual(next?.epoch, 2)
    }).pipe(timed)
  )

  it.effect("that was got by a process as it was told to stop is let go (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const ledger = yield* Connection
      const [got, told] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      const query: Connection["Service"]["query"] = (operation, run) =>
        Effect.tap(ledger.query(operation, run), () =>
          operation === "claim lane"
            ? Effect.andThen(Deferred.succeed(got, undefined), Deferred.await(told))
            : Effect.void
        )
      const using = world.run(withLane("got", () => Effect.never))
      const fiber = yield* Effect.forkChild(Effect.provideService(using, Connection, { ...ledger, query }))
      yield* Deferred.await(got)
      const stopped = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* Deferred.succeed(told, undefined)
      yield* Fiber.join(stopped)
      assert.strictEqual((yield* rowOf("got")).lease_until, Number.NEGATIVE_INFINITY)
    }).pipe(timed)
  )

  it.effect("goes from burst to burst, so that a STOP waits for one of them and not for all (L2)", () =>
    Effect.gen(function* () {
      const hour = 3_600_000
      const world = yield* makeWorld({
        asker: { batch: 2, concurrency: 1 },
        settings: { patienceMs: hour, lookAgainMs: hour }
      })
      const other = yield* anotherProcess()
      for (const who of people(8)) yield* world.says("STOP", listerOne, who)
      let pushed: Fiber.Fiber<unknown, unknown> | undefined
      world.asker.onRequest = () =>
        Effect.gen(function* () {
          if (pushed !== undefined) return
          const numbers = yield* other.run(world.says("STOP", listerOne, person(9)))
          const pushing = other.run(Effect.provideService(push(numbers), Fleet, twin(world)))
          pushed = yield* Effect.forkDetach(pushing)
          yield* until(Effect.map(rowOf(writing), ({ lease_until, wanted_until }) => wanted_until > lease_until))
        }).pipe(Effect.provideContext(context), Effect.orDie)
      const context = yield* Effect.context<Connection>()
      yield* world.run(applyTo(world.asking, everything))
      yield* Fiber.join(pushed!)
      const turns = world.asker.calls.flatMap(({ recipients, sender }) => (sender === askerOne ? [recipients] : []))
      assert.deepStrictEqual(
        turns.findIndex((recipients) => recipients.includes(person(9))),
        1
      )
    }).pipe(timed)
  )

  it.effect("is kept as long as it is used, though that takes longer than a lease (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const other = yield* anotherProcess()
      const done = yield* Deferred.make<void>()
      const using = yield* Deferred.make<Lane>()
      const use = (lane: Lane) => Effect.andThen(Deferred.succeed(using, lane), Deferred.await(done))
      const fiber = yield* Effect.forkChild(world.run(withLane("long", use)))
      yield* Deferred.await(using)
      for (let n = 0; n < 12; n++) {
        yield* pass("20 seconds")
        const now = yield* Clock.currentTimeMillis
        yield* until(Effect.map(rowOf("long"), (row) => row.lease_until >= now + leaseMs))
        assert.isUndefined(yield* other.run(claimLane("long", "thief", now, leaseMs)))
      }
      yield* Deferred.succeed(done, undefined)
      yield* Fiber.join(fiber)
      assert.isDefined(yield* other.run(claimLane("long", "next", yield* Clock.currentTimeMillis, leaseMs)))
    }).pipe(timed)
  )

  it.effect("that was lost stops its old holder in the middle of what it does (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const other = yield* anotherProcess()
      const using = yield* Deferred.make<Lane>()
      const use = (lane: Lane) => Effect.andThen(Deferred.succeed(using, lane), Effect.never)
      const fiber = yield* Effect.forkChild(Effect.flip(world.run(withLane("stolen", use))))
      yield* Deferred.await(using)
      // It was frozen for so long that its lease ran out and somebody took over.
      const later = (yield* Clock.currentTimeMillis) + leaseMs + 1
      yield* other.run(claimLane("stolen", "heir", later, leaseMs))
      yield* pass("20 seconds")
      const error = yield* Fiber.join(fiber)
      assert.deepInclude(error, { _tag: "LaneBusy", lane: "stolen", owner: "heir" })
    }).pipe(timed)
  )

  it.effect("that was lost while a request waited to be sent again sends it no more (L7, L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ settings: { retries: 3 } })
      const other = yield* anotherProcess()
      yield* world.says("STOP", listerOne, person(1))
      world.asker.fail("optOut", [{ kind: "throttled", retryAfterMs: 10_000 }], askerOne)
      const fiber = yield* Effect.forkChild(world.run(applyTo(world.asking, everything)))
      yield* until(Effect.sync(() => world.asker.calls.length > 0))
      const heir = (yield* other.run(
        claimLane(writing, "heir", (yield* Clock.currentTimeMillis) + leaseMs + 1, leaseMs)
      ))!
      assert.strictEqual(heir.epoch, 2)
      const report = yield* inTime(Fiber.join(fiber))
      assert.deepStrictEqual(
        report.errors.map((error) => error._tag),
        ["LaneBusy"]
      )
      assert.strictEqual(world.asker.calls.filter((call) => call.sender === askerOne).length, 1)
      assert.isFalse(world.asker.holds(askerOne, person(1)))
      // What is to become of the intent is the business of who has the lane now.
      assert.strictEqual((yield* viewOf(senderOf(world.asking, askerOne)!, person(1)))?.view.intent, "opted-out")
      assert.isTrue(world.asker.holds(askerTwo, person(1)))
    }).pipe(timed)
  )

  it.effect("is not believed to be held when the answer that says so was read after its lease had ended (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, person(1))
      const ledger = yield* Connection
      let looks = false
      // The process stands still for a moment when it has begun, so that it looks again, and freezes right behind that look.
      const query: Connection["Service"]["query"] = (operation, run) =>
        Effect.tap(ledger.query(operation, run), () => {
          const freezes = looks && operation === "hold lane"
          looks = operation === "begin writes" || (looks && !freezes)
          return operation === "begin writes" ? pass("1 second") : freezes ? pass(leaseMs) : Effect.void
        })
      const applied = world.run(applyTo(world.asking, everything))
      const report = yield* inTime(Effect.provideService(applied, Connection, { ...ledger, query }))
      assert.deepStrictEqual(
        report.errors.map((error) => error._tag),
        ["LaneBusy", "LaneBusy"]
      )
      assert.deepStrictEqual(world.asker.calls, [])
    }).pipe(timed)
  )

  it.effect("that was lost between the beginning of a burst and its request sends nothing more (L7, L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const other = yield* anotherProcess()
      yield* world.says("STOP", listerOne, person(1))
      const ledger = yield* Connection
      const now = yield* Clock.currentTimeMillis
      const steal = Effect.andThen(pass("1 second"), other.run(claimLane(writing, "heir", now + 2 * leaseMs, leaseMs)))
      let adopted = false
      // The process freezes between its transaction and its request, and another one takes over meanwhile.
      const transaction: Connection["Service"]["transaction"] = (operation, self) =>
        Effect.tap(ledger.transaction(operation, self), () => {
          if (operation !== "begin writes" || adopted) return Effect.void
          adopted = true
          return Effect.orDie(steal)
        })
      const applied = world.run(applyTo(world.asking, everything))
      const report = yield* inTime(Effect.provideService(applied, Connection, { ...ledger, transaction }))
      assert.deepStrictEqual(
        report.errors.map((error) => error._tag),
        ["LaneBusy"]
      )
      assert.deepStrictEqual(
        world.asker.calls.map((call) => call.sender),
        [askerTwo]
      )
    }).pipe(timed)
  )

  it.effect("of this process on which a request waits keeps nobody back who looks for what the dead left (L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, person(1))
      const [sent, answer] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      // As during a penalty: the intent is committed, and the request does not leave.
      world.asker.onRequest = () => Effect.andThen(Deferred.succeed(sent, undefined), Deferred.await(answer))
      const applying = yield* Effect.forkChild(world.run(applyTo(world.asking, everything)))
      yield* Deferred.await(sent)
      const asked: Array<string> = []
      const ledger = yield* Connection
      const query: Connection["Service"]["query"] = (operation, run) =>
        Effect.tap(ledger.query(operation, run), () => Effect.sync(() => asked.push(operation)))
      const adopting = Effect.provideService(world.run(adoptAll([world.asking])), Connection, { ...ledger, query })
      const adopted = yield* Effect.forkChild(adopting)
      yield* until(Effect.sync(() => asked.length > 0))
      yield* Deferred.succeed(answer, undefined)
      yield* Fiber.join(adopted)
      // It went on; waiting for the answer, it would have had the lane in the end.
      assert.deepStrictEqual(asked, ["open intents"])
      assert.deepInclude(yield* Fiber.join(applying), { optedOut: 2, errors: [] })
    }).pipe(timed)
  )

  it.effect("taken over dates what was left half done when it is taken over, not when it was found (L7, L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* world.says("STOP", listerOne, person(1))
      const ledger = yield* Connection
      const began = yield* Clock.currentTimeMillis
      const [found, ended] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
      // What it finds is on its way, and when it goes on that has ended.
      const query: Connection["Service"]["query"] = (operation, run) =>
        Effect.tap(ledger.query(operation, run), () =>
          operation === "open intents"
            ? Effect.andThen(Deferred.succeed(found, undefined), Deferred.await(ended))
            : Effect.void
        )
      const adopting = Effect.provideService(world.run(adoptAll([world.asking])), Connection, { ...ledger, query })
      let adopted: Fiber.Fiber<void, LedgerError> | undefined
      world.asker.onRequest = () =>
        Effect.gen(function* () {
          if (adopted !== undefined) return
          adopted = yield* Effect.forkDetach(adopting)
          yield* Deferred.await(found)
          yield* pass("1 minute")
        })
      // The provider has done it, and the database is away for a moment.
      const transaction: Connection["Service"]["transaction"] = (operation, self) =>
        operation === "end writes" || operation === "while held"
          ? Effect.fail(new LedgerError({ kind: "unreachable", operation, detail: "Connection terminated" }))
          : ledger.transaction(operation, self)
      yield* Effect.flip(
        Effect.provideService(world.run(applyTo(world.asking, everything)), Connection, { ...ledger, transaction })
      )
      yield* Deferred.succeed(ended, undefined)
      yield* Fiber.join(adopted!)
      const view = (yield* viewOf(senderOf(world.asking, askerOne)!, person(1)))!.view
      assert.deepStrictEqual(view.written, { state: "opted-out", begunAt: began, endedAt: began + 60_000 })
    }).pipe(timed)
  )

  it.effect("is let go however its use ends", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const uses: ReadonlyArray<Effect.Effect<unknown, string>> = [
        Effect.void,
        Effect.fail("no"),
        Effect.die("dead"),
        Effect.interrupt
      ]
      for (const use of uses) yield* Effect.exit(world.run(withLane("let go", () => use)))
      const lane = yield* claimLane("let go", "next", yield* Clock.currentTimeMillis, leaseMs)
      assert.strictEqual(lane?.epoch, 5)
    }).pipe(timed)
  )
})
