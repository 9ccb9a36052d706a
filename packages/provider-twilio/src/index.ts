export { makeTwilioAdapter } from "./adapter.ts"
export {
  TwilioAccountSid,
  TwilioApiKeySid,
  type TwilioConfig,
  TwilioConfigError,
  TwilioMessagingServiceSid,
  type TwilioWebhook
} from "./config.ts"
export { createTwilioProvider, type TwilioProvider, type TwilioProviderSettings } from "./plain.ts"
export { Twilio } from "./service.ts"
export {
  type CallOptions,
  type Fact,
  ProviderCallError,
  ProviderConfigError,
  type Webhook,
  type WebhookRequest,
  type Written
} from "@stopline/provider"
