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
