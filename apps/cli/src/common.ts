/** What most commands share: their flags, and the ledger and fleet they work with. */
import type { Recipient } from "@stopline/consent"
import { Fleet, type Station } from "@stopline/engine"
import type { Connection, LedgerError, LedgerUrl } from "@stopline/ledger"
import { type ConfigError, type Loaded, needConfig, open, readNumber, withEnvironment } from "@stopline/worker"
import { userInfo } from "node:os"
import { Effect, Layer, Option, Result } from "effect"
import { Flag } from "effect/cli"
import { UsageError } from "./exit.ts"
import { progressLayer } from "./progress.ts"

export const configFlag = Flag.String("config").pipe(
  Flag.withDescription(
    "Configuration file (default: stopline.yaml here, else the demonstration that was started here)"
  ),
  Flag.optional
)

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Print one JSON document instead of sentences"),
  Flag.withDefault(false)
)

export const accountFlag = Flag.String("account").pipe(Flag.withDescription("Only this account"), Flag.optional)

/** Runs a command with the fleet of its configuration; progress goes to standard error. */
export const withFleet = <A, E>(
  config: Option.Option<string>,
  command: Effect.Effect<A, E, Fleet | Connection | LedgerUrl | Loaded>
): Effect.Effect<A, E | ConfigError | LedgerError> =>
  Effect.gen(function* () {
    const { config: loaded, environment } = yield* needConfig(Option.getOrUndefined(config))
    const needs = Layer.mergeAll(open(loaded, "cli"), progressLayer).pipe(
      Layer.provideMerge(withEnvironment(environment))
    )
    return yield* Effect.provide(command, needs)
  })

/** The person at the keyboard, for the record. In a container a user may be a number that nobody gave a name. */
export const whoami = (): string => {
  try {
    return `cli:${userInfo().username}`
  } catch {
    return `cli:uid ${process.getuid?.()}`
  }
}

/** A person's number as it was typed. One that may be of any country is none: a stranger would be opted out for them. */
export const typedNumber = (text: string): Option.Option<Recipient> => Result.getSuccess(readNumber(text, undefined))

/** The stations that --account chose. */
export const stationsFor = Effect.fnUntraced(function* (
  account: Option.Option<string>
): Effect.fn.Return<ReadonlyArray<Station>, UsageError, Fleet> {
  const { stations } = yield* Fleet
  if (Option.isNone(account)) return stations
  const found = stations.filter((station) => String(station.account.name) === account.value)
  if (found.length > 0) return found
  const names = stations.map((station) => station.account.name).join(", ")
  return yield* new UsageError({ problem: `there is no account ${account.value}; the configuration has ${names}` })
})
