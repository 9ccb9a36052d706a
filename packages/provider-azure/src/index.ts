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
