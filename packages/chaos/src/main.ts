/** `chaos`: trials, each with a fault of its own, and a table of what came of them. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Clock, Console, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { playCampaign } from "./campaign.ts"
import { tableOf } from "./table.ts"
import type { Trial } from "./trial.ts"

const print = (line: string) => Effect.sync(() => void process.stderr.write(`${line}\n`))

const told = (trials: number, startedAt: number) => {
  let done = 0
  return Effect.fnUntraced(function* (trial: Trial, folder: string) {
    done += 1
    const { kind, recoveredMs, seed, stops, wrong } = trial
    const minutes = (((yield* Clock.currentTimeMillis) - startedAt) / 60_000).toFixed(1)
    const verdict = wrong.length === 0 ? "well" : "WRONG"
    yield* print(
      `${done} of ${trials}, ${minutes} min: ${verdict} after ${recoveredMs} ms: ${kind}, ${stops} STOPs (seed ${seed})`
    )
    if (wrong.length === 0) return
    for (const line of wrong.slice(0, 20)) yield* print(`  ${line}`)
    if (wrong.length > 20) yield* print(`  … and ${wrong.length - 20} more`)
    yield* print(`  logs: ${folder}`)
    yield* print(`  again: npm run chaos -- --trials 1 --seed ${seed} --only "${kind}"`)
  })
}

const chaos = Command.make(
  "chaos",
  {
    trials: Flag.Int("trials").pipe(Flag.withDescription("How many trials"), Flag.withDefault(16)),
    seed: Flag.Int("seed").pipe(
      Flag.withDescription("Of the first trial; each next one has the next. It says what is done, and when"),
      Flag.withDefault(1)
    ),
    rate: Flag.Int("rate").pipe(Flag.withDescription("Sayings a second"), Flag.withDefault(5)),
    patience: Flag.Int("patience").pipe(
      Flag.withDescription("Seconds that a trial may take to come to rest after its fault"),
      Flag.withDefault(120)
    ),
    only: Flag.String("only").pipe(Flag.withDescription("Only faults with this in their name"), Flag.optional),
    short: Flag.Boolean("short").pipe(
      Flag.withDescription("Leave out what takes over a minute"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(Flag.withDescription("The table as JSON"), Flag.withDefault(false))
  },
  Effect.fn(function* ({ json, only, patience, rate, seed, short, trials }) {
    const rows = yield* playCampaign({
      trials,
      seed,
      rate,
      short,
      patienceMs: patience * 1000,
      ...(Option.isSome(only) && { only: (name: string) => name.includes(only.value) }),
      onTrial: told(trials, yield* Clock.currentTimeMillis)
    })
    yield* Console.log(json ? JSON.stringify(rows) : tableOf(rows))
    if (rows.some(({ failed }) => failed > 0)) yield* Effect.sync(() => (process.exitCode = 1))
  })
).pipe(Command.withDescription("Break things under two real workers, and look at what became of every STOP"))

chaos.pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
