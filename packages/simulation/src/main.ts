/** `simulate`: seeds, one after another, until one breaks a law. */
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Connection, embeddedPostgres, migrate } from "@stopline/ledger"
import { Clock, Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { openProcesses } from "./processes.ts"
import { runSeed } from "./run.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "stopline-simulation-"))
    await chmod(folder, 0o755)
    return folder
  }),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

const simulate = Command.make(
  "simulate",
  {
    seed: Flag.Int("seed").pipe(Flag.withDescription("The first seed"), Flag.withDefault(1)),
    seeds: Flag.Int("seeds").pipe(Flag.withDescription("How many seeds"), Flag.withDefault(1)),
    rounds: Flag.Int("rounds").pipe(Flag.withDescription("Rounds of each seed"), Flag.withDefault(100)),
    log: Flag.Boolean("log").pipe(Flag.withDescription("Print the event log of each seed"), Flag.withDefault(false)),
    tail: Flag.Int("tail").pipe(Flag.optional)
  },
  Effect.fn(function* ({ log, rounds, seed, seeds, tail }) {
    const folder = yield* temporaryFolder
    const url = yield* embeddedPostgres({ folder, disposable: true })
    yield* Effect.provide(migrate, Connection.layer(url, { connections: 1 }))
    const processes = yield* openProcesses(url)
    const startedAt = yield* Clock.currentTimeMillis
    const totals = { rounds: 0, kills: 0, broken: 0 }
    const faults: Record<string, number> = {}
    for (let one = seed; one < seed + seeds; one++) {
      const result = yield* Effect.promise(() => runSeed(processes, one, rounds))
      totals.rounds += result.rounds
      totals.kills += result.kills
      for (const [kind, count] of Object.entries(result.faults)) faults[kind] = (faults[kind] ?? 0) + count
      if (log) yield* Console.log(result.log.slice(-Option.getOrElse(tail, () => result.log.length)).join("\n"))
      if (log || result.broken.length > 0)
        yield* Console.log(`seed ${one}: ${result.rounds} rounds, digest ${result.digest}`)
      for (const broken of result.broken) {
        totals.broken += 1
        yield* Console.log(`seed ${one}: ${broken.law} broken in round ${broken.round}: ${broken.what}`)
      }
    }
    const ms = (yield* Clock.currentTimeMillis) - startedAt
    yield* Console.log(
      JSON.stringify({
        seeds,
        ...totals,
        seconds: ms / 1000,
        roundsPerSecond: Math.round((totals.rounds / ms) * 1000),
        faults
      })
    )
  }, Effect.scoped)
).pipe(Command.withDescription("Play the real engine in a hostile world, from seeds"))

simulate.pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
