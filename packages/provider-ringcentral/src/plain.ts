/** RingCentral for programs that do not use Effect. */
import { AccountName } from "@stopline/consent"
import { openPlain, type PlainLister, type PlainProvider, type PlainSubscriber } from "@stopline/provider"
import { Duration, Effect, Redacted, Schema } from "effect"
import { makeRingCentralAdapter } from "./adapter.ts"

export interface RingCentralProviderSettings {
  /** What this account is called in errors: lower-case letters, digits and dashes. Default: `ringcentral`. */
  readonly account?: string
  /** Scheme and host. Default: `https://platform.ringcentral.com`. */
  readonly server?: string
  readonly clientId: string
  readonly clientSecret: string
  /** The JWT credential made in RingCentral's developer console. */
  readonly jwt: string
  /** RingCentral's id of the account. Default `~`: that of the user who logs in. */
  readonly accountId?: string
  /** What RingCentral repeats in each event, at least 16 characters. None: no events. */
  readonly verificationToken?: string
  /** For one request (ms). Default: 30000. */
  readonly timeout?: number
}

export type RingCentralProvider = PlainProvider & PlainLister & PlainSubscriber

/** @throws ProviderConfigError where the settings cannot work */
export const createRingCentralProvider = ({
  account = "ringcentral",
  clientSecret,
  jwt,
  timeout,
  verificationToken,
  ...settings
}: RingCentralProviderSettings): RingCentralProvider =>
  openPlain(
    Effect.gen(function* () {
      return yield* makeRingCentralAdapter({
        ...settings,
        account: yield* Schema.decodeEffect(AccountName)(account),
        clientSecret: Redacted.make(clientSecret),
        jwt: Redacted.make(jwt),
        ...(verificationToken !== undefined && { verificationToken: Redacted.make(verificationToken) }),
        ...(timeout !== undefined && { timeout: Duration.millis(timeout) })
      })
    })
  )
