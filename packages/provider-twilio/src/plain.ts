/** Twilio for programs that do not use Effect. */
import { AccountName, SenderAddress } from "@stopline/consent"
import { openPlain, type PlainProvider } from "@stopline/provider"
import { Duration, Effect, Redacted, Schema } from "effect"
import { FetchHttpClient } from "effect/http"
import { makeTwilioAdapter } from "./adapter.ts"

export interface TwilioProviderSettings {
  /** What this account is called in errors: lower-case letters, digits and dashes. Default: `twilio`. */
  readonly account?: string
  /** `AC…` */
  readonly accountSid: string
  /** The SID of an API key: `SK…` */
  readonly apiKey: string
  readonly apiKeySecret: string
  /** The account's numbers and short codes; of a Messaging Service all of them. */
  readonly senders: ReadonlyArray<string>
  /** `MG…`, where texts are sent through a Messaging Service. */
  readonly messagingService?: string
  /** Its URL to the letter as it is entered at Twilio, and the primary Auth Token; the one before is still accepted. None: no events. */
  readonly webhook?: { readonly url: string; readonly authToken: string; readonly previousAuthToken?: string }
  /** Default: `https://accounts.twilio.com`, where consents are. */
  readonly accountsUrl?: string
  /** For one request (ms). Default: 10000. */
  readonly timeout?: number
}

/** Twilio cannot be asked who is opted out, and its webhook is entered in Twilio's console. */
export type TwilioProvider = Omit<PlainProvider, "check">

/** @throws ProviderConfigError where the settings cannot work */
export const createTwilioProvider = ({
  account = "twilio",
  apiKeySecret,
  senders,
  timeout,
  webhook,
  ...settings
}: TwilioProviderSettings): TwilioProvider =>
  openPlain(
    Effect.gen(function* () {
      return yield* makeTwilioAdapter({
        ...settings,
        account: yield* Schema.decodeEffect(AccountName)(account),
        apiKeySecret: Redacted.make(apiKeySecret),
        senders: yield* Schema.decodeEffect(Schema.Array(SenderAddress))(senders),
        ...(webhook !== undefined && {
          webhook: {
            url: webhook.url,
            authToken: Redacted.make(webhook.authToken),
            ...(webhook.previousAuthToken !== undefined && {
              previousAuthToken: Redacted.make(webhook.previousAuthToken)
            })
          }
        }),
        ...(timeout !== undefined && { timeout: Duration.millis(timeout) })
      })
    }).pipe(Effect.provide(FetchHttpClient.layer))
  )
