/** From accounts in the configuration to adapters. The only place that knows which vendors there are. */
import type { Gate, ProviderAdapter } from "@stopline/provider"
import type { AzureConfigError } from "@stopline/provider-azure"
import {
  openRingCentralCredentials,
  type RingCentralConfigError,
  type RingCentralCredentials
} from "@stopline/provider-ringcentral"
import type { TwilioConfigError } from "@stopline/provider-twilio"
import { Effect, type Scope } from "effect"
import type { Account } from "./config.ts"
import type { Config, ConfigError } from "./load.ts"
import type { VariableError } from "./secret.ts"
import { connectAzure } from "./vendors/azure.ts"
import { connectRingCentralAccount } from "./vendors/ringcentral.ts"
import { connectTwilio } from "./vendors/twilio.ts"

type ConnectError = VariableError | AzureConfigError | RingCentralConfigError | TwilioConfigError

const connectOne = (
  account: Account,
  credentials: RingCentralCredentials,
  publicUrl: string | undefined
): Effect.Effect<ProviderAdapter, ConnectError, Scope.Scope> => {
  switch (account.vendor) {
    case "azure":
      return connectAzure(account)
    case "ringcentral":
      return connectRingCentralAccount(account, credentials, publicUrl)
    case "twilio":
      return connectTwilio(account, publicUrl)
  }
}

/**
 * An adapter for every account. What does not fit is said with its line in the file.
 *
 * @param gates what logins wait at; absent as long as there is no ledger
 */
export const connect = Effect.fn("connect")(function* (
  config: Config,
  gates?: (vendor: string) => Gate
): Effect.fn.Return<ReadonlyArray<ProviderAdapter>, ConfigError, Scope.Scope> {
  const credentials = yield* openRingCentralCredentials(gates?.("ringcentral"))
  return yield* Effect.forEach(config.content.accounts, (account, index) =>
    Effect.mapError(connectOne(account, credentials, config.content.http?.publicUrl), (error) =>
      config.problem(["accounts", index], error._tag === "VariableError" ? error.message : error.problem)
    )
  )
})
