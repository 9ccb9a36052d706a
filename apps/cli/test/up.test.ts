/** The worker as a process: how it ends, and what the next one still knows. */
import { chmod, readdir, readFile } from "node:fs/promises"
import path from "node:path"
import { describe, expect, it } from "@effect/vitest"
import { freePort } from "@stopline/ledger"
import { Effect } from "effect"
import {
  acmeSender,
  azureHolds,
  azureSenders,
  eventually,
  listenToAzure,
  makeWorld,
  ringcentralHolds,
  tenDlc,
  type World
} from "../../worker/test/world.ts"
import { azurePath, textToAzure } from "../../worker/test/texted.ts"
import { json, put, run, said, signalGroup, start, type Started } from "./cli.ts"

const backends = ({ sql }: World) =>
  sql("select from pg_stat_activity where application_name = 'stopline' and datname = current_database()")

/** No process of its group, nobody on its port, and no connection to its database. */
const nothingIsLeft = Effect.fnUntraced(function* (world: World, { child }: Started) {
  expect(signalGroup(child, 0)).toBe(false)
  const refused = yield* Effect.promise(() =>
    fetch(`${world.url}/healthz`).then(
      () => false,
      () => true
    )
  )
  expect(refused).toBe(true)
  yield* eventually(
    "the database is left alone",
    Effect.map(backends(world), (rows) => rows.length === 0)
  )
})

describe.concurrent("stopline up", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it.live(`ends with ${signal}, and nothing of it is left`, () =>
      Effect.gen(function* () {
        const world = yield* makeWorld()
        const worker = yield* start(world, "up")
        yield* said(worker, `Stopline is ready on ${world.url}`)
        yield* listenToAzure(world)
        const [person = ""] = world.sandbox.people
        yield* world.sandbox.text({ from: person, to: tenDlc, text: "STOP" })
        yield* said(worker, "STOP of +1555•••0000")
        expect((yield* backends(world)).length).toBeGreaterThan(0)
        worker.child.kill(signal)
        const ended = yield* worker.ended
        expect([ended.code, ended.err]).toEqual([130, ""])
        expect(ended.out).not.toContain(person)
        yield* nothingIsLeft(world, worker)
      })
    )
  }

  it.live("lets a write that is under way come to its end when it is told to stop", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const worker = yield* start(world, "up")
      yield* said(worker, "Stopline is ready")
      yield* world.sandbox.fault({ account: "contoso", kind: "slow", operation: "add", ms: 700 })
      const [person = ""] = world.sandbox.people
      yield* world.sandbox.text({ from: person, to: acmeSender, text: "STOP" })
      const underWay = world.sql("select from view where intent is not null")
      yield* eventually(
        "a write is under way",
        Effect.map(underWay, (rows) => rows.length > 0)
      )
      worker.child.kill("SIGTERM")
      yield* worker.ended
      expect(yield* underWay).toEqual([])
      yield* nothingIsLeft(world, worker)
    })
  )

  it.live("killed right after it answered 2xx, has lost nothing: the next one carries it (L1, L12)", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      // So slow that nothing can be carried before the end.
      yield* world.sandbox.fault({ account: "contoso", kind: "slow", operation: "add", ms: 5_000 })
      yield* world.sandbox.fault({ account: "acme", kind: "slow", operation: "bulk-assign", ms: 5_000 })
      const first = yield* start(world, "up")
      yield* said(first, "Stopline is ready")
      const people = world.sandbox.people.slice(0, 5)
      for (const person of people) {
        const answer = yield* Effect.promise(() =>
          fetch(world.url + azurePath, {
            method: "POST",
            body: JSON.stringify(textToAzure({ person, id: person }))
          })
        )
        expect(answer.status).toBe(200)
      }
      signalGroup(first.child, "SIGKILL")
      yield* first.ended
      yield* world.sandbox.clearFaults()
      const second = yield* start(world, "up")
      for (const person of people) {
        for (const sender of azureSenders) yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
        yield* eventually("RingCentral holds it", ringcentralHolds(world, person))
      }
      yield* eventually(
        "nothing differs",
        Effect.map(run(world, "plan"), ({ code }) => code === 0)
      )
      second.child.kill("SIGTERM")
      expect((yield* second.ended).code).toBe(130)
    })
  )
})

/** What a folder has to be for a Postgres of our own: started as root, it runs as somebody else. */
const hospitable = (folder: string) => Effect.promise(() => chmod(folder, 0o755))

describe("a Postgres of our own", () => {
  it.live("lies beside the configuration, whichever folder a command is typed in", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const elsewhere = yield* makeWorld()
      yield* hospitable(world.folder)
      const text = yield* Effect.promise(() => readFile(world.file, "utf8"))
      yield* put(world, "own.yaml", text.replace(/^ledger: .*\n/, ""))
      const place = { ...elsewhere, environment: world.environment }
      const own = ["--config", path.join(world.folder, "own.yaml")]
      const words = "attest --sender 20500 --recipient +15550100077 --to opted-out --by Jane --how phone".split(" ")
      expect((yield* run(place, ...words, ...own)).code).toBe(0)
      const told = json(yield* run(world, "history", "+15550100077", "--json", "--config", "own.yaml"))
      expect(told.observations).toHaveLength(1)
      expect(yield* Effect.promise(() => readdir(elsewhere.folder))).not.toContain(".stopline")
    })
  )
})

describe.concurrent("the demonstration", () => {
  /** The Postgres that the demonstration started; as root it must be able to reach its files. */
  const postgresIn = (folder: string) =>
    Effect.promise(() =>
      readFile(path.join(folder, ".stopline", "postgres", "postmaster.pid"), "utf8").then(
        (text) => Number(text.split("\n")[0]),
        () => undefined
      )
    )

  it.live("starts with nothing, carries a STOP, answers the other commands, and remembers", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld()
      const { folder } = world
      const fs = yield* Effect.promise(() => import("node:fs/promises"))
      yield* Effect.promise(() => fs.rm(world.file))
      yield* hospitable(folder)
      yield* Effect.addFinalizer(() =>
        Effect.map(postgresIn(folder), (pid) => pid !== undefined && process.kill(pid, "SIGINT"))
      )
      const place = { folder, environment: {} }
      const sandboxPort = yield* freePort
      const args = [
        "up",
        "--demo",
        "--people",
        "30",
        "--opted-out",
        "5",
        "--port",
        String(world.port),
        "--sandbox-port",
        String(sandboxPort)
      ]

      const first = yield* start(place, ...args)
      yield* said(first, `Stopline is ready on ${world.url}`)
      yield* said(first, "npm run stopline -- history +15550100001")
      const [curl = ""] = /^ {2}curl .*$/m.exec(first.output.out) ?? []
      const { execFile } = yield* Effect.promise(() => import("node:child_process"))
      yield* Effect.callback<void>((resume) => {
        execFile("sh", ["-c", curl.trim()], () => resume(Effect.void))
      })
      yield* said(first, "STOP of +1555•••0001 to acme/+16505550100: held by ")
      const told = json(yield* run(place, "history", "+15550100001", "--json"))
      expect(told.standings.map(({ must, held }: { must: string; held: string }) => [must, held])).toEqual(
        Array.from({ length: 4 }, () => ["opted-out", "opted-out"])
      )
      expect((yield* run(place, "doctor")).code).toBe(0)

      // A second one in the same folder is in the way of the first, and says so.
      const second = yield* run(place, ...args)
      expect([second.code, second.out]).toEqual([1, ""])
      expect(second.err).toMatch(/^stopline: .* is in use\. Choose another with --sandbox-port\.\n$/)

      first.child.kill("SIGINT")
      expect((yield* first.ended).code).toBe(130)
      expect(yield* postgresIn(folder)).toBeUndefined()

      const third = yield* start(place, ...args)
      yield* said(third, "Stopline is ready")
      // Its providers remember nothing. The ledger does, and has it put back.
      const known = json(yield* run(place, "history", "+15550100001", "--json"))
      expect(known.observations.slice(0, told.observations.length)).toEqual(told.observations)
      expect(known.standings.map(({ must }: { must: string }) => must)).toEqual(
        Array.from({ length: 4 }, () => "opted-out")
      )
      third.child.kill("SIGTERM")
      yield* third.ended
      expect(yield* postgresIn(folder)).toBeUndefined()
    })
  )
})
