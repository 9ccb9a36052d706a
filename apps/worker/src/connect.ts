/** From accounts in the configuration to adapters. The only place that knows which vendors there are. */
import { cannot, type Capability, type ProviderAdapter } from "@stopline/provider"
import type { AzureConfigError } from "@stopline/provider-azure"
import type { RingCentralConfigError, SubscriptionPort } from "@stopline/provider-ringcentral"
import { Effect, type Scope } from "effect"
import type { Account } from "./config.ts"
import type { Config, ConfigError } from "./load.ts"
import type { MissingVariable } from "./secret.ts"
import { connectAzure } from "./vendors/azure.ts"
import { connectRingCentralAccount } from "./vendors/ringcentral.ts"

type ConnectError = MissingVariable | AzureConfigError | RingCentralConfigError

export interface Connected {
  readonly adapter: ProviderAdapter
  readonly subscription: Capability<SubscriptionPort>
}

const connectOne = (account: Account): Effect.Effect<Connected, ConnectError, Scope.Scope> =>
  account.vendor === "azure"
    ? Effect.map(connectAzure(account), (adapter) => ({ adapter, subscription: cannot("made in Azure, see docs") }))
    : connectRingCentralAccount(account)

/** An adapter for every account. What does not fit is said with its line in the file. */
export const connect = Effect.fn("connect")(function* (
  config: Config
): Effect.fn.Return<ReadonlyArray<Connected>, ConfigError, Scope.Scope> {
  return yield* Effect.forEach(config.content.accounts, (account, index) =>
    Effect.mapError(connectOne(account), (error) =>
      config.problem(["accounts", index], error._tag === "MissingVariable" ? error.message : error.problem)
    )
  )
})
