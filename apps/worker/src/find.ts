/** Which configuration is meant: the one named, else stopline.yaml here; the demonstration's only where that is asked for. */
import { access } from "node:fs/promises"
import { ConfigProvider, Effect } from "effect"
import { demoEnvironment, demoFile, loadDemo } from "./demo.ts"
import { type Config, ConfigError, loadConfig } from "./load.ts"

const defaultFile = "stopline.yaml"

const exists = (file: string) =>
  Effect.promise(() =>
    access(file).then(
      () => true,
      () => false
    )
  )

/** The configuration file; `undefined` when there is none and none was named. */
const findConfig = Effect.fn("findConfig")(function* (
  named: string | undefined
): Effect.fn.Return<Config | undefined, ConfigError> {
  if (named !== undefined) return yield* loadConfig(named)
  return (yield* exists(defaultFile)) ? yield* loadConfig(defaultFile) : undefined
})

const noFile = new ConfigError({
  file: defaultFile,
  problems: [
    {
      place: "",
      problem:
        "there is no such file here; write one (README.md shows it), name another with --config, or start the demonstration with `npm start`"
    }
  ]
})

/** For a worker, which is not to play when it was meant to work: a sandbox would stand on its port and turn real events away. */
export const configOrDemo = Effect.fn("configOrDemo")(function* (
  named: string | undefined,
  demo: boolean
): Effect.fn.Return<Config | "demo", ConfigError> {
  const found = yield* findConfig(named)
  if (found !== undefined) return found
  return demo ? "demo" : yield* noFile
})

/** For commands that work beside a worker: the file, or the demonstration that was started here before. */
export const needConfig = Effect.fn("needConfig")(function* (
  named: string | undefined
): Effect.fn.Return<{ readonly config: Config; readonly environment: Record<string, string> }, ConfigError> {
  const found = yield* findConfig(named)
  if (found !== undefined) return { config: found, environment: {} }
  if (yield* exists(demoFile)) return { config: yield* loadDemo, environment: yield* demoEnvironment() }
  return yield* noFile
})

/** The process's environment, with the demonstration's variables behind it. */
export const withEnvironment = (environment: Record<string, string>) =>
  ConfigProvider.layer(ConfigProvider.orElse(ConfigProvider.fromEnv(), ConfigProvider.fromUnknown(environment)))
