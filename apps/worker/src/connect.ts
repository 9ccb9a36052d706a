/** From accounts in the configuration to adapters. The only place that knows which vendors there are. */
import type { ProviderAdapter } from "@stopline/provider"
import type { AzureConfigError } from "@stopline/provider-azure"
import type { RingCentralConfigError } from "@stopline/provider-ringcentral"
import { Effect, type Scope } from "effect"
import type { Account } from "./config.ts"
import type { Config, ConfigError } from "./load.ts"
import type { MissingVariable } from "./secret.ts"
import { connectAzure } from "./vendors/azure.ts"
import { connectRingCentralAccount } from "./vendors/ringcentral.ts"

type ConnectError = MissingVariable | AzureConfigError | RingCentralConfigError

const connectOne = (account: Account): Effect.Effect<ProviderAdapter, ConnectError, Scope.Scope> =>
  account.vendor === "azure" ? connectAzure(account) : connectRingCentralAccount(account)

/** An adapter for every account. What does not fit is said with its line in the file. */
export const connect = Effect.fn("connect")(function* (
  config: Config
): Effect.fn.Return<ReadonlyArray<ProviderAdapter>, ConfigError, Scope.Scope> {
  return yield* Effect.forEach(config.content.accounts, (account, index) =>
    Effect.mapError(connectOne(account), (error) =>
      config.problem(["accounts", index], error._tag === "MissingVariable" ? error.message : error.problem)
    )
  )
})
