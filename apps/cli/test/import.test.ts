/** Files of people who opted out elsewhere: read as they come, and never believed about an opt-in. */
import { execFile } from "node:child_process"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { mask } from "@stopline/consent"
import {
  acmeSender,
  azure,
  azureHolds,
  azureSenders,
  eventually,
  makeWorld,
  ringcentral,
  shortCode,
  tenDlc,
  type World
} from "../../worker/test/world.ts"
import { compileCache, type Ended, json, program, put, run, signalGroup, start } from "./cli.ts"

const imports = (world: World, lines: ReadonlyArray<string>, ...args: ReadonlyArray<string>) =>
  Effect.andThen(put(world, "optouts.csv", lines.join("\r\n")), run(world, "import", "optouts.csv", ...args))

interface Stored {
  readonly who: string
  readonly at: string
  readonly state: string
  readonly after: string
  readonly before: string
}

const stored = ({ sql }: World) =>
  sql<Stored>(`
    select '+' || o.recipient as who, a.name || '/' || s.address as at, o.state,
      to_char(o.not_before at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS') as after,
      to_char(o.not_after at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS') as before
    from observation o join sender s on s.id = o.sender_id join account a on a.id = o.account_id
    where o.origin = 'import' and o.basis = 'imported' order by o.recipient, o.id`)

const places = (world: World) =>
  Effect.map(stored(world), (rows) => rows.map(({ at, who }) => `${who.slice(-3)} ${at}`))

/** A line for standard output, and what it says of the rows refused. */
const refusals = ({ out }: Ended): ReadonlyArray<string> => out.split("\n").filter((line) => line.startsWith("line "))

const numbers = (count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, n) => `+1555${String(n + 1).padStart(7, "0")}`)

/** What a shell makes of it. */
const piped = ({ environment, folder }: World, line: string): Effect.Effect<Ended> =>
  Effect.callback((resume) => {
    const env = {
      PATH: process.env["PATH"],
      NODE: process.execPath,
      STOPLINE: program,
      ...compileCache,
      ...environment
    }
    execFile("sh", ["-c", line], { cwd: folder, env }, (error, out, err) =>
      resume(Effect.succeed({ code: error === null ? 0 : Number(error.code), out, err }))
    )
  })

describe.concurrent("stopline import", () => {
  it.live("takes a plain list for every sender there is, and apply carries it (L2)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [one = "", two = ""] = world.sandbox.people
      const told = yield* imports(world, ["\uFEFFPhone", one, "", "# since May", `${two};Ann "Ace" Lee`])
      expect([told.code, told.out.trimEnd().split("\n"), told.err]).toEqual([
        0,
        [
          `optouts.csv: stored 2 opt-outs, 2 new, for every sender of ${azure} and every sender of ${ringcentral} where the row names no sender`,
          "`stopline plan` shows what follows; `stopline apply` or the worker carries it, as far as the guards allow."
        ],
        "importing optouts.csv: 2 of 2 rows\n"
      ])
      expect(yield* places(world)).toEqual(
        [one, two].flatMap((who) => [azure, ringcentral].map((account) => `${who.slice(-3)} ${account}/*`))
      )
      expect((yield* run(world, "apply")).code).toBe(0)
      for (const sender of azureSenders) expect(yield* azureHolds(world, sender, two)).toBe(true)
      expect(yield* world.sql("select kind, outcome, counts from run where kind = 'import'")).toEqual([
        { kind: "import", outcome: "completed", counts: { rows: 2, news: 2, refused: 0 } }
      ])
    })
  )

  it.live("reads the columns that a header names, and a time says no more than its digits (L4)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [a = "", b = "", c = "", d = ""] = world.sandbox.people
      const rows = [
        "Name;State;Opted out at;Recipient;Sender",
        `"Doe; Jane";opted-out;2026-01-05T10:00:30Z;${a};${acmeSender}`,
        `Roe;OPTED_OUT;2026-01-05 10:00+01:00;${b};`,
        `Poe;opt-out;2026-01-05;${c};${shortCode}`,
        `Moe;opted out;;${d};`
      ]
      const told = yield* imports(world, rows, "--sender", tenDlc, "--at", "2026-01-04T00:00Z")
      expect([told.code, told.out]).toEqual([0, expect.stringContaining("stored 4 opt-outs, 4 new")])
      expect(told.out).toContain("Not used: Name\n")
      const opted = { state: "opted-out" }
      expect(yield* stored(world)).toEqual(
        [
          {
            ...opted,
            who: a,
            at: `${ringcentral}/${acmeSender}`,
            after: "2026-01-05 10:00:30",
            before: "2026-01-05 10:00:30"
          },
          { ...opted, who: b, at: `${azure}/${tenDlc}`, after: "2026-01-05 09:00:00", before: "2026-01-05 09:00:59" },
          {
            ...opted,
            who: c,
            at: `${azure}/${shortCode}`,
            after: "2026-01-04 10:00:00",
            before: "2026-01-06 11:59:59"
          },
          { ...opted, who: d, at: `${azure}/${tenDlc}`, after: "2026-01-04 00:00:00", before: "2026-01-04 00:00:59" }
        ].toSorted((x, y) => (x.who < y.who ? -1 : 1))
      )
    })
  )

  it.live("refuses rows by their line, shows none of them, does the rest, and opts nobody in (L3, L14)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [a = "", b = "", c = ""] = world.sandbox.people
      const rows = [
        "recipient,opted_out_at,sender,state",
        `${a},,,opted-out`,
        `${b},,,opted-in`,
        `${b},,,`,
        `${b},,,unsubscribed?`,
        "5550123,,,opted-out",
        "",
        `${b},May 5,,opted-out`,
        `${b},2999-01-01,,opted-out`,
        `${b},,${c},opted-out`,
        `${b},,ACME,opted-out`,
        `${b},,,"opted-out`,
        `(415) 555-0123,,,opted-out`
      ]
      const told = yield* imports(world, rows, "--account", azure, "--country", "US")
      expect([told.code, refusals(told)]).toEqual([
        2,
        [
          "line 3: refused: it says opted-in, and a file is never believed to opt anyone in; `stopline attest` is for what a person said",
          "line 4: refused: its state is not opted-out",
          "line 5: refused: its state is not opted-out",
          "line 6: refused: there is no phone number",
          "line 8: refused: opted_out_at is no time; write it with its zone, as 2026-01-05T10:00Z, or 2026-01-05",
          "line 9: refused: opted_out_at lies in the future",
          `line 10: refused: ${mask(c)} is no sender of ${azure}; \`stopline doctor\` lists the senders`,
          "line 11: refused: its sender is neither a phone number nor a short code",
          "line 12: refused: a quote is not closed"
        ]
      ])
      for (const number of [a, b, c, "+5550123", "+14155550123"]) {
        expect(told.out + told.err).not.toContain(number.slice(1))
      }
      expect(told.out).toContain("stored 2 opt-outs, 2 new")
      expect((yield* stored(world)).map(({ who }) => who)).toEqual(["+14155550123", a])
      const again = json(yield* run(world, "import", "optouts.csv", "--json", "--account", azure, "--country", "US"))
      expect([again.rows, again.news, again.refused.length]).toEqual([2, 0, 9])
      expect(again.refused[0]).toEqual({ line: 3, why: expect.stringContaining("opted-in") })
    })
  )

  it.live("takes what begins with a # for a comment only if there is no number behind it", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [a = "", b = ""] = world.sandbox.people
      const orders = ["# orders of May", "Order,Recipient", `#1001,${a}`, `"#1002",${b}`, "# the end", "#1003,"]
      const told = yield* imports(world, orders, "--sender", acmeSender)
      expect([told.code, refusals(told)]).toEqual([2, ["line 6: refused: there is no phone number"]])
      expect((yield* stored(world)).map(({ who }) => who).toSorted()).toEqual([a, b].toSorted())
      const left = yield* imports(world, ["Recipient,Order", `#${a},1001`], "--sender", acmeSender, "--json")
      expect([left.code, json(left).rows]).toEqual([0, 0])
    })
  )

  it.live("makes no stranger's number of one without a country, or of what a spreadsheet adds (L14)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const national = ["2025550123", "(206) 555-0123", "310-555-0123", "555 0123", "2025550123 ext. 5"]
      const told = yield* imports(world, ["recipient", ...national, "4155550123.0", "4915112345678.0", "+4712345678"])
      const why =
        "its number needs its + and calling code, or its country: --country US, in the configuration country: US"
      expect([told.code, refusals(told)]).toEqual([
        2,
        [
          ...national.map((_, index) => `line ${index + 2}: refused: ${why}`),
          "line 7: refused: there is no phone number",
          "line 8: refused: there is no phone number"
        ]
      ])
      expect([...new Set((yield* stored(world)).map(({ who }) => who))]).toEqual(["+4712345678"])
      yield* run(world, "import", "optouts.csv", "--country", "US")
      expect([...new Set((yield* stored(world)).map(({ who }) => who))]).toEqual([
        "+4712345678",
        "+12025550123",
        "+12065550123",
        "+13105550123"
      ])
    })
  )

  it.live("stopped with Ctrl-C goes on with the next run, and then knows it all (L11, L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* put(world, "optouts.csv", numbers(5_000).join("\n"))
      // Slow enough that it cannot be through before it is stopped.
      yield* world.sql(
        "create function slowly() returns trigger language plpgsql as 'begin perform pg_sleep(0.3); return null; end'"
      )
      yield* world.sql(
        "create trigger slowly before insert on observation for each statement execute function slowly()"
      )
      const args = ["import", "optouts.csv", "--sender", acmeSender]
      const first = yield* start(world, ...args)
      const count = Effect.map(
        world.sql<{ rows: number }>("select count(*)::int as rows from observation"),
        ([row]) => row?.rows ?? 0
      )
      yield* eventually(
        "a batch is stored",
        Effect.map(count, (rows) => rows > 0)
      )
      signalGroup(first.child, "SIGINT")
      expect((yield* first.ended).code).toBe(130)
      const before = yield* count
      expect(before % 1_000).toBe(0)
      yield* world.sql("drop trigger slowly on observation")
      const second = json(yield* run(world, ...args, "--json"))
      expect([second.rows, second.news, yield* count]).toEqual([5_000, 5_000 - before, 5_000])
      expect(before).toBeLessThan(5_000)
      expect(json(yield* run(world, ...args, "--json")).news).toBe(0)
      expect(yield* world.sql("select outcome from run where kind = 'import' order by id")).toEqual([
        { outcome: null },
        { outcome: "completed" },
        { outcome: "completed" }
      ])
    })
  )

  it.live("a pipe is no file: what was read of it once to know it would be lost, and is told of", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      yield* put(world, "optouts.csv", numbers(3).join("\n"))
      const cure = "a pipe can be read only once, and this is read twice; write it into a file first"
      for (const command of ["import /dev/stdin", "backfill --recipients /dev/stdin"]) {
        const told = yield* piped(world, `cat optouts.csv | "$NODE" "$STOPLINE" ${command}`)
        expect([told.code, told.out, told.err]).toEqual([1, "", `stopline: /dev/stdin: ${cure}\n`])
      }
      expect(yield* stored(world)).toEqual([])
    })
  )

  it.live("a mistake is told with its cure, and nothing is stored", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const [person = ""] = world.sandbox.people
      yield* put(world, "list.csv", person)
      yield* put(world, "foreign.csv", `Name,Phone\nAnn,${person}`)
      yield* put(world, "twice.csv", `recipient,Recipient\n${person},${person}`)
      const table = [
        [["none.csv"], "none.csv: there is no such file"],
        [["foreign.csv"], "foreign.csv: no column is called recipient; rename the one that holds the phone numbers"],
        [["twice.csv"], "twice.csv: two columns are called recipient"],
        [["list.csv", "--at", "May"], "--at is no time; write it with its zone, as 2026-01-05T10:00Z, or 2026-01-05"],
        [["list.csv", "--at", "2999-01-01"], "--at lies in the future; give the time at which these people opted out"],
        [["list.csv", "--country", "Narnia"], "--country Narnia: expected two letters such as US"],
        [["list.csv", "--account", "x"], `there is no account x; the configuration has ${azure}, ${ringcentral}`],
        [["list.csv", "--sender", "ACME"], "--sender is none; write it as +18005550100, or a short code as 20500"],
        [
          ["list.csv", "--sender", person],
          `${mask(person)} is no sender of ${azure}, ${ringcentral}; \`stopline doctor\` lists the senders`
        ]
      ] as const
      for (const [args, said] of table) {
        const ended = yield* run(world, "import", ...args)
        expect([ended.code, ended.out, ended.err]).toEqual([1, "", `stopline: ${said}\n`])
      }
      expect(yield* stored(world)).toEqual([])
      const help = yield* run(world, "import", "--help")
      expect([help.code, help.out]).toEqual([0, expect.stringContaining("stopline import optouts.csv")])
    })
  )
})
