import { defaultSandboxPort, logLayer, roles, up as runUp } from "@stopline/worker"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { configFlag, jsonFlag } from "../common.ts"
import { UsageError } from "../exit.ts"

const count = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.optional)

/** Before anything is written or started. */
const needPort = (flag: string, port: number, least: number, most: number) =>
  port >= least && port <= most
    ? Effect.void
    : new UsageError({ problem: `--${flag} ${port}: expected a number from ${least} to ${most}` })

export const up = Command.make(
  "up",
  {
    config: configFlag,
    json: jsonFlag,
    role: Flag.Literals("role", roles).pipe(
      Flag.withDescription(
        "web: take webhooks, store and push at once. worker: read, reconcile and write, and answer for nothing but its health. all: both"
      ),
      Flag.withDefault("all")
    ),
    log: Flag.Literals("log", ["json", "text"]).pipe(
      Flag.withDescription(
        "How logs on standard error are written (default: text at a terminal without --json, else json)"
      ),
      Flag.optional
    ),
    demo: Flag.Boolean("demo").pipe(
      Flag.withDescription("Without stopline.yaml: play the demonstration, with a sandbox in place of the providers"),
      Flag.withDefault(false)
    ),
    port: count("port", "Port for webhooks and health (default: the configuration's, else 4000)"),
    sandboxPort: Flag.Int("sandbox-port").pipe(
      Flag.withDescription("Demonstration: first of three ports of the sandbox"),
      Flag.withDefault(defaultSandboxPort)
    ),
    people: count("people", "Demonstration: how many people there are"),
    optedOut: count("opted-out", "Demonstration: how many of them have opted out before"),
    seed: count("seed", "Demonstration: the same seed is the same world")
  },
  Effect.fn(function* (flags) {
    if (Option.isSome(flags.port)) yield* needPort("port", flags.port.value, 0, 65_535)
    // Of three, one after another.
    yield* needPort("sandbox-port", flags.sandboxPort, 1, 65_533)
    const world = {
      ...(Option.isSome(flags.people) && { people: flags.people.value }),
      ...(Option.isSome(flags.optedOut) && { optedOut: flags.optedOut.value }),
      ...(Option.isSome(flags.seed) && { seed: flags.seed.value })
    }
    const log = Option.getOrElse(flags.log, () => (flags.json || !process.stderr.isTTY ? "json" : "text"))
    return yield* Effect.scoped(
      runUp({
        config: Option.getOrUndefined(flags.config),
        demo: flags.demo,
        role: flags.role,
        port: Option.getOrUndefined(flags.port),
        sandboxPort: flags.sandboxPort,
        world,
        json: flags.json
      })
    ).pipe(Effect.provide(logLayer(log)))
  })
).pipe(
  Command.withDescription("Run the worker: webhooks, walks and sweeps, until it is told to stop"),
  Command.withExamples([
    { command: "stopline up", description: "With the stopline.yaml of this folder" },
    { command: "stopline up --demo", description: "Without one: against a sandbox" },
    { command: "stopline up --config production.yaml --port 8080" },
    { command: "stopline up --role worker", description: "One of several that share one Postgres" }
  ])
)
