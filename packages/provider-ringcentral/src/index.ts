export { makeRingCentralAdapter } from "./adapter.ts"
export {
  RingCentralApi,
  RingCentralConfig,
  RingCentralConfigError,
  RingCentralLimits,
  RingCentralVerificationToken
} from "./config.ts"
export { openRingCentralCredentials, type RingCentralCredentials } from "./credential.ts"
export { type ConsentExport, ConsentExportError, exportConsents, readConsentExport } from "./export.ts"
export { ringcentralKeywords } from "./keywords.ts"
export { createRingCentralProvider, type RingCentralProvider, type RingCentralProviderSettings } from "./plain.ts"
export { RingCentral } from "./service.ts"
export {
  type CallOptions,
  type Checked,
  type Fact,
  type ListOptions,
  type OptOut,
  type OptOutPage,
  ProviderCallError,
  ProviderConfigError,
  type Webhook,
  type WebhookRequest,
  type Written
} from "@stopline/provider"
