/** Every command on the page for operators is run here as it stands there, in one long day. */
import { readFile } from "node:fs/promises"
import path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  acmeSender,
  azure,
  azureSenders,
  eventually,
  makeWorld,
  ringcentral,
  tenDlc,
  type World
} from "../../worker/test/world.ts"
import { json, put, run, said, start } from "./cli.ts"
import { commandsIn, install, shell, type } from "./page.ts"

const root = new URL("../../../", import.meta.url).pathname

const page = Effect.promise(() => readFile(path.join(root, "docs/operations.md"), "utf8"))

type Proof = (world: World, line: string) => Effect.Effect<void>

const listedOne = ({ sandbox }: World) =>
  Effect.map(Effect.orDie(sandbox.state(ringcentral)), ({ senders }) => senders[0]?.optedOut[0] ?? "")

const ends = (code: number, ...says: ReadonlyArray<string>): Proof =>
  Effect.fnUntraced(function* (world: World, line: string) {
    const ended = yield* type(world, line)
    expect([line, ended.code, ended.err]).toEqual([line, code, expect.not.stringContaining("stopline:")])
    for (const text of says) expect(ended.out).toContain(text)
  })

const upWords = ["up"]

/** The worker is started as the line before says, and asked how it is. */
const upAndWell: Proof = (world, line) =>
  Effect.scoped(
    Effect.gen(function* () {
      const worker = yield* start(world, ...upWords)
      yield* said(worker, "Stopline is ready")
      const health = Effect.map(type(world, line, { "4000": String(world.port) }), ({ out }) => JSON.parse(out))
      yield* eventually(
        "the first round is over",
        Effect.map(health, ({ lastRound, status }) => status === "ok" && lastRound.completedAt !== undefined)
      )
      worker.child.kill("SIGTERM")
      expect((yield* worker.ended).code).toBe(130)
    })
  )

/** The line is started, gets ready, says how it is, and ends when it is told to. */
const startsAs: Proof = (world, line) =>
  Effect.scoped(
    Effect.gen(function* () {
      const worker = yield* start(world, ...line.split(" ").slice(1))
      yield* said(worker, "Stopline is ready")
      const { out } = yield* type(world, `curl -s http://127.0.0.1:${world.port}/readyz`)
      expect(JSON.parse(out)).toEqual({ ready: true, reasons: [] })
      worker.child.kill("SIGTERM")
      expect((yield* worker.ended).code).toBe(130)
    })
  )

const lift = Effect.fnUntraced(function* (world: World) {
  const recipients = [yield* listedOne(world)]
  yield* Effect.orDie(world.sandbox.edit({ account: azure, sender: tenDlc, action: "opt-in", recipients }))
})

/** A halt with a digest: a colleague put more people on the list than the configuration allows. */
const halt = Effect.fnUntraced(function* (world: World) {
  const { senders } = yield* Effect.orDie(world.sandbox.state(ringcentral))
  const listed = new Set(senders.flatMap(({ optedOut }) => optedOut))
  const recipients = world.sandbox.people.filter((person) => !listed.has(person)).slice(0, 20)
  const edit = { account: ringcentral, sender: acmeSender, action: "opt-out", recipients } as const
  yield* Effect.orDie(world.sandbox.edit(edit))
  expect((yield* run(world, "sync")).code).toBe(2)
  return json(yield* run(world, "resume", "--json")).open[0] as { readonly id: number; readonly digest: string }
})

/** What proves each line, in the order of the page: a line may stand there twice. */
const proofs: ReadonlyArray<readonly [line: string, Proof]> = [
  // The second runs the first.
  ["npm run setup", () => Effect.void],
  [
    "npm run stopline -- --version",
    Effect.fnUntraced(function* (_: World, line: string) {
      const { code, out } = yield* shell(root, {}, line)
      expect([code, out]).toEqual([0, expect.stringMatching(/^stopline v\d+\.\d+\.\d+$/m)])
    })
  ],
  ["stopline doctor", ends(0, "ledger: answers")],
  ["stopline backfill", ends(2, `${ringcentral}: read 10 rows`, `${azure}: cannot be listed`)],
  [
    "stopline backfill --account contoso --recipients contacts.csv --country US",
    Effect.fnUntraced(function* (world: World, line: string) {
      yield* put(world, "contacts.csv", world.sandbox.people.join("\n"))
      yield* ends(0, `${azure}: asked about 180 pairs`)(world, line)
    })
  ],
  ["stopline plan", ends(2, "30 changes, 0 withheld")],
  ["stopline apply", ends(0, `${azure}: wrote 30 opt-outs`)],
  ["stopline plan", ends(0, "Nothing differs")],
  // Runs until it is told to stop: started beside the next line, which asks it.
  ["stopline up", (_, line) => Effect.sync(() => expect(line.split(" ").slice(1)).toEqual(upWords))],
  ["curl -s http://127.0.0.1:4000/healthz", upAndWell],
  [
    "stopline drift",
    Effect.fnUntraced(function* (world: World, line: string) {
      yield* lift(world)
      yield* ends(2, `${azure}/${tenDlc}: 1 pair to be opted-out`)(world, line)
    })
  ],
  [
    "stopline history +15550100001",
    Effect.fnUntraced(function* (world: World, line: string) {
      const { code, out } = yield* type(world, line, { "+15550100001": yield* listedOne(world) })
      expect([code, out]).toEqual([0, expect.stringContaining("must not be texted")])
    })
  ],
  ["stopline sync", ends(0, `${azure}: wrote 1 opt-out`)],
  ["stopline resume", ends(0, "Nothing is halted.")],
  [
    "stopline attest --sender +18005550100 --recipient +15551230001 --to opted-out --by 'Jane Doe' --how 'phone call' --at 2026-01-05T10:00Z",
    ends(0, "attested by Jane Doe (phone call)", `${ringcentral}/${acmeSender}: opted out since 2026-01-05`)
  ],
  [
    "stopline import optouts.csv --sender +18005550100",
    Effect.fnUntraced(function* (world: World, line: string) {
      yield* put(world, "optouts.csv", "recipient,opted_out_at\n+15551230002,2026-01-05\n")
      yield* ends(0, "optouts.csv: stored 1 opt-out, 1 new")(world, line)
    })
  ],
  ["stopline apply", ends(0, `${azure}: wrote 6 opt-outs`, `${ringcentral}: wrote 2 opt-outs`)],
  [
    "stopline plan",
    Effect.fnUntraced(function* (world: World, line: string) {
      yield* halt(world)
      yield* ends(2, "needs approval")(world, line)
    })
  ],
  [
    "stopline apply --approve 3f2a9c0d11ee",
    Effect.fnUntraced(function* (world: World, line: string) {
      expect((yield* type(world, line)).code).toBe(1)
      const { digest } = json(yield* run(world, "plan", "--json"))
      const ended = yield* type(world, line, { "3f2a9c0d11ee": digest })
      expect([ended.code, ended.out]).toEqual([0, expect.stringContaining(`${azure}: wrote 60 opt-outs`)])
    })
  ],
  [
    "stopline resume 1 --by 'Ada Lovelace'",
    Effect.fnUntraced(function* (world: World, line: string) {
      const { id } = yield* halt(world)
      const ended = yield* type(world, line, { " 1 ": ` ${id} ` })
      expect([ended.code, ended.out]).toEqual([0, "Cleared 1 halt; the next round looks again.\n"])
      expect(yield* world.sql("select cleared_by from halt where id = $1", [id])).toEqual([
        { cleared_by: "Ada Lovelace" }
      ])
      expect((yield* run(world, "apply")).code).toBe(2)
    })
  ],
  ["stopline resume --account acme", ends(0, "Cleared 0 halts")],
  ["stopline up --role web", startsAs],
  ["stopline up --role worker", startsAs]
]

// Some thirty processes, one after the other.
const patience = 400_000

describe("docs/operations.md", () => {
  it.live(
    "shows nothing that does not work",
    () =>
      Effect.gen(function* () {
        expect(commandsIn(yield* page)).toEqual(proofs.map(([line]) => line))
        const rest = "schedule: { every: 1 hour }\npolicy: { guard: { optOuts: { count: 10, share: 0 } } }"
        const world = yield* makeWorld({ people: 60, optedOut: 10, rest })
        expect(azureSenders).toHaveLength(3)
        yield* install(world.folder)
        for (const [line, proof] of proofs) yield* proof(world, line)
      }),
    patience
  )
})
