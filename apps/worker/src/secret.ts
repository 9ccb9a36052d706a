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

/** The variable is not set, or empty. */
export class MissingVariable extends Schema.TaggedError<MissingVariable>()("MissingVariable", {
  variable: Schema.String
}) {
  override get message(): string {
    return `the environment variable ${this.variable} is not set; set it, or name another one`
  }
}

export const readSecret = Effect.fnUntraced(function* ({
  env
}: FromEnvironment): Effect.fn.Return<Redacted.Redacted, MissingVariable> {
  const secret = yield* Effect.mapError(Config.Redacted(env), () => new MissingVariable({ variable: env }))
  return Redacted.value(secret) === "" ? yield* new MissingVariable({ variable: env }) : secret
})
