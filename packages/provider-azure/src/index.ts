export { makeAzureAdapter } from "./adapter.ts"
export {
  type AzureAccess,
  AzureApiVersion,
  type AzureConfig,
  AzureConfigError,
  AzureLimits,
  AzureSettings,
  AzureWebhookSecret
} from "./config.ts"
export { azureKeywords } from "./keywords.ts"
