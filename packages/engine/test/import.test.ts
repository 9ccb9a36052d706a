import { assert, layer } from "@effect/vitest"
import {
  type EverySender,
  everySender,
  type Interval,
  point,
  type Recipient,
  type SenderAddress
} from "@stopline/consent"
import { importOptOuts, type OptOutRow, Progress, type Station, type Step } from "@stopline/engine"
import { Connection, history, register } from "@stopline/ledger"
import { Clock, Effect, Stream } from "effect"
import { sql } from "kysely"
import { ledgerForTest } from "../../../test/database.ts"
import {
  asker,
  askerOne,
  askerTwo,
  lister,
  listerOne,
  listerTwo,
  makeWorld,
  pass,
  people,
  person,
  standings,
  testSettings,
  timed,
  type World
} from "./world.ts"

const one = person(1)

const at = ({ account }: Station, sender: SenderAddress | EverySender = everySender) => [{ account, sender }]

const rowsOf = (
  recipients: ReadonlyArray<Recipient>,
  places: OptOutRow["places"],
  time?: Interval
): ReadonlyArray<OptOutRow> =>
  recipients.map((recipient) => ({ recipient, places, ...(time !== undefined && { time }) }))

const imported = (world: World, rows: ReadonlyArray<OptOutRow>, source = "list-1") =>
  world.run(
    importOptOuts({
      name: "list.csv",
      source,
      startedBy: "ann",
      rows: Stream.fromIterable(rows),
      rowCount: rows.length
    })
  )

const runs = Effect.gen(function* () {
  const { query } = yield* Connection
  const { rows } = yield* query("test", (db) =>
    sql<{ outcome: string | null; counts: unknown; stored: number }>`
      select r.outcome, r.counts, (select count(*) from observation o where o.run_id = r.id) as stored
      from run r where kind = 'import' order by id`.execute(db)
  )
  return rows
})

const must = (sender: SenderAddress, recipient = one) =>
  Effect.map(standings(recipient), (held) => held[sender]?.split(" ")[0])

layer(ledgerForTest, { excludeTestServices: true })("an import", (it) => {
  it.effect("into one sender counts for its whole group, and says where it came from (L2, L13)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const now = yield* Clock.currentTimeMillis
      const time = point(now - 5_000)
      const rows = [
        ...rowsOf([one], at(world.listing, listerOne)),
        ...rowsOf([person(2)], at(world.asking, askerTwo), time)
      ]
      assert.deepStrictEqual(yield* imported(world, rows), { rows: 2, news: 2 })
      const known = yield* history(one, "strict")
      const [row] = known.observations
      assert.deepInclude(row, {
        account: lister,
        sender: listerOne,
        state: "opted-out",
        origin: "import",
        basis: "imported",
        notBefore: Number.NEGATIVE_INFINITY,
        notAfter: now
      })
      assert.deepStrictEqual(
        known.standings.map((stand) => [stand.sender, stand.must, stand.because, stand.held]),
        [askerOne, askerTwo, listerOne, listerTwo].map((sender) => [sender, "opted-out", row!.id, null])
      )
      assert.deepInclude((yield* history(person(2), "strict")).observations[0], { account: asker, ...time })
      assert.deepStrictEqual(yield* runs, [
        { outcome: "completed", counts: { rows: 2, news: 2, refused: 0 }, stored: 2 }
      ])
    }).pipe(timed)
  )

  it.effect("for an account counts for every sender it has, and for those it gets (L2)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const one = person(1)
      yield* imported(world, rowsOf([one], [...at(world.listing), ...at(world.asking)]))
      assert.strictEqual((yield* history(one, "strict")).observations.length, 2)
      const newcomer = "+14255550109" as SenderAddress
      const accounts = [
        { name: lister, vendor: "fake", senders: [listerOne, newcomer] },
        { name: asker, vendor: "fake", senders: [askerOne] }
      ]
      const alone = (account: typeof lister, sender: SenderAddress) => ({
        name: sender,
        members: [{ account, sender }]
      })
      yield* register(
        accounts,
        [alone(lister, listerOne), alone(lister, newcomer), alone(asker, askerOne)],
        "strict",
        yield* Clock.currentTimeMillis
      )
      for (const sender of [listerOne, newcomer, askerOne]) assert.strictEqual(yield* must(sender), "opted-out")
    }).pipe(timed)
  )

  it.effect("of the same list again is no news, also where a row stands twice (L11)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const time = point((yield* Clock.currentTimeMillis) - 5_000)
      const everywhere = [...at(world.listing), ...at(world.asking)]
      const rows = [
        ...rowsOf(people(3), everywhere),
        ...rowsOf([one], everywhere),
        ...rowsOf(people(3, 10), everywhere, time)
      ]
      assert.deepStrictEqual(yield* imported(world, rows), { rows: 7, news: 6 })
      yield* pass("1 day")
      assert.deepStrictEqual(yield* imported(world, rows), { rows: 7, news: 0 })
      assert.deepStrictEqual(
        (yield* runs).map(({ stored }) => stored),
        [12, 0]
      )
      // Rows with a time are known in any list.
      assert.strictEqual((yield* imported(world, rows, "list-2")).news, 3)
      // What was said to one sender may count for another group than what was said to all of them.
      assert.strictEqual(
        (yield* imported(world, rowsOf([one, person(10)], at(world.listing, listerTwo), time))).news,
        2
      )
      assert.strictEqual((yield* imported(world, rowsOf([one], at(world.listing, listerTwo)))).news, 1)
    }).pipe(timed)
  )

  it.effect(
    "of the same list does not undo a START said since; a later list does, since nobody knows the order (L4)",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const rows = rowsOf([one], at(world.listing, listerOne))
        yield* imported(world, rows)
        yield* pass("1 minute")
        yield* world.says("START", listerOne, one)
        const started = yield* Clock.currentTimeMillis
        yield* pass("1 minute")
        yield* imported(world, rows)
        yield* imported(world, rowsOf([one], at(world.listing, listerOne), point(started - 1)), "list-2")
        assert.strictEqual(yield* must(listerOne), "opted-in")
        yield* imported(world, rows, "list-2")
        assert.strictEqual(yield* must(listerOne), "opted-out")
      }).pipe(timed)
  )

  it.effect("that breaks off keeps what it stored, and goes on from there (L1, L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const rows = rowsOf(people(2_500), at(world.listing, listerOne))
      const broken = {
        name: "list.csv",
        source: "list-1",
        startedBy: "ann",
        rows: Stream.concat(Stream.fromIterable(rows.slice(0, 1_200)), Stream.fail("cut off" as const))
      }
      assert.strictEqual(yield* Effect.flip(world.run(importOptOuts(broken))), "cut off")
      assert.deepStrictEqual(yield* runs, [{ outcome: null, counts: null, stored: 1_200 }])
      const steps: Array<Step> = []
      const listen = Effect.provideService(Progress, (step: Step) => Effect.sync(() => void steps.push(step)))
      assert.deepStrictEqual(yield* listen(imported(world, rows)), { rows: 2_500, news: 1_300 })
      assert.deepStrictEqual(
        steps.map((step) => `${step.kind} ${step.account} ${step.done}/${step.total} ${step.unit}`),
        ["import list.csv 1000/2500 rows", "import list.csv 2000/2500 rows", "import list.csv 2500/2500 rows"]
      )
      assert.strictEqual(yield* must(askerTwo, person(2_500)), "opted-out")
    }).pipe(timed)
  )

  it.effect("in bulk waits for a person to look at the plan (L8)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        settings: { guard: { ...testSettings.guard, optOuts: { count: 2, share: 0 } } }
      })
      yield* imported(world, rowsOf(people(3), at(world.listing, listerOne)))
      const halted = yield* world.round({ read: false })
      assert.strictEqual(halted.outcome, "halted")
      assert.isFalse(world.asker.holds(askerOne, one))
      yield* world.round({ read: false, approve: halted.plan.digest })
      assert.isTrue(world.asker.holds(askerOne, one))
      assert.isTrue(world.lister.holds(listerTwo, one))
    }).pipe(timed)
  )

  it.effect("an opt-out of today counts again when a later list tells it after a START of today (L1, L4)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const day = 24 * 3_600_000
      const now = yield* Clock.currentTimeMillis
      const midnight = now - (now % day)
      const rows = rowsOf([one], at(world.listing, listerOne), { notBefore: midnight, notAfter: midnight + day - 1 })
      const read = (source: string) =>
        world.run(importOptOuts({ name: source, source, startedBy: "ann", rows: Stream.fromIterable(rows) }))
      yield* read("first")
      assert.strictEqual((yield* read("first")).news, 0)
      yield* pass("1 hour")
      yield* world.says("START", listerOne, one)
      yield* pass("1 hour")
      assert.strictEqual((yield* read("second")).news, 1)
      assert.match((yield* standings(one))[listerOne] ?? "", /^opted-out/)
    }).pipe(timed)
  )
})
