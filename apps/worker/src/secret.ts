/** Secrets stand in the environment; the configuration names the variable. */
import { Config, Effect, Redacted, Schema } from "effect"

export const FromEnvironment = Schema.Struct({
  env: Schema.String.check(
    Schema.isPattern(/^[A-Za-z_][A-Za-z0-9_]*$/u, { message: "Expected the name of an environment variable" })
  )
}).annotate({
  message: "Expected { env: NAME }: secrets stand in the environment, and only the variable is named here"
})
export type FromEnvironment = typeof FromEnvironment.Type

/** The variable holds no secret that could be meant. Set it right. */
export class VariableError extends Schema.TaggedError<VariableError>()("VariableError", {
  variable: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `the environment variable ${this.variable} ${this.problem}`
  }
}

export const readSecret = Effect.fnUntraced(function* ({
  env
}: FromEnvironment): Effect.fn.Return<Redacted.Redacted, VariableError> {
  const unset = new VariableError({ variable: env, problem: "is not set; set it, or name another one" })
  const secret = yield* Effect.mapError(Config.Redacted(env), () => unset)
  const text = Redacted.value(secret)
  if (text === "") return yield* unset
  if (text === text.trim()) return secret
  // With it, no signature would ever be right, and every event be turned away.
  const problem = "begins or ends with white space, such as the newline that `echo` adds to a file; take it out"
  return yield* new VariableError({ variable: env, problem })
})
