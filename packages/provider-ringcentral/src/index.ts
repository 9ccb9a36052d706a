export { makeRingCentralAdapter } from "./adapter.ts"
export { RingCentralConfig, RingCentralConfigError, RingCentralLimits, RingCentralVerificationToken } from "./config.ts"
export { ringcentralKeywords } from "./keywords.ts"
