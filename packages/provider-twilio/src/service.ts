/** Twilio as a service, for Effect programs that speak to one account. */
import type { ProviderAdapter } from "@stopline/provider"
import { Context, Layer } from "effect"
import type { HttpClient } from "effect/http"
import { makeTwilioAdapter } from "./adapter.ts"
import type { TwilioConfig, TwilioConfigError } from "./config.ts"

export class Twilio extends Context.Service<Twilio, ProviderAdapter>()("@stopline/provider-twilio/Twilio") {
  static readonly layer = (config: TwilioConfig): Layer.Layer<Twilio, TwilioConfigError, HttpClient.HttpClient> =>
    Layer.effect(Twilio, makeTwilioAdapter(config))
}
