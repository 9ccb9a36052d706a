/** The command line. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Logger, Predicate } from "effect"
import { Command } from "effect/cli"
import { backfill } from "./commands/backfill.ts"
import { doctor } from "./commands/doctor.ts"
import { drift } from "./commands/drift.ts"
import { history } from "./commands/history.ts"
import { plan } from "./commands/plan.ts"
import { resume } from "./commands/resume.ts"
import { apply, sync } from "./commands/round.ts"
import { up } from "./commands/up.ts"
import { Ends, exitCode } from "./exit.ts"

const stopline = Command.make("stopline").pipe(
  Command.withDescription("One STOP, honoured everywhere"),
  Command.withSubcommands([up, doctor, backfill, plan, apply, sync, drift, history, resume])
)

/** Errors that were meant for a person carry one sentence; anything else is shown whole. */
const complain = (error: unknown): Effect.Effect<void> =>
  error instanceof Ends
    ? Effect.void
    : Effect.sync(() => process.stderr.write(`stopline: ${Predicate.isError(error) ? error.message : String(error)}\n`))

stopline.pipe(
  Command.run({ version: "0.1.0" }),
  Effect.tapError(complain),
  Effect.provide(NodeServices.layer),
  // Standard output is for what was asked; logs go to standard error.
  Effect.provide(Logger.layer([Logger.withConsoleError(Logger.formatLogFmt)])),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: (exit, done) => done(exitCode(exit)) })
)
