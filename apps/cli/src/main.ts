/** The command line. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { logLayer } from "@stopline/worker"
import { Cause, Effect, Predicate } from "effect"
import { CliError, Command } from "effect/cli"
import { attest } from "./commands/attest.ts"
import { backfill } from "./commands/backfill.ts"
import { doctor } from "./commands/doctor.ts"
import { drift } from "./commands/drift.ts"
import { history } from "./commands/history.ts"
import { importOptOuts } from "./commands/import.ts"
import { keys } from "./commands/keys.ts"
import { plan } from "./commands/plan.ts"
import { resume } from "./commands/resume.ts"
import { apply, sync } from "./commands/round.ts"
import { up } from "./commands/up.ts"
import { Ends, exitCode } from "./exit.ts"

const stopline = Command.make("stopline").pipe(
  Command.withDescription("One STOP, honoured everywhere"),
  Command.withSubcommands([
    up,
    doctor,
    backfill,
    plan,
    apply,
    sync,
    drift,
    history,
    attest,
    importOptOuts,
    resume,
    keys
  ])
)

/** A failure meant for a person is one sentence. Anything else is a fault of ours, and shown whole. */
const complain = (cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  const error = Cause.squash(cause)
  const told = error instanceof Ends || (CliError.isCliError(error) && error._tag === "ShowHelp")
  if (told || Cause.hasInterruptsOnly(cause)) return Effect.void
  const text = Cause.hasDies(cause) || !Predicate.isError(error) ? Cause.pretty(cause) : error.message
  return Effect.sync(() => process.stderr.write(`stopline: ${text}\n`))
}

stopline.pipe(
  Command.run({ version: "0.1.0" }),
  Effect.tapCause(complain),
  // Standard output is for what was asked; logs go to standard error.
  Effect.provide([NodeServices.layer, logLayer("text")]),
  NodeRuntime.runMain({ disableErrorReporting: true, teardown: (exit, done) => done(exitCode(exit)) })
)
