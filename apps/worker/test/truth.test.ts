/** What a worker says of itself: whether it lives, whether it takes traffic, and its figures. */
import { readFile, writeFile } from "node:fs/promises"
import { describe, expect, it } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { movableClock } from "./clock.ts"
import { readHelp, readSamples } from "./scrape.ts"
import { getJson, getText, scrape } from "./truth.ts"
import { startWorker } from "./worker.ts"
import {
  acmeSender,
  azure,
  azureHolds,
  eventually,
  makeWorld,
  ringcentral,
  tenDlc,
  tollFree,
  type World
} from "./world.ts"

type Pass = Effect.Success<typeof movableClock>["pass"]

const inMovableTime = <A, E, R>(test: (pass: Pass) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(movableClock, ({ clock, pass }) => Effect.provideService(test(pass), Clock.Clock, clock))

const rarely = "schedule: { every: 12 hours }"

const valueOf = (text: string, name: string, labels: Readonly<Record<string, string>> = {}) =>
  readSamples(text).find(
    (sample) => sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
  )?.value

const answers = (world: World, path: string) =>
  Effect.promise(() =>
    fetch(world.url + path).then(
      ({ status }) => status,
      () => undefined
    )
  )

describe.concurrent("/readyz", () => {
  it.live("says no with the reason until the subscriptions have been looked at, and then yes", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ everyAccount: "timeout: 1 second" })
      yield* world.sandbox.fault({ account: ringcentral, kind: "hang", operation: "subscription" })
      const starting = yield* Effect.forkScoped(startWorker(world))
      yield* eventually(
        "the port is open",
        Effect.map(answers(world, "/readyz"), (status) => status !== undefined)
      )
      const { body, status } = yield* getJson(world, "/readyz")
      expect([status, body]).toEqual([503, { ready: false, reasons: [expect.stringContaining("it is starting")] }])
      // It lives all the same.
      expect((yield* getJson(world, "/healthz")).status).toBe(200)
      yield* world.sandbox.clearFaults()
      yield* Fiber.join(starting)
      expect(yield* getJson(world, "/readyz")).toEqual({ status: 200, body: { ready: true, reasons: [] } })
    })
  )

  it.live("says no while the ledger is away, and yes again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      yield* world.cut
      const { body, status } = yield* getJson(world, "/readyz")
      expect([status, body.reasons]).toEqual([503, [expect.stringContaining("the ledger does not answer")]])
      yield* world.mend
      yield* eventually(
        "it is ready",
        Effect.map(answers(world, "/readyz"), (status) => status === 200)
      )
    })
  )

  it.live("says no to new traffic while it is being stopped, and what comes is still taken", () =>
    inMovableTime((pass) =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ rest: rarely })
        const config = yield* Effect.promise(() => readFile(world.file, "utf8"))
        const draining = config.replace("http: {", "http: { drain: 1 hour,")
        yield* Effect.promise(() => writeFile(world.file, draining))
        const worker = yield* startWorker(world)
        const stopping = yield* Effect.forkScoped(worker.stop)
        yield* eventually(
          "it says no",
          Effect.map(answers(world, "/readyz"), (status) => status === 503)
        )
        expect((yield* getJson(world, "/readyz")).body.reasons).toEqual(["it is being stopped"])
        const [person = ""] = world.sandbox.people
        yield* world.sandbox.text({ from: person, to: acmeSender, text: "STOP" })
        yield* eventually("it is carried", azureHolds(world, tenDlc, person))
        yield* pass("1 hour")
        yield* Fiber.join(stopping)
        expect(yield* answers(world, "/readyz")).toBeUndefined()
      })
    )
  )
})

describe("/healthz", () => {
  it.live("says which account is blind to events, and since when, until all is read", () =>
    inMovableTime((pass) =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ anyDate: true, rest: rarely })
        yield* startWorker(world)
        const gaps = Effect.map(getJson(world, "/healthz"), ({ body }) => body.gaps)
        expect(yield* gaps).toEqual([])
        yield* world.sandbox.fault({ account: ringcentral, kind: "unavailable", operation: "subscription" })
        yield* world.sandbox.blacklist(ringcentral)
        const from = yield* Clock.currentTimeMillis
        const blind = Effect.map(gaps, (found) => found.length > 0)
        yield* eventually(
          "it is blind",
          Effect.tap(blind, (it) => (it ? Effect.void : pass("1 minute"))),
          Infinity
        )
        const [gap] = yield* gaps
        expect(gap.account).toBe(ringcentral)
        expect(Math.abs(Date.parse(gap.since) - from)).toBeLessThan(6 * 60_000)
        // It can subscribe again, but not read what was missed.
        yield* world.sandbox.fault({ account: ringcentral, kind: "unavailable", operation: "list" })
        yield* world.sandbox.clearFaults(ringcentral)
        const seeing = Effect.map(gaps, (found) => found.length === 0)
        yield* eventually(
          "it sees",
          Effect.tap(seeing, (it) => (it ? Effect.void : pass("1 minute"))),
          Infinity
        )
      })
    )
  )
})

describe("/metrics", () => {
  it.live("is Prometheus' text format, and every figure says whose it is", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* startWorker(world)
      const { body, status, type } = yield* getText(world, "/metrics")
      expect([status, type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"])
      const help = readHelp(body)
      const families = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name)
      expect(families.length).toBeGreaterThan(20)
      for (const name of families) {
        expect([name, help.get(name)]).toEqual([name, expect.stringMatching(/the same from every worker|own\.$/)])
      }
      expect(valueOf(body, "stopline_ledger_up")).toBe(1)
    })
  )

  it.live("tells how old the oldest opt-out is that is not held, and counts by the reason what cannot be", () =>
    inMovableTime((pass) =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ anyDate: true, rest: rarely })
        yield* startWorker(world)
        const [person = "", refused = ""] = world.sandbox.people
        const oldest = (text: string, kind: string) =>
          valueOf(text, "stopline_oldest_unheld_optout_seconds", { account: azure, kind })
        const look = Effect.andThen(
          pass("2 minutes"),
          Effect.map(getText(world, "/metrics"), ({ body }) => body)
        )
        expect(oldest(yield* look, "toll-free")).toBe(0)

        yield* world.sandbox.fault({
          account: azure,
          kind: "item-refused",
          operation: "add",
          sender: tenDlc,
          recipient: refused
        })
        yield* world.sandbox.text({ from: refused, to: acmeSender, text: "STOP" })
        yield* eventually("the others hold it", azureHolds(world, tollFree, refused))
        const withheld = (text: string) =>
          valueOf(text, "stopline_withheld_pairs", {
            account: azure,
            kind: "long-code",
            reason: "refused",
            state: "opted-out"
          })
        yield* eventually(
          "it is counted",
          Effect.map(look, (text) => withheld(text) === 1),
          Infinity
        )
        expect(oldest(yield* look, "long-code")).toBe(0)

        yield* world.sandbox.fault({ account: azure, kind: "unavailable", operation: "add", sender: tollFree })
        yield* world.sandbox.text({ from: person, to: acmeSender, text: "STOP" })
        yield* eventually(
          "it is seen",
          Effect.map(look, (text) => (oldest(text, "toll-free") ?? 0) > 0),
          Infinity
        )
        const [first, second] = [oldest(yield* look, "toll-free") ?? 0, oldest(yield* look, "toll-free") ?? 0]
        expect(second - first).toBeGreaterThan(119)
        expect(second - first).toBeLessThan(150)
        expect(
          valueOf(yield* look, "stopline_drift_pairs", { account: azure, kind: "toll-free", state: "opted-out" })
        ).toBe(1)
      })
    )
  )

  it.live("reads the ledger once however many ask, and goes on saying what it knew while the ledger is away", () =>
    inMovableTime((pass) =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ rest: rarely })
        yield* startWorker(world)
        const readAt = Effect.map(getText(world, "/metrics"), ({ body }) =>
          valueOf(body, "stopline_ledger_read_timestamp_seconds")
        )
        yield* pass("2 minutes")
        const all = yield* Effect.all(
          Array.from({ length: 50 }, () => readAt),
          { concurrency: "unbounded" }
        )
        const [first, ...others] = [...new Set(all)]
        expect(others).toEqual([])
        yield* pass("2 minutes")
        const next = yield* readAt
        expect((next ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(119)
        yield* world.cut
        yield* pass("2 minutes")
        const { samples } = yield* scrape(world)
        const find = (name: string) => samples.find((sample) => sample.name === name)?.value
        expect([find("stopline_ledger_up"), find("stopline_ledger_read_timestamp_seconds")]).toEqual([0, next])
      })
    )
  )
})
