/** `simulate`: seeds, in search of one that breaks a law. */
import { availableParallelism } from "node:os"
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Clock, Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { hunt } from "./hunt.ts"
import { dealt, tellParent } from "./jobs.ts"
import { plantAll } from "./planted.ts"
import { Tally } from "./tally.ts"

const simulate = Command.make(
  "simulate",
  {
    seed: Flag.Int("seed").pipe(Flag.withDescription("The first seed"), Flag.withDefault(1)),
    seeds: Flag.Int("seeds").pipe(Flag.withDescription("How many seeds"), Flag.optional),
    step: Flag.Int("step").pipe(Flag.withDescription("From one seed to the next"), Flag.withDefault(1)),
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
    jobs: Flag.Int("jobs").pipe(
      Flag.withDescription("How many processes play seeds side by side; otherwise one for each core"),
      Flag.optional
    ),
    planted: Flag.Boolean("planted").pipe(
      Flag.withDescription("Plant each known bug in a copy of the sources and see whether a law breaks"),
      Flag.withDefault(false)
    ),
    only: Flag.String("only").pipe(Flag.withDescription("With --planted: only this bug"), Flag.optional),
    json: Flag.Boolean("json").pipe(Flag.withDescription("Only the result, as JSON"), Flag.withDefault(false))
  },
  Effect.fn(function* (flags) {
    const { json, log, planted, rounds, seed, step, untilFailure } = flags
    const cores = availableParallelism()
    if (planted) {
      const only = Option.map(flags.only, (name) => ({ only: [name] }))
      const most = Option.map(flags.seeds, (mostSeeds) => ({ mostSeeds }))
      const jobs = Option.getOrElse(flags.jobs, () => cores)
      yield* plantAll({ jobs, ...Option.getOrUndefined(most), ...Option.getOrUndefined(only) })
      return
    }
    const seeds = Option.getOrElse(flags.seeds, () => (untilFailure ? Number.POSITIVE_INFINITY : 1))
    const wanted = { seed, seeds, step, rounds, untilFailure, log, tries: json ? 0 : flags.tries }
    const tally = new Tally(rounds, json, yield* Clock.currentTimeMillis)
    // Event logs of several seeds at once nobody could read.
    const jobs = log
      ? 1
      : Math.min(
          seeds,
          Option.getOrElse(flags.jobs, () => cores)
        )
    if (Option.isSome(tellParent)) return yield* hunt(wanted, tellParent.value)
    if (jobs > 1) yield* dealt(wanted, jobs, tally.add)
    else yield* hunt(wanted, tally.add)
    yield* tally.print()
    if (tally.broken > 0) yield* Effect.sync(() => (process.exitCode = 1))
  })
).pipe(Command.withDescription("Play the real engine in a hostile world, from seeds"))

simulate.pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
