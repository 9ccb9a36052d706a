/** A backfill by two workers, of which the one that reads is killed. */
import { describe, expect, it } from "@effect/vitest"
import { readFile, writeFile } from "node:fs/promises"
import { freePort } from "@stopline/ledger"
import { Effect } from "effect"
import { azure, dueDone, eventually, makeWorld, ringcentral, tenDlc, type World } from "../../worker/test/world.ts"
import { run, said, signalGroup, start } from "./cli.ts"

const startReader = Effect.fnUntraced(function* (world: World) {
  const worker = yield* start(world, "up", "--role", "worker", "--port", String(yield* freePort))
  yield* said(worker, "Stopline is ready")
  return worker
})

const rarely = "schedule: { every: 12 hours }"

describe("a backfill on the workers", () => {
  it.live(
    "goes on with the other one, at the page that was stored last, when the one that reads is killed (L1, L12)",
    () =>
      Effect.gen(function* () {
        const world = yield* makeWorld({ rest: rarely, people: 5_100, optedOut: 5_000 })
        const workers = yield* Effect.forEach([1, 2], () => startReader(world))
        const first = world.sql("select from run where kind = 'walk' and outcome = 'completed'")
        yield* eventually(
          "the list was read once",
          Effect.map(first, (rows) => rows.length > 0)
        )
        yield* dueDone(world)
        yield* world.sandbox.fault({ account: ringcentral, kind: "slow", operation: "list", ms: 1_500 })
        const command = yield* start(world, "backfill", "--account", ringcentral, "--on-workers", "--follow")
        const walk = world.sql<{ pages: number; rows: number; finished: boolean; owner: string }>(
          `select pages, rows::int as rows, finished_at is not null as finished, owner
         from walk join lane using (key) join run on run.id = run_id and run.kind = 'backfill'`
        )
        yield* eventually(
          "a page is stored",
          Effect.map(walk, ([row]) => (row?.pages ?? 0) > 0)
        )
        const [before] = yield* walk
        const reader = workers.find(({ child }) => before?.owner.endsWith(`:${child.pid}`))
        expect(reader).toBeDefined()
        if (reader !== undefined) signalGroup(reader.child, "SIGKILL")
        expect((yield* walk)[0]?.finished).toBe(false)
        yield* world.sandbox.clearFaults()

        const told = yield* command.ended
        // 2: what the reading before it found is more than the guard allows, and waits for a person.
        expect(told.code).toBe(2)
        expect(told.out).toContain(`${ringcentral}: read by the workers\n`)
        expect(told.err).toContain(`reading ${ringcentral}: `)
        const [after] = yield* walk
        expect(after).toMatchObject({ pages: 5, rows: 5_000, finished: true })
        expect(after?.owner).not.toBe(before?.owner)
        expect(yield* world.sql("select count(*)::int as runs from run where kind = 'backfill'")).toEqual([{ runs: 1 }])
      }),
    // Until the other one takes over it takes a quarter of a minute, on a machine that has nothing else to do.
    180_000
  )

  it.live("is put on their queue, and takes no file that they do not have", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const queued = yield* run(world, "backfill", "--on-workers")
      expect([queued.code, queued.out]).toEqual([
        0,
        `The workers read contoso, acme. The same command with --follow shows how far they are\n`
      ])
      const jobs = world.sql(
        "select data->>'account' as account from stopline_jobs.job where name = 'backfill' order by 1"
      )
      expect(yield* jobs).toEqual([{ account: "acme" }, { account: "contoso" }])
      const refused = yield* run(world, "backfill", "--on-workers", "--recipients", "people.txt")
      expect(refused.code).toBe(1)
      expect(refused.err).toContain("the workers do not have this file")
    })
  )

  it.live("that finds nobody to ask about, or an account that they do not know, is not said to have read it (L5)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({ rest: rarely })
      yield* startReader(world)
      const follow = (account: string) => run(world, "backfill", "--account", account, "--on-workers", "--follow")
      const blind = yield* follow(azure)
      expect([blind.code, blind.out]).toEqual([
        1,
        expect.stringMatching(/^contoso: not read: it cannot be listed .*as people\n$/)
      ])
      yield* Effect.promise(async () => {
        const text = await readFile(world.file, "utf8")
        const acme = / {2}- name: acme[\s\S]*?(?=\nhttp:)/.exec(text)?.[0] ?? ""
        const another = acme.replace("name: acme", "name: acme-two").replaceAll("+16505550100", "+16505550188")
        await writeFile(world.file, text.replace("\nhttp:", `\n${another}\nhttp:`))
      })
      const unknown = yield* follow("acme-two")
      expect([unknown.code, unknown.out]).toEqual([
        1,
        "acme-two: not read: the workers do not know this account; restart them with the configuration that has it\n"
      ])
      expect(yield* world.sql("select from run where kind = 'backfill'")).toEqual([])
    })
  )

  it.live("of one sender that waits takes nothing from one of the whole account", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const ask = (...args: ReadonlyArray<string>) =>
        run(world, "backfill", "--on-workers", "--account", azure, ...args)
      yield* ask("--sender", tenDlc)
      yield* ask("--sender", tenDlc)
      yield* ask()
      const jobs = yield* world.sql(
        "select data->>'sender' as sender from stopline_jobs.job where name = 'backfill' order by 1"
      )
      expect(jobs).toEqual([{ sender: tenDlc }, { sender: null }])
    })
  )
})
