export { makeAzureAdapter } from "./adapter.ts"
export {
  type AzureAccess,
  AzureApiVersion,
  type AzureConfig,
  AzureConfigError,
  AzureEntra,
  AzureEventSource,
  AzureLimits,
  AzureSettings,
  AzureWebhookSecret
} from "./config.ts"
export { azureKeywords } from "./keywords.ts"
export { type AzureProvider, type AzureProviderSettings, createAzureProvider } from "./plain.ts"
export { Azure } from "./service.ts"
export {
  type CallOptions,
  type Checked,
  type Fact,
  ProviderCallError,
  ProviderConfigError,
  type Webhook,
  type WebhookRequest,
  type Written
} from "@stopline/provider"
