/** The people of the configuration: a backfill asks about them, and doctor says how much is known and how old it is. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { azure, azureSenders, eventually, makeWorld, tenDlc, type World } from "../../worker/test/world.ts"
import { json, put, run, start } from "./cli.ts"

const withPeople = Effect.fnUntraced(function* (...rows: ReadonlyArray<string>) {
  const world = yield* makeWorld({ rest: "schedule: { every: 1 hour }\npeople: { file: everybody.txt }" })
  yield* put(world, "everybody.txt", [...world.sandbox.people.slice(0, 3), ...rows].join("\n"))
  return world
})

const doctor = (world: World) => Effect.map(run(world, "doctor"), ({ out }) => out.split("\n"))

describe.concurrent("the people of the configuration", () => {
  it.live("are asked about by a backfill that names no others", () =>
    Effect.gen(function* () {
      const world = yield* withPeople("nobody", "2025550123")
      const told = yield* run(world, "backfill", "--account", azure)
      expect([told.code, told.out.trimEnd().split("\n")]).toEqual([
        2,
        [
          `${azure}: asked about 9 pairs, 0 new`,
          "line 4: n••• is no phone number; left out",
          "line 5: 20•••23 (needs its + and calling code, or its country: --country US, in the configuration country: US) is no phone number; left out"
        ]
      ])
      const lines = yield* doctor(world)
      for (const sender of azureSenders) {
        const line = lines.find((text) => text.trim().startsWith(sender))
        expect(line).toMatch(/3 people known, 3 asked about in the last day, stalest 20\d\d-\S+ \S+Z$/)
      }
    })
  )

  it.live("a row whose first cell is empty is told of, and an empty row is none", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [person = "", other = ""] = world.sandbox.people
      yield* put(world, "people.csv", ["phone,name", person, `,${other}`, ' ;;""', ",,"].join("\n"))
      const told = yield* run(world, "backfill", "--account", azure, "--sender", tenDlc, "--recipients", "people.csv")
      expect([told.code, told.out.trimEnd().split("\n")]).toEqual([
        2,
        [`${azure}: asked about 1 pair, 0 new`, "line 3: nothing is no phone number; left out"]
      ])
    })
  )

  it.live("are read by a worker; doctor says what became of the list, and who was never asked about", () =>
    Effect.gen(function* () {
      const world = yield* withPeople("nobody")
      const worker = yield* start(world, "up")
      yield* eventually(
        "the list is read",
        Effect.map(
          world.sql("select 1 from run where kind = 'people' and ended_at is not null"),
          (rows) => rows.length === 1
        )
      )
      worker.child.kill("SIGTERM")
      yield* worker.ended
      // One more becomes known, of whom nobody is left to ask.
      yield* world.sql(
        "insert into view (sender_id, recipient, read_at, asked_at) select id, 14255559999, '-infinity', '-infinity' from sender where address = $1",
        [tenDlc]
      )
      const lines = yield* doctor(world)
      expect(lines.find((text) => text.trim().startsWith(tenDlc))).toMatch(
        /4 people known, [0-3] asked about in the last day, stalest never, [1-4] never answered for$/
      )
      expect(lines.join("\n")).toMatch(
        /people: 3 read at \S+ \S+Z \(completed\), 1 row not understood\n {2}row 4: n••• is no phone number/
      )
      expect(json(yield* run(world, "doctor", "--json")).people).toMatchObject({ read: 3, fresh: 9, unreadable: 1 })
    })
  )
})
