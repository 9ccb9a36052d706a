/** Providers give webhooks up, and say nothing any more: that has to be noticed, mended, told and read. */
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { movableClock } from "./clock.ts"
import { startWorker } from "./worker.ts"
import { acmeSender, azure, eventually, listenToAzure, makeWorld, ringcentral, type World } from "./world.ts"

/** Rounds are rare, so that nothing but a gap makes one read. */
const rarely = "schedule: { every: 12 hours }"

const subscriptionOf = ({ sandbox }: World) =>
  Effect.map(sandbox.state(ringcentral), ({ subscriptions }) => subscriptions.map(({ id, status }) => ({ id, status })))

/** Who is blocked at every sender of both providers. */
const heldEverywhere = Effect.fn("heldEverywhere")(function* ({ sandbox }: World) {
  const states = yield* Effect.all([sandbox.state(azure), sandbox.state(ringcentral)])
  const [first = [], ...others] = states.flatMap(({ senders }) => senders.map(({ optedOut }) => optedOut))
  return first.filter((person) => others.every((optedOut) => optedOut.includes(person))).toSorted()
})

const count = (world: World, operation: string) =>
  Effect.map(world.sandbox.log(ringcentral), (log) => log.filter((entry) => entry.operation === operation).length)

const listened = ({ sql }: World) =>
  sql<{ since: Date; until: Date }>(
    "select started_at as since, ended_at as until from run where kind = 'listen' order by id"
  )

const tellsOfGap = ({ said }: Effect.Success<ReturnType<typeof startWorker>>) =>
  Effect.sync(() => said.some(({ event }) => event === "blind"))

type Pass = Effect.Success<typeof movableClock>["pass"]

/** For as long as statements take on a busy machine. Were minutes to pass while one is under way, its lane would be lost. */
const letWork = Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 300)))

/** Minutes go by until it holds. */
const inMinutes = <E, R>(pass: Pass, what: string, holds: Effect.Effect<boolean, E, R>) =>
  eventually(
    what,
    Effect.tap(holds, (held) => (held ? Effect.void : Effect.andThen(pass("1 minute"), letWork))),
    Number.POSITIVE_INFINITY
  )

const inMovableTime = <A, E, R>(test: (pass: Pass) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(movableClock, ({ clock, pass }) => Effect.provideService(test(pass), Clock.Clock, clock))

describe("a webhook that RingCentral has blacklisted", () => {
  it.live(
    "for an hour while 50 people text: afterwards the ledger holds the truth, and says when it was blind (L1, L10)",
    () =>
      inMovableTime((pass) =>
        Effect.gen(function* () {
          const world = yield* makeWorld({ rest: rarely, anyDate: true, people: 60 })
          const { sandbox } = world
          const worker = yield* startWorker(world)
          yield* listenToAzure(world)
          const [first = "", ...people] = sandbox.people
          yield* sandbox.text({ from: first, to: acmeSender, text: "STOP" })
          yield* eventually(
            "an event is carried",
            Effect.map(heldEverywhere(world), (held) => held.includes(first))
          )
          const [before] = yield* subscriptionOf(world)

          // RingCentral is out of order: it gives the webhook up, and takes no other one.
          yield* sandbox.fault({ account: ringcentral, kind: "unavailable", operation: "subscription" })
          yield* sandbox.blacklist(ringcentral)
          const blacklistedAt = yield* Clock.currentTimeMillis
          const crowd = people.slice(0, 50)
          for (const [index, from] of crowd.entries()) {
            yield* pass("72 seconds")
            // RingCentral does not know the law's words: they are on no list of its.
            yield* sandbox.text({ from, to: acmeSender, text: index % 5 === 0 ? "REVOKE" : "STOP" })
          }
          expect(yield* heldEverywhere(world)).toEqual([first])
          expect((yield* subscriptionOf(world)).map(({ status }) => status)).toEqual(["Blacklisted"])
          yield* sandbox.clearFaults()
          const recoveredAt = yield* Clock.currentTimeMillis
          yield* inMinutes(pass, "the gap is told", tellsOfGap(worker))
          yield* eventually(
            "everybody is opted out everywhere",
            Effect.map(heldEverywhere(world), (held) => held.length === 51)
          )
          expect(yield* heldEverywhere(world)).toEqual([first, ...crowd].toSorted())
          const must = yield* world.sql<{ recipient: string }>(
            "select '+' || recipient as recipient from standing where out_at is not null order by 1"
          )
          expect(must.map(({ recipient }) => recipient)).toEqual([first, ...crowd].toSorted())

          const after = yield* subscriptionOf(world)
          expect(after.map(({ status }) => status)).toEqual(["Active"])
          expect(after[0]?.id).not.toBe(before?.id)

          const blind = worker.said.filter(({ event }) => event === "blind")
          expect(blind.map(({ account }) => account)).toEqual([ringcentral])
          const since = Date.parse(String(blind[0]?.["since"]))
          const until = Date.parse(String(blind[0]?.["until"]))
          expect(since).toBeLessThanOrEqual(blacklistedAt)
          expect(until).toBeGreaterThanOrEqual(recoveredAt)
          const times = yield* listened(world)
          expect([times[0]?.until.getTime(), times[1]?.since.getTime()]).toEqual([since, until])
        })
      )
  )

  it.live("is noticed at the next look, without an event or a round", () =>
    inMovableTime((pass) =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ rest: rarely, anyDate: true })
        yield* startWorker(world)
        const [before] = yield* subscriptionOf(world)
        yield* world.sandbox.blacklist(ringcentral)
        yield* pass("4 minutes")
        expect(yield* subscriptionOf(world)).toEqual([{ id: before?.id, status: "Blacklisted" }])
        const lists = yield* count(world, "list")
        yield* pass("1 minute")
        yield* eventually(
          "another one is there",
          Effect.map(subscriptionOf(world), ([now]) => now?.status === "Active" && now.id !== before?.id)
        )
        yield* eventually(
          "the list is read",
          Effect.map(count(world, "list"), (now) => now > lists)
        )
      })
    )
  )
})

describe("an event that is lost and that nobody misses", () => {
  it.live("is found in the texts at the next look, in words that are on no list (L1)", () =>
    inMovableTime((pass) =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ rest: rarely, anyDate: true })
        const worker = yield* startWorker(world)
        const [person = ""] = world.sandbox.people
        yield* world.sandbox.fault({ account: ringcentral, kind: "lost-events", times: 1 })
        yield* world.sandbox.text({ from: person, to: acmeSender, text: "REVOKE" })
        expect(yield* heldEverywhere(world)).toEqual([])
        yield* pass("5 minutes")
        yield* eventually(
          "it is held everywhere",
          Effect.map(heldEverywhere(world), (held) => held.includes(person))
        )
        // The subscription was in order all the time.
        expect(yield* tellsOfGap(worker)).toBe(false)
      })
    )
  )
})

describe("a WebSocket", () => {
  it.live("brings events to a worker that nobody can reach, and what is lost with it is read (L1, L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely, websocket: true })
      const { sandbox } = world
      const worker = yield* startWorker(world)
      const [first = "", second = "", third = ""] = sandbox.people
      const holds = (person: string) => Effect.map(heldEverywhere(world), (held) => held.includes(person))
      yield* eventually(
        "it listens",
        Effect.map(listened(world), (times) => times.length === 1)
      )
      expect(yield* subscriptionOf(world)).toEqual([])
      yield* sandbox.text({ from: first, to: acmeSender, text: "STOP" })
      yield* eventually("an event is carried", holds(first))

      // Nobody is connected, and the next connection is refused for a while.
      yield* sandbox.fault({ account: ringcentral, kind: "unavailable", operation: "subscribe", times: 1 })
      expect(yield* sandbox.hangUp(ringcentral)).toEqual({ hungUp: 1 })
      yield* sandbox.text({ from: second, to: acmeSender, text: "revoke" })
      yield* eventually("the gap is told", tellsOfGap(worker))
      yield* eventually("what was lost is carried", holds(second))
      yield* sandbox.text({ from: third, to: acmeSender, text: "STOP" })
      yield* eventually("events come again", holds(third))
    })
  )

  it.live("whose event could not be stored is given up, and everything is read (L1)", () =>
    inMovableTime((pass) =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ rest: rarely, websocket: true, anyDate: true })
        const worker = yield* startWorker(world)
        yield* eventually(
          "it listens",
          Effect.map(listened(world), (times) => times.length === 1)
        )
        yield* world.cut
        const [person = ""] = world.sandbox.people
        yield* world.sandbox.text({ from: person, to: acmeSender, text: "revoke" })
        yield* eventually(
          "it is not stored",
          Effect.sync(() => worker.logged.some((line) => line.includes("events do not come")))
        )
        yield* world.mend
        // The lane could not be given back; it is free when its lease has run out.
        yield* inMinutes(pass, "the gap is told", tellsOfGap(worker))
        yield* eventually(
          "it is carried",
          Effect.map(heldEverywhere(world), (held) => held.includes(person))
        )
      })
    )
  )
})

describe("a login", () => {
  it.live("waits at a gate that all processes share (L15)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely })
      yield* startWorker(world)
      const gates = yield* world.sql<{ key: string }>("select key from pace where key like 'ringcentral/%/auth'")
      expect(gates.length).toBe(1)
      expect(yield* count(world, "token")).toBe(1)
    })
  )
})

describe("a subscription", () => {
  it.live("that is looked at again and again is one time of listening; each start begins another", () =>
    inMovableTime((pass) =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ rest: rarely, anyDate: true })
        const worker = yield* startWorker(world)
        const looks = yield* count(world, "subscription")
        yield* inMinutes(
          pass,
          "three looks",
          Effect.map(count(world, "subscription"), (now) => now >= looks + 3)
        )
        const one = yield* listened(world)
        expect(one.length).toBe(1)
        yield* worker.stop
        yield* pass("3 minutes")
        const again = yield* startWorker(world)
        expect((yield* listened(world)).length).toBe(2)
        expect(again.said.filter(({ event }) => event === "blind").length).toBe(1)
      })
    )
  )

  it.live("is prolonged as soon as RingCentral says that it ends", () =>
    inMovableTime((pass) =>
      Effect.gen(function* () {
        // No look of its own in the time of the test: only the reminder can make one.
        const world = yield* makeWorld({ rest: "schedule: { every: 5000 days, listen: 5000 days }" })
        yield* startWorker(world)
        const [before] = yield* subscriptionOf(world)
        const looks = yield* count(world, "subscription")
        // Ten years less three days: when the reminder was asked for.
        yield* pass(`${3650 - 3} days`)
        yield* eventually(
          "it is prolonged",
          Effect.map(count(world, "subscription"), (now) => now >= looks + 2)
        )
        yield* pass("4 days")
        expect(yield* subscriptionOf(world)).toEqual([before])
      })
    )
  )

  it.live("that brought an event which could not be stored is not trusted until everything was read (L1)", () =>
    inMovableTime((pass) =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ rest: rarely, anyDate: true })
        const { sandbox } = world
        const worker = yield* startWorker(world)
        yield* world.cut
        const [person = ""] = sandbox.people
        yield* sandbox.text({ from: person, to: acmeSender, text: "REVOKE" })
        yield* eventually(
          "the worker refuses it",
          Effect.sync(() => worker.logged.some((line) => line.includes("could not be stored")))
        )
        yield* world.mend
        yield* inMinutes(pass, "the gap is told", tellsOfGap(worker))
        yield* eventually(
          "it is read and carried",
          Effect.map(heldEverywhere(world), (held) => held.includes(person))
        )
      })
    )
  )
})

describe("a provider that makes the first look at its webhook wait", () => {
  it.live("keeps no worker from being ready, and no other account from being read (L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: "schedule: { every: 200 millis }" })
      for (const operation of ["subscription", "subscribe"] as const) {
        yield* world.sandbox.fault({
          account: ringcentral,
          kind: "throttle",
          operation,
          form: "seconds",
          retryAfter: 600
        })
      }
      // Its own account waits for as long as it has to, and what is due there with it.
      yield* Effect.forkScoped(Effect.exit(startWorker(world)))
      yield* eventually(
        "it is ready",
        Effect.promise(() =>
          fetch(`${world.url}/readyz`).then(
            ({ ok }) => ok,
            () => false
          )
        )
      )
      yield* eventually(
        "Azure is asked",
        Effect.map(world.sql("select from run where kind = 'sweep' limit 1"), (sweeps) => sweeps.length > 0)
      )
    })
  )
})
