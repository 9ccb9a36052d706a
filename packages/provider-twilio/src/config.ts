/**
 * What one Twilio account needs to be spoken to.
 */
import { AccountName, SenderAddress } from "@stopline/consent"
import { Effect, Redacted, Schema } from "effect"

const sid = (letters: string) =>
  Schema.String.check(
    Schema.isPattern(new RegExp(`^${letters}[0-9a-fA-F]{32}$`), {
      message: `Expected ${letters} and 32 hexadecimal digits`
    })
  )

export const TwilioAccountSid = sid("AC")
export const TwilioApiKeySid = sid("SK")
export const TwilioMessagingServiceSid = sid("MG")

/** Everything but the secrets, in a form that a configuration file can hold. */
const TwilioSettings = Schema.Struct({
  account: AccountName,
  accountSid: TwilioAccountSid,
  apiKey: TwilioApiKeySid,
  /** The numbers and short codes of this account. All those of a Messaging Service are blocked together. */
  senders: Schema.Array(SenderAddress),
  /** Set where texts are sent through a Messaging Service. One account of ours is one service. */
  messagingService: Schema.optionalKey(TwilioMessagingServiceSid),
  /** Default: `https://accounts.twilio.com`, where consents are. */
  accountsUrl: Schema.optionalKey(Schema.String),
  /** Default: `https://api.twilio.com`, where messages are. */
  apiUrl: Schema.optionalKey(Schema.String),
  /** For a whole request. Default: 10 seconds; Twilio itself gives up after 3. */
  timeout: Schema.optionalKey(Schema.DurationFromString),
  /** Of no consequence as long as nothing is read at Twilio. Default: 30 seconds. */
  settle: Schema.optionalKey(Schema.DurationFromString)
})

/** How Twilio reaches us, and what proves that it does. */
export interface TwilioWebhook {
  /**
   * The URL that is entered at Twilio, character by character: Twilio signs it,
   * and behind a proxy nobody here sees it.
   */
  readonly url: string
  /** The primary Auth Token of the account; an API key signs nothing. */
  readonly authToken: Redacted.Redacted
  /** Still accepted while the primary one is being replaced at Twilio. */
  readonly previousAuthToken?: Redacted.Redacted
}

/** Any of them may have signed what comes. */
export const tokensOf = ({ authToken, previousAuthToken }: TwilioWebhook): ReadonlyArray<string> =>
  [authToken, previousAuthToken].flatMap((token) => (token === undefined ? [] : [Redacted.value(token)]))

export type TwilioConfig = typeof TwilioSettings.Type & {
  readonly apiKeySecret: Redacted.Redacted
  /** None: no events. */
  readonly webhook?: TwilioWebhook
}

/** The configuration cannot work. `problem` never holds a secret. */
export class TwilioConfigError extends Schema.TaggedError<TwilioConfigError>()("TwilioConfigError", {
  account: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.account}: ${this.problem}`
  }
}

/** Looks at the URLs, so that no secret goes where nobody meant it to go, and at what proves that Twilio calls. */
export const checkConfig = (config: TwilioConfig): Effect.Effect<void, TwilioConfigError> => {
  const { accountsUrl = "https://accounts.twilio.com", apiUrl = "https://api.twilio.com", webhook } = config
  const problem =
    originProblem("accountsUrl", accountsUrl) ??
    originProblem("apiUrl", apiUrl) ??
    (webhook !== undefined ? webhookProblem(webhook) : undefined)
  return problem === undefined ? Effect.void : Effect.fail(new TwilioConfigError({ account: config.account, problem }))
}

const webhookProblem = (webhook: TwilioWebhook): string | undefined => {
  if (!URL.canParse(webhook.url)) return "the webhook's URL is none"
  // Anybody can sign with an empty one, as it is left where a variable is not set.
  return tokensOf(webhook).includes("") ? "the webhook's authToken, or the one before it, is empty" : undefined
}

const originProblem = (name: string, text: string): string | undefined => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || `${url.origin}/` !== url.href) return `${name} must be a scheme and a host, nothing else`
  const loopback = url.hostname === "localhost" || /^127(\.\d{1,3}){3}$/.test(url.hostname)
  return url.protocol === "https:" || loopback ? undefined : `${name} must be https; http is for this machine only`
}
