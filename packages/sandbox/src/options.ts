/**
 * How a sandbox can be set up. Everything has a default; what is secret is
 * derived from the seed, and worth nothing anywhere else.
 */
import { Schema } from "effect"
import { mostPeople } from "./people.ts"

const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))
const Name = Schema.String.check(
  Schema.isPattern(/^[a-z0-9][a-z0-9-]{0,62}$/, { message: "Expected lower-case letters, digits and dashes" })
)
const Sender = Schema.String.check(
  Schema.isPattern(/^(\+[1-9]\d{6,14}|[1-9]\d{2,7})$/, {
    message: "Expected an E.164 number such as +18005550100, or a short code such as 20500"
  })
)
const Senders = Schema.Array(Sender).check(Schema.isMinLength(1))
const Count = Schema.Int.check(Schema.isGreaterThan(0))

/** By how much this account's clock is off (ms), default 0. */
const clockSkew = Schema.optionalKey(Schema.Int)

export const AzureOptions = Schema.Struct({
  vendor: Schema.Literal("azure"),
  name: Name,
  clockSkew,
  /** Of this account's own origin; 0 or absent: any free one. */
  port: Schema.optionalKey(Port),
  /** Base64. */
  accessKey: Schema.optionalKey(Schema.String),
  senders: Senders,
  /**
   * At which senders Azure acts on texts by itself. Default `every`. For a short code that is chosen when it is provisioned,
   * and for 10DLC nobody knows; at a toll-free number it always does.
   */
  actsAt: Schema.optionalKey(Schema.Literals(["every", "toll-free"])),
  /** How far a request's date may be from this world's (ms), default a quarter of an hour. Requests are dated by real time, so a world in virtual time has to bear more. */
  dateTolerance: Schema.optionalKey(Schema.Int),
  /** After which times (ms) Event Grid tries a webhook again. The service itself begins with 10 s and ends after 24 h. */
  retryDelays: Schema.optionalKey(Schema.Array(Schema.Int))
})
export type AzureOptions = typeof AzureOptions.Type

/** App permissions, as far as something here asks for one (RingCentral OpenAPI 2026-08-13: x-app-permission; guide: webhooks, WebSockets). */
export const permissions = ["A2PSMS", "SMS", "SubscriptionWebhook", "WebSocketsSubscription"] as const
export type Permission = (typeof permissions)[number]

export const RingCentralOptions = Schema.Struct({
  vendor: Schema.Literal("ringcentral"),
  name: Name,
  clockSkew,
  port: Schema.optionalKey(Port),
  clientId: Schema.optionalKey(Schema.String),
  clientSecret: Schema.optionalKey(Schema.String),
  jwt: Schema.optionalKey(Schema.String),
  senders: Senders,
  /** What the app may do; whatever needs another permission is answered 403. Default: everything. */
  permissions: Schema.optionalKey(Schema.Array(Schema.Literals(permissions))),
  /** Rate limits; false by default. The numbers are requests a window. */
  limits: Schema.optionalKey(
    Schema.Union([
      Schema.Boolean,
      Schema.Struct({
        light: Schema.optionalKey(Count),
        medium: Schema.optionalKey(Count),
        auth: Schema.optionalKey(Count),
        windowSeconds: Schema.optionalKey(Count),
        penaltySeconds: Schema.optionalKey(Count)
      })
    ])
  ),
  /** Lifetime of an access token in seconds, default 3600. */
  tokenSeconds: Schema.optionalKey(Count),
  /** Whether logging in also gives a refresh token. Off by default, as it is for new apps. */
  refreshTokens: Schema.optionalKey(Schema.Boolean),
  /** Serves only this generation of the opt-out API, and answers 404 to the other. Absent: both, over one list. */
  api: Schema.optionalKey(Schema.Literals(["v1", "v2"])),
  /** `bare`: v1 records of `from` and `to` only, as the old guide shows them, and v2 records without a coverage. Default `full`. */
  records: Schema.optionalKey(Schema.Literals(["bare", "full"])),
  /** Whether a v2 write has to name the coverage of its records. Default false: nobody knows. */
  coverageNeeded: Schema.optionalKey(Schema.Boolean),
  /** A next token on the last page, too, followed by an empty page. Default false. */
  tokenOnLastPage: Schema.optionalKey(Schema.Boolean),
  /** Whether writes through the API cause events. Default true: nobody knows. */
  echo: Schema.optionalKey(Schema.Boolean),
  /** Whether a text that RingCentral acts on is an inbound message as well, told of and kept. Default true: nobody knows. */
  keywordTexts: Schema.optionalKey(Schema.Boolean),
  /** Whether opt-ins cause events. Default true; false is the world before October 2021, on paper. */
  optInEvents: Schema.optionalKey(Schema.Boolean),
  /** After how many failures in a row a webhook is blacklisted. Default 10. */
  blacklistAfter: Schema.optionalKey(Count),
  /** A webhook has to answer within so many milliseconds. Default 3000. */
  webhookTimeout: Schema.optionalKey(Count)
})
export type RingCentralOptions = typeof RingCentralOptions.Type

export const TwilioOptions = Schema.Struct({
  vendor: Schema.Literal("twilio"),
  name: Name,
  clockSkew,
  port: Schema.optionalKey(Port),
  senders: Senders,
  /** Whether all senders are in a Messaging Service. Default false. */
  messagingService: Schema.optionalKey(Schema.Boolean),
  /** Whether webhooks say what Twilio took a text for. Default: where there is a Messaging Service, of which it is a feature. */
  advancedOptOut: Schema.optionalKey(Schema.Boolean),
  /** How many requests about consents a minute; true: the documented 100. Default false: any number. */
  limits: Schema.optionalKey(Schema.Union([Schema.Boolean, Count]))
})
export type TwilioOptions = typeof TwilioOptions.Type

export const AccountOptions = Schema.Union([AzureOptions, RingCentralOptions, TwilioOptions])
export type AccountOptions = typeof AccountOptions.Type

export const SandboxOptions = Schema.Struct({
  /** The same seed is the same world. Default 1. */
  seed: Schema.optionalKey(Schema.Int),
  /** How many people there are: `+15550100000` and so on. Default 200. */
  people: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: mostPeople }))),
  /** How many of them are on the list of the first RingCentral sender from the beginning. Default 25, or all if there are fewer. */
  optedOut: Schema.optionalKey(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
  /** Of the control server; 0 or absent: any free one. */
  controlPort: Schema.optionalKey(Port),
  accounts: Schema.optionalKey(Schema.Array(AccountOptions).check(Schema.isMinLength(1)))
})
export type SandboxOptions = typeof SandboxOptions.Type

/** A toll-free number, a 10DLC number and a short code at Azure; one number at RingCentral. */
export const defaultAccounts: ReadonlyArray<AccountOptions> = [
  { vendor: "azure", name: "contoso", senders: ["+18005550100", "+14255550123", "20500"] },
  { vendor: "ringcentral", name: "acme", senders: ["+16505550100"] }
]
