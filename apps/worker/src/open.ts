/** From a configuration to something that works: ledger, adapters, fleet. */
import { hostname } from "node:os"
import path from "node:path"
import { defaultSettings, type EngineSettings, Fleet, sharedGates } from "@stopline/engine"
import { Connection, ledgerLayer, type LedgerError, type LedgerPlace, LedgerUrl, register } from "@stopline/ledger"
import { Clock, Context, Effect, Layer, Redacted } from "effect"
import { connect } from "./connect.ts"
import { type Config, type ConfigError, millis } from "./load.ts"
import { peopleOf } from "./people/gather.ts"
import { readSecret } from "./secret.ts"

/** The configuration that is in force, for whoever needs more of it than the fleet. */
export class Loaded extends Context.Service<Loaded, Config>()("@stopline/worker/Loaded") {}

/** Where a Postgres of our own keeps its files, beside the configuration. */
export const stateFolder = ".stopline"

const settingsOf = ({ content: { policy } }: Config): EngineSettings => ({
  ...defaultSettings,
  policy: policy?.optIn ?? defaultSettings.policy,
  confirmMs: millis(policy?.confirm, defaultSettings.confirmMs),
  guard: {
    optOuts: { ...defaultSettings.guard.optOuts, ...policy?.guard?.optOuts },
    optIns: { ...defaultSettings.guard.optIns, ...policy?.guard?.optIns },
    absences: { ...defaultSettings.guard.absences, ...policy?.guard?.absences }
  }
})

const sampleUrl = "postgres://user:password@host/database"

const isPostgresUrl = (text: string): boolean => /^postgres(ql)?:$/.test(URL.parse(text)?.protocol ?? "")

const placeOf = Effect.fnUntraced(function* (config: Config): Effect.fn.Return<LedgerPlace, ConfigError> {
  const url = config.content.ledger?.url
  if (url === undefined) return { _tag: "Embedded", folder: path.join(config.folder, stateFolder) }
  const secret = yield* Effect.mapError(readSecret(url), (error) => config.problem(["ledger", "url"], error.message))
  if (isPostgresUrl(Redacted.value(secret))) return { _tag: "Url", url: secret }
  return yield* config.problem(["ledger", "url"], `${url.env} holds no URL such as ${sampleUrl}`)
})

const fleetLayer = (config: Config, role: string) =>
  Layer.effect(
    Fleet,
    Effect.gen(function* () {
      const { accounts } = config.content
      const settings = settingsOf(config)
      const adapters = yield* connect(config, yield* sharedGates)
      const now = yield* Clock.currentTimeMillis
      const registry = yield* register(accounts, config.groups, settings.policy, now)
      return Fleet.make(registry, adapters, settings, `${role}@${hostname()}:${process.pid}`)
    })
  )

/** A database that was named and does not answer is told of by its place in the file. */
const unreached = (config: Config, error: LedgerError): Effect.Effect<never, ConfigError | LedgerError> => {
  const url = config.content.ledger?.url
  if (url === undefined || error.kind !== "unreachable") return Effect.fail(error)
  const cure = `see that it runs, and that ${url.env} is right: ${sampleUrl}`
  return Effect.fail(config.problem(["ledger", "url"], `the database cannot be reached (${error.detail}); ${cure}`))
}

/** Everything a command needs, for as long as the scope lives. Nothing is started before the whole configuration is known to be good. */
export const open = (
  config: Config,
  role: string
): Layer.Layer<Fleet | Connection | LedgerUrl | Loaded, ConfigError | LedgerError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const place = yield* placeOf(config)
      // Looked at before the database is touched: a missing secret is no reason to start a server.
      yield* Effect.scoped(connect(config))
      yield* peopleOf(config)
      return fleetLayer(config, role).pipe(
        Layer.provideMerge(
          Layer.catch(ledgerLayer(place), (error) =>
            Layer.merge(
              Layer.effect(Connection, unreached(config, error)),
              Layer.effect(LedgerUrl, unreached(config, error))
            )
          )
        ),
        Layer.provideMerge(Layer.succeed(Loaded, config))
      )
    })
  )
