/** Azure for programs that do not use Effect. */
import type { TokenCredential } from "@azure/core-auth"
import { AccountName } from "@stopline/consent"
import { openPlain, type PlainProvider } from "@stopline/provider"
import { Duration, Effect, Redacted, Schema } from "effect"
import { makeAzureAdapter } from "./adapter.ts"
import type { AzureApiVersion } from "./config.ts"

export type AzureProviderSettings = {
  /** What this account is called in errors: lower-case letters, digits and dashes. Default: `azure`. */
  readonly account?: string
  /** Default: `2026-01-23`. */
  readonly apiVersion?: AzureApiVersion
  /** What stands in the webhook's URL as `?code=…`, at least 16 characters. All of them are accepted. None: no events. */
  readonly webhookSecrets?: ReadonlyArray<string>
  /** For a whole request (ms). Default: 30000. */
  readonly timeout?: number
} & (
  | {
      /** As the portal shows it: `endpoint=https://….communication.azure.com/;accesskey=…` */
      readonly connectionString: string
    }
  | {
      readonly endpoint: string
      /** Entra ID: from `@azure/identity`. */
      readonly credential: TokenCredential
    }
)

/** Azure cannot list opt-outs, and its events are subscribed to in Azure itself. */
export type AzureProvider = PlainProvider

/** @throws ProviderConfigError where the settings cannot work */
export const createAzureProvider = ({
  account = "azure",
  apiVersion,
  timeout,
  webhookSecrets = [],
  ...access
}: AzureProviderSettings): AzureProvider =>
  openPlain(
    Effect.gen(function* () {
      return yield* makeAzureAdapter({
        account: yield* Schema.decodeEffect(AccountName)(account),
        webhookSecrets: webhookSecrets.map((secret) => Redacted.make(secret)),
        ...(apiVersion !== undefined && { apiVersion }),
        ...(timeout !== undefined && { timeout: Duration.millis(timeout) }),
        ...("connectionString" in access ? { connectionString: Redacted.make(access.connectionString) } : access)
      })
    })
  )
