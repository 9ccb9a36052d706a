/** Which configuration is meant: the one named, else stopline.yaml here, else the demonstration's. */
import { access } from "node:fs/promises"
import { ConfigProvider, Effect } from "effect"
import { demoEnvironment, demoFile } from "./demo.ts"
import { type Config, ConfigError, loadConfig } from "./load.ts"

const defaultFile = "stopline.yaml"

const exists = (file: string) =>
  Effect.promise(() =>
    access(file).then(
      () => true,
      () => false
    )
  )

export type Found = { readonly _tag: "File"; readonly config: Config } | { readonly _tag: "Demo" }

/** Finds the configuration file; `Demo` when there is none and none was named. */
export const findConfig = Effect.fn("findConfig")(function* (
  named: string | undefined
): Effect.fn.Return<Found, ConfigError> {
  if (named !== undefined) return { _tag: "File", config: yield* loadConfig(named) }
  if (yield* exists(defaultFile)) return { _tag: "File", config: yield* loadConfig(defaultFile) }
  return { _tag: "Demo" }
})

/** For commands that work beside a worker: the file, or the demonstration that was started here before. */
export const needConfig = Effect.fn("needConfig")(function* (
  named: string | undefined
): Effect.fn.Return<{ readonly config: Config; readonly environment: Record<string, string> }, ConfigError> {
  const found = yield* findConfig(named)
  if (found._tag === "File") return { config: found.config, environment: {} }
  if (yield* exists(demoFile)) return { config: yield* loadConfig(demoFile), environment: yield* demoEnvironment() }
  return yield* new ConfigError({
    file: defaultFile,
    problems: [
      {
        place: "",
        problem:
          "there is no such file here; write one (README.md shows it), or start the demonstration with `npm start`"
      }
    ]
  })
})

/** The process's environment, with the demonstration's variables behind it. */
export const withEnvironment = (environment: Record<string, string>) =>
  ConfigProvider.layer(ConfigProvider.orElse(ConfigProvider.fromEnv(), ConfigProvider.fromUnknown(environment)))
