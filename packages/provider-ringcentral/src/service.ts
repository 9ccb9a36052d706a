/** RingCentral as a service, for Effect programs that speak to one account. */
import type { ProviderAdapter } from "@stopline/provider"
import { Context, Layer } from "effect"
import { makeRingCentralAdapter } from "./adapter.ts"
import type { RingCentralConfig, RingCentralConfigError } from "./config.ts"

export class RingCentral extends Context.Service<RingCentral, ProviderAdapter>()(
  "@stopline/provider-ringcentral/RingCentral"
) {
  static readonly layer = (config: RingCentralConfig): Layer.Layer<RingCentral, RingCentralConfigError> =>
    Layer.effect(RingCentral, makeRingCentralAdapter(config))
}
