/** A sandbox, by the options in its one argument. It says where it listens, and ends when it is told to. */
import { NodeRuntime } from "@effect/platform-node"
import { SandboxOptions, startSandbox } from "@stopline/sandbox"
import { Effect, Schema } from "effect"

const readOptions = Schema.decodeUnknownSync(Schema.fromJsonString(SandboxOptions))

const providers = Effect.gen(function* () {
  const { accounts, controlUrl } = yield* startSandbox(readOptions(process.argv[2]))
  yield* Effect.sync(() => process.send?.(JSON.stringify({ accounts, controlUrl })))
  process.once("disconnect", () => process.exit())
  return yield* Effect.never
})

NodeRuntime.runMain(Effect.scoped(providers))
