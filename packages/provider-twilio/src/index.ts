export { makeTwilioAdapter } from "./adapter.ts"
export {
  TwilioAccountSid,
  TwilioApiKeySid,
  type TwilioConfig,
  TwilioConfigError,
  TwilioMessagingServiceSid,
  type TwilioWebhook
} from "./config.ts"
