/** The database is put back to an older backup: what was learned meanwhile is read back from the providers. */
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import pg from "pg"
import {
  acmeSender,
  azure,
  azureHolds,
  azureSenders,
  eventually,
  listenToAzure,
  makeWorld,
  ringcentral,
  ringcentralHolds,
  tenDlc,
  tollFree,
  type World
} from "../../worker/test/world.ts"
import { json, put, run, said, start } from "./cli.ts"

/** Statements on the server, when nobody is connected to the world's database any more. */
const alone = ({ databaseUrl }: World, ...statements: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const at = new URL(databaseUrl)
    const name = at.pathname.slice(1)
    at.pathname = "/postgres"
    const client = new pg.Client({ connectionString: at.href })
    await client.connect()
    try {
      await client.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", [name])
      for (const statement of statements) await client.query(statement.replaceAll("LEDGER", name))
    } finally {
      await client.end()
    }
  })

const backup = (world: World) => alone(world, "create database LEDGER_backup template LEDGER")
const restore = (world: World) =>
  alone(
    world,
    "drop database LEDGER with (force)",
    "create database LEDGER template LEDGER_backup",
    "drop database LEDGER_backup"
  )

interface Told {
  readonly observations: ReadonlyArray<{ readonly state: string; readonly origin: string }>
  readonly standings: ReadonlyArray<{ readonly sender: string; readonly must: string }>
}

const historyOf = (world: World, person: string): Effect.Effect<Told> =>
  Effect.map(run(world, "history", person, "--json"), json)

const heldEverywhere = (world: World, person: string) =>
  Effect.gen(function* () {
    const held = [yield* ringcentralHolds(world, person)]
    for (const sender of azureSenders) held.push(yield* azureHolds(world, sender, person))
    return held.every((one) => one)
  })

it.live("after a restore one sync reads back every STOP, and nobody is opted back in without words (L1, L3)", () =>
  Effect.gen(function* () {
    const world = yield* makeWorld({
      optedOut: 3,
      rest: "schedule: { every: 1 hour }\npolicy: { confirm: 1 millis }"
    })
    const { sandbox } = world
    const { senders } = yield* sandbox.state(ringcentral)
    const optedOut = senders.flatMap((sender) => sender.optedOut)
    const [listed = "", returned = "", lifted = ""] = optedOut
    const [toAcme = "", toAzure = "", byPhone = ""] = sandbox.people.filter((person) => !optedOut.includes(person))
    yield* put(world, "contacts.csv", sandbox.people.join("\n"))
    expect((yield* run(world, "backfill", "--recipients", "contacts.csv", "--account", azure)).code).toBe(0)
    expect((yield* run(world, "sync")).code).toBe(0)
    for (const person of [listed, returned, lifted]) expect(yield* heldEverywhere(world, person)).toBe(true)
    yield* backup(world)

    const worker = yield* start(world, "up")
    yield* said(worker, "Stopline is ready")
    yield* listenToAzure(world)
    for (const [from, to] of [
      [toAcme, acmeSender],
      [toAzure, tenDlc]
    ] as const) {
      yield* sandbox.text({ from, to, text: "STOP" })
      yield* eventually(`${from} is held everywhere`, heldEverywhere(world, from))
    }
    yield* sandbox.text({ from: returned, to: acmeSender, text: "START" })
    yield* eventually(
      "the START is heard",
      Effect.map(historyOf(world, returned), ({ standings }) => standings.some(({ must }) => must === "opted-in"))
    )
    worker.child.kill("SIGTERM")
    yield* worker.ended
    const attested = ["--sender", tollFree, "--to", "opted-out", "--by", "Jane Doe", "--how", "phone call"]
    expect((yield* run(world, "attest", "--recipient", byPhone, ...attested)).code).toBe(0)
    expect((yield* run(world, "apply")).code).toBe(0)
    yield* sandbox.edit({ account: azure, sender: tenDlc, action: "opt-in", recipients: [lifted] })
    yield* restore(world)

    const [before] = yield* world.sql("select count(*)::int as count from observation where recipient = $1", [
      toAcme.slice(1)
    ])
    expect(before).toEqual({ count: 0 })
    expect((yield* run(world, "sync")).code).toBe(0)
    for (const person of [listed, lifted, toAcme, toAzure, byPhone]) {
      expect([person, yield* heldEverywhere(world, person)]).toEqual([person, true])
    }
    // The one who did text START is let go only where that was said, and only because it was found again.
    const { observations, standings } = yield* historyOf(world, returned)
    expect(standings.filter(({ must }) => must === "opted-in").map(({ sender }) => sender)).toEqual([acmeSender])
    expect(observations).toContainEqual(expect.objectContaining({ state: "opted-in", origin: "recipient" }))
    const optedIn = yield* world.sql("select distinct recipient::text from opt_in where said_at is not null")
    expect(optedIn).toEqual([{ recipient: returned.slice(1) }])
    for (const sender of azureSenders) expect(yield* azureHolds(world, sender, returned)).toBe(true)
    expect((yield* run(world, "plan")).code).toBe(0)
  })
)
