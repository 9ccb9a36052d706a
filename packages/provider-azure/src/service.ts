/** Azure as a service, for Effect programs that speak to one account. */
import type { ProviderAdapter } from "@stopline/provider"
import { Context, Layer } from "effect"
import { makeAzureAdapter } from "./adapter.ts"
import type { AzureConfig, AzureConfigError } from "./config.ts"

export class Azure extends Context.Service<Azure, ProviderAdapter>()("@stopline/provider-azure/Azure") {
  static readonly layer = (config: AzureConfig): Layer.Layer<Azure, AzureConfigError> =>
    Layer.effect(Azure, makeAzureAdapter(config))
}
