/** `simulate`: seeds, one after another, in search of one that breaks a law. */
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import path from "node:path"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Connection, embeddedPostgres, migrate } from "@stopline/ledger"
import { Clock, Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { plantAll } from "./planted.ts"
import { openProcesses, type Processes } from "./processes.ts"
import type { RunResult } from "./result.ts"
import { runSeed } from "./seed.ts"
import { makeScript } from "./script.ts"
import { shrink } from "./shrink.ts"
import { makeUniverse } from "./universe.ts"

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "stopline-simulation-"))
    await chmod(folder, 0o755)
    return folder
  }),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

/** An empty ledger of our own. */
const ownLedger = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const url = yield* embeddedPostgres({ folder, disposable: true })
  yield* Effect.provide(migrate, Connection.layer(url, { connections: 1 }))
  return yield* openProcesses(url)
})

interface Totals {
  seeds: number
  /** Rounds of the world, and those of the engine in them. */
  rounds: number
  engineRounds: number
  reads: number
  kills: number
  broken: number
  readonly faults: Record<string, number>
}

const add = (totals: Totals, result: RunResult, rounds: number): void => {
  totals.seeds += 1
  totals.rounds += rounds
  totals.engineRounds += result.rounds
  totals.reads += result.reads
  totals.kills += result.kills
  totals.broken += result.broken.length > 0 ? 1 : 0
  for (const [kind, count] of Object.entries(result.faults)) totals.faults[kind] = (totals.faults[kind] ?? 0) + count
}

/** What somebody needs who mends it: the law, what was seen, the shortest way there, and how to see it again. */
const report = Effect.fnUntraced(function* (processes: Processes, result: RunResult, rounds: number, tries: number) {
  const [broken] = result.broken
  if (broken === undefined) return
  yield* Console.error(`seed ${result.seed}: ${broken.law} broken in round ${broken.round}: ${broken.what}`)
  if (tries > 0) {
    yield* Console.error("looking for a shorter way there …")
    const universe = makeUniverse(result.seed)
    const script = makeScript(universe, rounds)
    const shrunk = yield* Effect.promise(() => shrink(processes, universe, script, broken, tries))
    const { log, broken: seen } = shrunk?.result ?? result
    yield* Console.error(
      `${shrunk?.script.length ?? script.length} of ${script.length} actions are needed; what happened (ms, what):`
    )
    yield* Console.error(log.map((line) => `  ${line}`).join("\n"))
    for (const one of seen) yield* Console.error(`${one.law}: ${one.what}`)
  }
  yield* Console.error(`again: npm run simulate -- --seed ${result.seed} --rounds ${rounds} --log`)
})

const progress = Effect.fnUntraced(function* (totals: Totals, startedAt: number) {
  const seconds = ((yield* Clock.currentTimeMillis) - startedAt) / 1000
  const speed = seconds > 0 ? Math.round(totals.rounds / seconds) : 0
  const line = `${totals.seeds} seeds, ${totals.rounds} rounds, ${totals.kills} kills, ${totals.broken} broken, ${speed} rounds/s`
  yield* Effect.sync(() => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`))
})

const simulate = Command.make(
  "simulate",
  {
    seed: Flag.Int("seed").pipe(Flag.withDescription("The first seed"), Flag.withDefault(1)),
    seeds: Flag.Int("seeds").pipe(Flag.withDescription("How many seeds"), Flag.withDefault(1)),
    rounds: Flag.Int("rounds").pipe(Flag.withDescription("Rounds of each seed"), Flag.withDefault(100)),
    untilFailure: Flag.Boolean("until-failure").pipe(
      Flag.withDescription("Stop at the first seed that breaks a law; without --seeds, go on until there is one"),
      Flag.withDefault(false)
    ),
    log: Flag.Boolean("log").pipe(Flag.withDescription("Print the event log of each seed"), Flag.withDefault(false)),
    tries: Flag.Int("tries").pipe(
      Flag.withDescription("How many shorter runs to try when a law breaks; 0: none"),
      Flag.withDefault(150)
    ),
    planted: Flag.Boolean("planted").pipe(
      Flag.withDescription("Plant each known bug in a copy of the sources and see whether a law breaks"),
      Flag.withDefault(false)
    ),
    only: Flag.String("only").pipe(Flag.withDescription("With --planted: only this bug"), Flag.optional),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Only the result, as JSON"), Flag.withDefault(false))
  },
  Effect.fn(function* ({ json, log, only, planted, rounds, seed, seeds, tries, untilFailure }) {
    if (planted) {
      const chosen = Option.match(only, { onNone: () => ({}), onSome: (name) => ({ only: [name] }) })
      yield* plantAll({ jobs: availableParallelism(), ...(seeds > 1 && { mostSeeds: seeds }), ...chosen })
      return
    }
    const processes = yield* ownLedger
    const startedAt = yield* Clock.currentTimeMillis
    const totals: Totals = { seeds: 0, rounds: 0, engineRounds: 0, reads: 0, kills: 0, broken: 0, faults: {} }
    const last = untilFailure && seeds === 1 ? Number.POSITIVE_INFINITY : seed + seeds - 1
    let broken: unknown
    let toldAt = startedAt
    for (let one = seed; one <= last; one++) {
      const result = yield* Effect.promise(() => runSeed(processes, one, rounds))
      add(totals, result, rounds)
      if (log) yield* Console.log(result.log.join("\n"))
      if (log || seeds <= 3) yield* Console.error(`seed ${one}: digest of the event log ${result.digest}`)
      const [first] = result.broken
      if (first !== undefined) {
        broken ??= { seed: one, ...first }
        yield* report(processes, result, rounds, json ? 0 : tries)
        if (untilFailure) break
      }
      const now = yield* Clock.currentTimeMillis
      if (!json && now - toldAt >= (process.stderr.isTTY ? 500 : 10_000)) {
        toldAt = now
        yield* progress(totals, startedAt)
      }
    }
    const ms = (yield* Clock.currentTimeMillis) - startedAt
    const speed = { seconds: ms / 1000, roundsPerSecond: Math.round((totals.rounds / ms) * 1000) }
    yield* Console.log(JSON.stringify({ ...totals, ...speed, ...(broken !== undefined && { firstBroken: broken }) }))
    if (totals.broken > 0) yield* Effect.sync(() => (process.exitCode = 1))
  }, Effect.scoped)
).pipe(Command.withDescription("Play the real engine in a hostile world, from seeds"))

simulate.pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
