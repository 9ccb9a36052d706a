/** How a command ends: 0 fine, 1 failed, 2 differs or needs a decision. */
import { Cause, Exit, Schema } from "effect"

/** Ends the process with a code after everything was said. */
export class Ends extends Schema.TaggedError<Ends>()("Ends", { code: Schema.Literals([1, 2]) }) {}

/** Bad input to a command: what, and the cure. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

export const exitCode = (exit: Exit.Exit<unknown, unknown>): number => {
  if (Exit.isSuccess(exit)) return 0
  if (Cause.hasInterruptsOnly(exit.cause)) return 130
  const error = Cause.squash(exit.cause)
  return error instanceof Ends ? error.code : 1
}
