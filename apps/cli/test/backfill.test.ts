/** The first reading of all there is, killed in the middle and gone on with. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { maskMistyped } from "@stopline/consent"
import {
  acmeSender,
  azure,
  azureSenders,
  eventually,
  makeWorld,
  ringcentral,
  shortCode,
  tenDlc,
  tollFree,
  type World
} from "../../worker/test/world.ts"
import { json, put, run, signalGroup, start } from "./cli.ts"

const requests = ({ sandbox }: World, account: string, operation: string) =>
  Effect.map(sandbox.log(account), (log) => log.filter((entry) => entry.operation === operation))

describe.concurrent("a backfill that is killed", () => {
  it.live("goes on with the list from the page that was stored last (L1, L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ people: 3_100, optedOut: 3_000 })
      // Slow enough that it cannot be through before it is killed.
      yield* world.sandbox.fault({ account: ringcentral, kind: "slow", operation: "list", ms: 300 })
      const first = yield* start(world, "backfill", "--account", ringcentral)
      const walked = world.sql<{ pages: number; finished: boolean }>(
        "select pages, finished_at is not null as finished from walk"
      )
      yield* eventually(
        "a page is stored",
        Effect.map(walked, ([walk]) => (walk?.pages ?? 0) > 0)
      )
      signalGroup(first.child, "SIGKILL")
      yield* first.ended
      const [stored] = yield* walked
      expect(stored?.finished).toBe(false)
      const pages = stored?.pages ?? 0
      expect(yield* world.sql("select count(*)::int as known from observation")).toEqual([{ known: pages * 1_000 }])
      yield* world.sandbox.clearFaults()
      yield* world.sandbox.clearLog(ringcentral)

      const second = yield* run(world, "backfill", "--account", ringcentral)
      expect([second.code, second.out]).toEqual([
        0,
        `${ringcentral}: read 3000 rows on 3 pages, going on where an earlier run stopped, ${3_000 - pages * 1_000} new\n`
      ])
      const asked = yield* requests(world, ringcentral, "list")
      // The first one asks which API the account has.
      expect(asked.map(({ count }) => count)).toEqual([1, ...Array.from({ length: 3 - pages }, () => 1_000)])
      expect(
        yield* world.sql("select count(*)::int as rows, count(distinct recipient)::int as people from observation")
      ).toEqual([{ rows: 3_000, people: 3_000 }])
      // What a person's first backfill found needs no approval, killed or not.
      const planned = json(yield* run(world, "plan", "--json"))
      expect(planned.changes).toBe(9_000)
      expect(planned.accounts.flatMap(({ halts }: { halts: ReadonlyArray<unknown> }) => halts)).toEqual([])
    })
  )

  it.live("asks nobody twice where there is no list", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ people: 500 })
      const { people } = world.sandbox
      yield* put(world, "people.txt", people.join("\n"))
      yield* world.sandbox.edit({ account: azure, sender: tenDlc, action: "opt-out", recipients: people.slice(0, 7) })
      yield* world.sandbox.fault({ account: azure, kind: "slow", operation: "check", ms: 150 })
      const args = ["backfill", "--account", azure, "--recipients", "people.txt"]
      const first = yield* start(world, ...args)
      const known = world.sql<{ count: number }>("select count(*)::int as count from view")
      yield* eventually(
        "some are asked about",
        Effect.map(known, ([row]) => (row?.count ?? 0) >= 200)
      )
      signalGroup(first.child, "SIGKILL")
      yield* first.ended
      const [before] = yield* known
      yield* world.sandbox.clearFaults()
      yield* world.sandbox.clearLog(azure)

      const second = yield* run(world, ...args)
      expect(second.code).toBe(0)
      const asked = yield* requests(world, azure, "check")
      expect(asked.reduce((sum, { count }) => sum + count, 0)).toBe(1_500 - (before?.count ?? 0))
      expect(asked.every(({ count }) => count <= 100)).toBe(true)
      expect(yield* known).toEqual([{ count: 1_500 }])
      // Seven people, for the two other Azure senders and RingCentral.
      expect(json(yield* run(world, "plan", "--json"))).toMatchObject({ changes: 21 })
    })
  )
})

describe.concurrent("a file of people", () => {
  it.live("is taken as spreadsheets write it; what is no number is told by its line, and the rest is done", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [one = ""] = world.sandbox.people
      yield* world.sandbox.edit({ account: azure, sender: tollFree, action: "opt-out", recipients: [one] })
      const rows = [
        "\uFEFFPhone,Name",
        `${one},Ann`,
        '"(415) 555-0123",Bob',
        "nobody,Eve",
        "",
        "# who left in May",
        "4155550124;Carl",
        "12,Dora",
        "15550100002\tFinn"
      ]
      yield* put(world, "people.csv", rows.join("\r\n"))
      const told = yield* run(world, "backfill", "--account", azure, "--recipients", "people.csv", "--country", "US")
      expect([told.code, told.out.trimEnd().split("\n")]).toEqual([
        2,
        [
          `${azure}: asked about 12 pairs, 1 new`,
          `line 4: ${maskMistyped("nobody")} is no phone number; left out`,
          `line 8: ${maskMistyped("12")} is no phone number; left out`
        ]
      ])
      const asked = yield* world.sql<{ recipient: string }>("select distinct recipient from view order by 1")
      expect(asked.map(({ recipient }) => `+${recipient}`)).toEqual(
        ["+14155550123", "+14155550124", "+15550100002", one].toSorted()
      )
      const again = json(
        yield* run(world, "backfill", "--json", "--account", azure, "--sender", shortCode, "--recipients", "people.csv")
      )
      // Without a country, a number without a plus is read as international: line 7 is none then.
      expect(again.badRows.map(({ line }: { line: number }) => line)).toContain(4)
      expect(again.reports).toMatchObject([{ _tag: "Checked", checks: [{ account: azure }] }])
    })
  )

  it.live("that is missing is said where it is needed, and the rest is read", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ people: 10, optedOut: 4 })
      const told = yield* run(world, "backfill")
      expect(told.code).toBe(2)
      expect(told.out).toContain(`${azure}: cannot be listed`)
      expect(told.out).toContain("--recipients FILE")
      expect(told.out).toContain(`${ringcentral}: read 4 rows on 1 page, 4 new`)
      const one = yield* run(world, "backfill", "--sender", acmeSender)
      expect([one.code, one.out]).toEqual([0, `${ringcentral}/${acmeSender}: read 4 rows on 1 page, 0 new\n`])
      expect(yield* requests(world, azure, "check")).toEqual([])
      expect(azureSenders).toHaveLength(3)
    })
  )
})
