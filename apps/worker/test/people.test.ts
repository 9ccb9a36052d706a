/** People from the customer's own database: read only, a page at a time, and whom a provider blocks among them is found. */
import { readFile, writeFile } from "node:fs/promises"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Redacted, Stream } from "effect"
import { peopleInQuery } from "../src/people/query.ts"
import { startWorker } from "./worker.ts"
import {
  azure,
  azureHolds,
  azureSenders,
  eventually,
  lastRound,
  locksHere,
  makeWorld,
  ringcentralHolds,
  roundAfter,
  shortCode,
  tenDlc,
  type World
} from "./world.ts"

const customers = ({ sql }: World, ...rows: ReadonlyArray<readonly [string | null, string?]>) =>
  Effect.gen(function* () {
    yield* sql("create table customer (id int generated always as identity, phone text, texted timestamptz)")
    for (const [phone, texted] of rows)
      yield* sql("insert into customer (phone, texted) values ($1, $2)", [phone, texted])
  })

const ask = ({ databaseUrl }: World, text: string, country?: "US") =>
  peopleInQuery({ url: Redacted.make(databaseUrl), text }, country)

const all = (world: World, text: string, country?: "US") => Stream.runCollect(ask(world, text, country))

describe.concurrent("a query of people", () => {
  it.live("gives numbers as they are written, when they were texted last, and names by row what is none", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* customers(
        world,
        ["+14255550123", "2026-05-04T10:11:12Z"],
        ["(415) 555-0124"],
        ["nobody@example.com", "2026-05-04T10:11:12Z"],
        [null],
        ["1 415 555 0126"]
      )
      expect(yield* all(world, "select phone, texted from customer order by id", "US")).toEqual([
        { row: 1, recipient: "+14255550123", textedAt: Date.UTC(2026, 4, 4, 10, 11, 12) },
        { row: 2, recipient: "+14155550124" },
        { row: 3, unreadable: "nobo•••.com" },
        { row: 4, unreadable: "nothing" },
        { row: 5, recipient: "+14155550126" }
      ])
      // A number as a number, and a moment as a text.
      expect(yield* all(world, "select 14155550126::bigint, '2026-05-04T10:11:12.000Z'")).toEqual([
        { row: 1, recipient: "+14155550126", textedAt: Date.UTC(2026, 4, 4, 10, 11, 12) }
      ])
    })
  )

  it.live("is read as far as anybody wants it, and no further", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const text = "select 14250000000 + n, pg_advisory_xact_lock(n) from generate_series(1, 5000) n"
      const held = world.sql<{ most: number }>(
        `select coalesce(max(objid), 0)::int as most from ${locksHere} and locktype = 'advisory' and objsubid = 1 and classid = 0 and objid <= 5000`
      )
      const first = yield* Stream.runHead(ask(world, text))
      expect(first).toMatchObject({ value: { row: 1, recipient: "+14250000001" } })
      let seen = 0
      let most = 0
      yield* Stream.runForEach(ask(world, text), () =>
        Effect.gen(function* () {
          seen += 1
          if (seen === 1) most = (yield* held)[0]?.most ?? 0
        })
      )
      expect(seen).toBe(5_000)
      // While the first row was looked at, the database had given at most a few pages.
      expect(most).toBeGreaterThan(0)
      expect(most).toBeLessThan(4_000)
      yield* eventually(
        "the connection is closed",
        Effect.map(held, ([row]) => row?.most === 0)
      )
    })
  )

  const refused: ReadonlyArray<readonly [string, string, string]> = [
    ["writes", "insert into customer (phone) values ('+14255550199') returning phone", "25006"],
    ["writes on the side", "with w as (delete from customer returning phone) select phone from w", "25006"],
    ["is two statements", "commit; delete from customer", "42601"],
    ["is none", "selekt phone", "42601"],
    ["fails at a row", "select (phone::text || 'x')::bigint from customer", "22P02"]
  ]
  for (const [what, text, code] of refused) {
    it.live(`that ${what} fails, changes nothing, and says no number`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        yield* customers(world, ["+14255550123"])
        const error = yield* Effect.flip(all(world, text))
        expect(error.message).toBe(`the query of people failed (${code})`)
        expect(yield* world.sql("select phone from customer")).toEqual([{ phone: "+14255550123" }])
      })
    )
  }

  it.live("on a database that does not answer says so, without its URL", () =>
    Effect.gen(function* () {
      const url = Redacted.make("postgres://someone:hunter2@127.0.0.1:1/none")
      const error = yield* Effect.flip(Stream.runCollect(peopleInQuery({ url, text: "select 1" }, undefined)))
      expect(error.message).toBe("the database of people cannot be reached (ECONNREFUSED)")
    })
  )
})

const rest = `schedule: { every: 200 millis }
people:
  database: { url: { env: CRM_URL }, query: "select phone, texted from customer order by id" }
  country: US`

describe.concurrent("a worker that is told of people", () => {
  it.live("finds who opted out where nobody listened, and carries it (L2, L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest })
      const [person = "", other = ""] = world.sandbox.people
      yield* customers(world, [person, "2026-05-04T10:11:12Z"], ["no number at all"], [other])
      yield* world.sandbox.edit({ account: azure, sender: tenDlc, action: "opt-out", recipients: [person] })
      const worker = yield* startWorker({ ...world, environment: { ...world.environment, CRM_URL: world.databaseUrl } })
      for (const sender of azureSenders) yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
      yield* eventually("RingCentral holds it", ringcentralHolds(world, person))
      expect(yield* azureHolds(world, shortCode, other)).toBe(false)
      const runs = yield* world.sql<{ outcome: string; counts: object }>(
        "select outcome, counts from run where kind = 'people'"
      )
      expect(runs).toMatchObject([
        {
          outcome: "completed",
          counts: { read: 2, fresh: 6, unreadable: 1, examples: [{ row: 2, text: "no n••• all" }] }
        }
      ])
      expect(worker.logged.join("\n")).not.toContain("no number at all")
      expect(worker.logged.join("\n")).not.toContain(person.slice(1))
    })
  )

  it.live("asks about no more of them in an hour than it may", () =>
    Effect.gen(function* () {
      const hourly = rest.replace("every: 200 millis", "every: 200 millis, sweepPerHour: 7")
      const world = yield* makeWorld({ rest: hourly })
      yield* customers(world, ...world.sandbox.people.slice(0, 20).map((person) => [person] as const))
      yield* startWorker({ ...world, environment: { ...world.environment, CRM_URL: world.databaseUrl } })
      const asked = Effect.map(world.sandbox.log(azure), (log) =>
        log.reduce((sum, { count, operation }) => sum + (operation === "check" ? count : 0), 0)
      )
      yield* eventually(
        "seven pairs are asked about",
        Effect.map(asked, (count) => count >= 7)
      )
      for (let more = 0; more < 3; more++) yield* roundAfter(world, yield* lastRound(world))
      expect(yield* asked).toBe(7)
    })
  )

  const started = (world: World) =>
    startWorker({ ...world, environment: { ...world.environment, CRM_URL: world.databaseUrl } })
  const gathered = ({ sql }: World) =>
    Effect.map(sql("select from run where kind = 'people' and outcome = 'completed'"), (runs) => runs.length)
  const edit = ({ file }: World, change: (text: string) => string) =>
    Effect.promise(async () => writeFile(file, change(await readFile(file, "utf8"))))

  it.live("reads them as often as the configuration says now, and once more when it says another country", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: `${rest}\n  every: 30 days` })
      yield* customers(world, ["(415) 555-0124"])
      const gatheredBy = (count: number) =>
        eventually(
          `${count} times`,
          Effect.map(gathered(world), (runs) => runs >= count)
        )
      const first = yield* started(world)
      yield* gatheredBy(1)
      yield* first.stop
      yield* (yield* started(world)).stop
      expect(yield* gathered(world)).toBe(1)
      yield* edit(world, (text) => text.replace("country: US", "country: CA"))
      const third = yield* started(world)
      yield* gatheredBy(2)
      yield* third.stop
      yield* edit(world, (text) => text.replace("every: 30 days", "every: 1 second"))
      yield* started(world)
      yield* gatheredBy(4)
    })
  )

  it.live("asks about them for a sender that joins, at once (L2, L10)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest })
      const [person = ""] = world.sandbox.people
      yield* customers(world, [person])
      yield* edit(world, (text) => text.replace(`,"${shortCode}"`, ""))
      const first = yield* started(world)
      yield* eventually(
        "they are read",
        Effect.map(gathered(world), (runs) => runs === 1)
      )
      yield* first.stop
      yield* edit(world, (text) => text.replace(`"${tenDlc}"]`, `"${tenDlc}","${shortCode}"]`))
      yield* world.sandbox.edit({ account: azure, sender: shortCode, action: "opt-out", recipients: [person] })
      yield* started(world)
      yield* eventually("what it holds is carried", azureHolds(world, tenDlc, person))
    })
  )

  it.live("and cannot read them goes on without, and says why", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest })
      const worker = yield* startWorker({ ...world, environment: { ...world.environment, CRM_URL: world.databaseUrl } })
      yield* eventually(
        "it is said",
        Effect.sync(() => worker.logged.some((line) => line.includes("the query of people failed (42P01)")))
      )
      expect(yield* world.sql("select outcome from run where kind = 'people'")).toEqual([{ outcome: "failed" }])
    })
  )

  it.live("does not start when their database is not named in the environment", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest })
      const error = yield* Effect.flip(startWorker(world))
      expect(error.message).toMatch(/people\.database\.url: the environment variable CRM_URL is not set/)
    })
  )
})
