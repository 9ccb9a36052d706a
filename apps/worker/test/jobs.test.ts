/** Several workers on one ledger: who reads, who takes webhooks, and what becomes of the jobs of one that ends. */
import { describe, expect, it } from "@effect/vitest"
import { SenderAddress } from "@stopline/consent"
import { freePort, LedgerUrl } from "@stopline/ledger"
import { Clock, Deferred, Effect, Fiber, Layer, Redacted } from "effect"
import { jobsSchema } from "../src/jobs/boss.ts"
import { Jobs } from "../src/jobs/jobs.ts"
import { movableClock } from "./clock.ts"
import { startWorker } from "./worker.ts"
import {
  acmeSender,
  azure,
  azureHolds,
  azureSenders,
  dueDone,
  eventually,
  listenToAzure,
  makeWorld,
  ringcentral,
  ringcentralHolds,
  tenDlc,
  type World
} from "./world.ts"

const rarely = "schedule: { every: 12 hours }"

const runsOf = ({ sql }: World) =>
  sql<{ kind: string; count: number }>(
    "select kind, count(*)::int as count from run where kind in ('walk', 'sweep') group by 1 order by 1"
  )

const jobsOf = (world: World) =>
  Jobs.layer({ works: false }).pipe(Layer.provide(Layer.succeed(LedgerUrl, Redacted.make(world.databaseUrl))))

describe("a worker", () => {
  it.live("that finds the database away when it begins to work begins as soon as it is back (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely })
      yield* startWorker(world, { role: "web" })
      // Away for its jobs alone, so that it is away at no other moment.
      yield* world.sql(`
        create sequence turned_away;
        create function away() returns trigger language plpgsql as $$
          begin
            perform nextval('turned_away');
            raise exception 'the database system is starting up' using errcode = '57P03';
          end $$;
        create trigger away before insert on ${jobsSchema}.job for each row execute function away()`)
      const starting = yield* Effect.forkScoped(startWorker(world, { role: "worker", port: yield* freePort }))
      const turnedAway = world.sql<{ often: number }>(
        "select case when is_called then last_value::int else 0 end as often from turned_away"
      )
      yield* eventually(
        "it was turned away and came again",
        Effect.map(turnedAway, ([one]) => (one?.often ?? 0) > 1)
      )
      yield* world.sql(`drop trigger away on ${jobsSchema}.job`)
      const worker = yield* Fiber.join(starting)
      expect(worker.logged.filter((line) => line.includes("no job can be done")).length).toBe(1)
      expect((yield* runsOf(world)).map(({ count }) => count)).toEqual([1, 1])
    })
  )
})

describe.concurrent("two workers", () => {
  it.live("read every account once between them", () =>
    Effect.gen(function* () {
      // Nobody listens, so that there is nothing to be read but what is due.
      const world = yield* makeWorld({ rest: rarely, deaf: true })
      const others = [yield* freePort, yield* freePort]
      yield* Effect.all([startWorker(world), ...others.map((port) => startWorker(world, { port }))], {
        concurrency: "unbounded"
      })
      yield* dueDone(world)
      expect(yield* runsOf(world)).toEqual([
        { kind: "sweep", count: 1 },
        { kind: "walk", count: 1 }
      ])
      // Nor does one that comes later read anew what was read just now.
      yield* startWorker(world, { port: yield* freePort })
      yield* dueDone(world)
      expect((yield* runsOf(world)).map(({ count }) => count)).toEqual([1, 1])
    })
  )

  it.live(
    "of which one takes the webhooks and the other does the jobs: a STOP is carried, and only the other reads",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ rest: rarely })
        yield* startWorker(world, { role: "web" })
        yield* listenToAzure(world)
        const [person = "", other = ""] = world.sandbox.people
        yield* world.sandbox.text({ from: person, to: acmeSender, text: "STOP" })
        for (const sender of azureSenders) yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
        expect(yield* world.sql("select from run where kind <> 'listen'")).toEqual([])

        const port = yield* freePort
        yield* startWorker(world, { role: "worker", port })
        expect((yield* runsOf(world)).map(({ count }) => count)).toEqual([1, 1])
        const answers = ["healthz", `webhooks/${azure}`].map((path) =>
          Effect.promise(() => fetch(`http://127.0.0.1:${port}/${path}`).then(({ status }) => status))
        )
        expect(yield* Effect.all(answers)).toEqual([200, 404])

        // What the webhook cannot do by itself is a job.
        yield* world.sandbox.text({ from: other, to: acmeSender, text: "STOP" })
        yield* eventually("Azure holds it", azureHolds(world, tenDlc, other))
        yield* world.sandbox.text({ from: other, to: acmeSender, text: "Start." })
        yield* eventually(
          "RingCentral lets go",
          Effect.map(ringcentralHolds(world, other), (held) => !held)
        )
      })
  )
})

describe.concurrent("a worker", () => {
  it.live("that is told to stop gives back what it was doing, and another one does it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely, deaf: true, people: 3_100, optedOut: 3_000 })
      const first = yield* startWorker(world)
      yield* world.sandbox.fault({ account: ringcentral, kind: "slow", operation: "list", ms: 2_000 })
      const jobs = yield* Layer.build(jobsOf(world))
      yield* Effect.provideContext(
        Effect.flatMap(Jobs, ({ put }) => put("backfill", { account: ringcentral, startedBy: "ann", askedAt: 1 })),
        jobs
      )
      const walk = world.sql<{ pages: number; rows: number; finished: boolean }>(
        "select pages, rows::int as rows, finished_at is not null as finished from walk join run on run.id = run_id and run.kind = 'backfill'"
      )
      yield* eventually(
        "a page is stored",
        Effect.map(walk, ([row]) => (row?.pages ?? 0) > 0)
      )
      yield* first.stop
      expect((yield* walk)[0]?.finished).toBe(false)
      const left = "select state from stopline_jobs.job where name = 'backfill'"
      expect(yield* world.sql(left)).toEqual([{ state: "retry" }])
      expect(yield* world.sql("select from lane where lease_until > now()")).toEqual([])
      expect(first.logged.filter((line) => line.includes("a job failed"))).toEqual([])

      yield* world.sandbox.clearFaults()
      yield* startWorker(world)
      yield* eventually(
        "it is read to its end",
        Effect.map(walk, ([row]) => row?.finished === true)
      )
      // Every page once, in one run.
      expect(yield* walk).toEqual([{ pages: 3, rows: 3_000, finished: true }])
      expect(yield* world.sql("select count(*)::int as runs from run where kind = 'backfill'")).toEqual([{ runs: 1 }])
    })
  )

  it.live("reads a whole account although one of its senders was read since that was asked for (L1)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely, deaf: true })
      yield* startWorker(world)
      const { put } = yield* Effect.provideContext(Jobs, yield* Layer.build(jobsOf(world)))
      const order = { account: ringcentral, startedBy: "ann", askedAt: 1 }
      const read = Effect.map(
        world.sql("select from run where kind = 'backfill' and outcome = 'completed'"),
        (runs) => runs.length
      )
      yield* put("backfill", { ...order, sender: SenderAddress.make(acmeSender) })
      yield* eventually(
        "the sender is read",
        Effect.map(read, (runs) => runs === 1)
      )
      yield* put("backfill", order)
      yield* eventually(
        "the account is read",
        Effect.map(read, (runs) => runs === 2)
      )
      yield* dueDone(world)
      // The same order again finds it done; one of today does not.
      yield* put("backfill", order)
      yield* dueDone(world)
      expect(yield* read).toBe(2)
      yield* put("backfill", { ...order, askedAt: yield* Clock.currentTimeMillis })
      yield* eventually(
        "the account is read again",
        Effect.map(read, (runs) => runs === 3)
      )
    })
  )

  it.live("carries what it finds when it reads a whole account by order, without waiting for a round (L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely, deaf: true })
      yield* startWorker(world)
      yield* dueDone(world)
      const [person = ""] = world.sandbox.people
      const blocked = { account: ringcentral, sender: acmeSender, recipients: [person] }
      yield* world.sandbox.edit({ ...blocked, action: "opt-out" })
      const { put } = yield* Effect.provideContext(Jobs, yield* Layer.build(jobsOf(world)))
      yield* put("backfill", { account: ringcentral, startedBy: "ann", askedAt: 1 })
      yield* eventually("Azure holds it", azureHolds(world, tenDlc, person))
    })
  )

  it.live("that begins takes over what one that died was writing, also where nothing is due to be read (L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely, deaf: true })
      const first = yield* startWorker(world)
      yield* dueDone(world)
      yield* first.stop
      const runs = yield* runsOf(world)
      // An intent without an outcome, for somebody for whom nothing has to be written.
      yield* world.sql(
        `insert into view (sender_id, recipient, read_at, asked_at, intent, written_begun_at, echo_due)
          select id, 15550000001, '-infinity', now(), 'opted-out', now(), true from sender where address = $1`,
        [acmeSender]
      )
      yield* startWorker(world)
      yield* eventually(
        "it is taken over",
        Effect.map(world.sql("select from view where intent is not null"), (open) => open.length === 0)
      )
      expect(yield* runsOf(world)).toEqual(runs)
    })
  )

  it.live("decides anew each minute, though nothing is due to be read (L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely, deaf: true })
      const { clock, pass } = yield* movableClock
      yield* Effect.provideService(startWorker(world), Clock.Clock, clock)
      yield* dueDone(world)
      const runs = yield* runsOf(world)
      const [person = ""] = world.sandbox.people
      // As `attest` and `import` do, it tells nobody.
      yield* world.sql(
        `with said as (
          insert into observation (recipient, account_id, sender_id, group_id, state, origin, basis, reach, not_before, not_after, recorded_at)
          select $2, account_id, id, group_id, 'opted-out', 'operator', 'attested', 'pair', now(), now(), now() from sender where address = $1
          returning *)
        insert into standing (group_id, recipient, out_at, out_because, settled)
        select group_id, recipient, not_after, id, false from said`,
        [acmeSender, person.slice(1)]
      )
      yield* pass("1 minute")
      yield* eventually("Azure holds it", azureHolds(world, tenDlc, person))
      expect(yield* runsOf(world)).toEqual(runs)
    })
  )

  it.live("that halts lets go of nothing that a guard counts, whatever becomes of the halt meanwhile (L8)", () =>
    Effect.gen(function* () {
      const guard = "policy: { guard: { optOuts: { count: 2, share: 0 } } }"
      const world = yield* makeWorld({ rest: `${rarely}\n${guard}`, deaf: true })
      const { people, edit } = world.sandbox
      const recipients = people.slice(0, 5)
      yield* edit({ account: ringcentral, sender: acmeSender, action: "opt-out", recipients })
      yield* startWorker(world)
      // Nothing of it was let through when it was put: whoever clears the halt before its turn has approved nothing.
      const put = world.sql<{ guarded: unknown }>(
        "select data -> 'guarded' as guarded from stopline_jobs.job where name = 'apply' and data ->> 'account' = $1",
        [azure]
      )
      yield* eventually(
        "it is put",
        Effect.map(put, (jobs) => jobs.length > 0)
      )
      for (const { guarded } of yield* put) expect(guarded).toEqual({ "opted-out": 0, "opted-in": 0 })
      expect(yield* world.sql("select kind from halt where cleared_at is null")).toEqual([
        { kind: "too-many-opt-outs" }
      ])
    })
  )

  it.live("says of a sender that it does not know that it was not read (L5)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely, deaf: true })
      yield* startWorker(world)
      const { lastOf, put } = yield* Effect.provideContext(Jobs, yield* Layer.build(jobsOf(world)))
      const order = { account: ringcentral, sender: SenderAddress.make("+16505550199"), startedBy: "ann", askedAt: 1 }
      yield* put("backfill", order)
      yield* eventually(
        "the order is seen to",
        Effect.map(lastOf("backfill", order), (last) => last?.state === "completed")
      )
      expect((yield* lastOf("backfill", order))?.nothing).toContain("do not know this sender")
      expect(yield* world.sql("select from run where kind = 'backfill'")).toEqual([])
    })
  )

  it.live("does not start on the queues of a newer one, and says so", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely })
      const first = yield* startWorker(world)
      yield* first.stop
      yield* world.sql(`update ${jobsSchema}.version set version = version + 1`)
      const error = yield* Effect.flip(startWorker(world))
      expect(error).toMatchObject({ _tag: "LedgerError", kind: "newer" })
      expect(error.message).toContain("newer Stopline")
      yield* world.sql(`update ${jobsSchema}.version set version = version - 1`)
      yield* startWorker(world)
    })
  )

  it.live("gives up a job that cannot be done, says so once, and it is known to have died", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely })
      const worker = yield* startWorker(world)
      yield* world.sandbox.fault({ account: ringcentral, kind: "html-200", operation: "list" })
      const context = yield* Layer.build(jobsOf(world))
      const { deadLetters } = yield* Effect.provideContext(
        Effect.tap(Jobs, ({ put }) => put("backfill", { account: ringcentral, startedBy: "ann", askedAt: 1 })),
        context
      )
      expect(yield* deadLetters).toEqual([])
      // It has been tried a thousand times.
      const last = world.sql("update stopline_jobs.job set retry_limit = 0 where name = 'backfill' returning id")
      expect(yield* last).toHaveLength(1)
      const told = Effect.sync(() => worker.logged.filter((line) => line.includes("a job was given up")))
      yield* eventually(
        "it is told",
        Effect.map(told, (lines) => lines.length > 0)
      )
      expect(yield* deadLetters).toMatchObject([{ queue: "backfill", account: ringcentral }])
      yield* dueDone(world)
      expect(yield* told).toHaveLength(1)
    })
  )
})

describe("queues", () => {
  it.live("are made by however many processes begin at once", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const opened = yield* Effect.forEach([1, 2, 3, 4], () => Layer.build(jobsOf(world)), { concurrency: "unbounded" })
      expect(opened).toHaveLength(4)
      const [one] = opened
      if (one === undefined) return
      const { lastOf, put } = yield* Effect.provideContext(Jobs, one)
      yield* put("read", { account: azure })
      yield* put("read", { account: azure })
      expect(yield* lastOf("read", { account: azure })).toMatchObject({ state: "created" })
      expect(yield* lastOf("read", { account: ringcentral })).toBeUndefined()
      expect(yield* world.sql("select count(*)::int as jobs from stopline_jobs.job")).toEqual([{ jobs: 1 }])
    })
  )

  it.live("have everything decided anew when what was decided could not be carried out", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const context = yield* Layer.build(jobsOf(world))
      const { put, work } = yield* Effect.provideContext(Jobs, context)
      yield* put("apply", { account: azure, changes: 1, guarded: { "opted-out": 1, "opted-in": 0 } })
      yield* work("apply", { atOnce: 1, lookSeconds: 1 }, () => Effect.fail("no"))
      yield* eventually(
        "a reconciliation is put",
        Effect.map(
          world.sql("select from stopline_jobs.job where name = 'reconcile' and state = 'created'"),
          (rows) => rows.length === 1
        )
      )
      const decided = yield* Deferred.make<void>()
      yield* work("reconcile", { atOnce: 1, lookSeconds: 1 }, () =>
        Effect.as(Deferred.succeed(decided, undefined), undefined)
      )
      yield* Deferred.await(decided)
    })
  )
})
