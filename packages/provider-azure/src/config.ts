/**
 * What one Azure Communication Services account needs to be spoken to.
 */
import { parseClientArguments } from "@azure/communication-common"
import type { KeyCredential, TokenCredential } from "@azure/core-auth"
import { AccountName } from "@stopline/consent"
import { isLoopback } from "@stopline/provider"
import { Duration, Effect, Redacted, Schema } from "effect"

/** The stable version, and the first one that knows opt-outs: the same requests and answers. */
export const AzureApiVersion = Schema.Literals(["2026-01-23", "2024-12-10-preview"])
export type AzureApiVersion = typeof AzureApiVersion.Type

const Positive = Schema.Int.check(Schema.isGreaterThan(0))

/** How much is sent. Azure publishes no limit for opt-outs, so the defaults are ours: 200 requests in 60 seconds, 4 at once. */
export const AzureLimits = Schema.Struct({
  requests: Schema.optionalKey(Positive),
  window: Schema.optionalKey(Schema.DurationFromString),
  /** How long to send nothing after a 429 that names no time. Default: 60 seconds. */
  penalty: Schema.optionalKey(Schema.DurationFromString),
  concurrency: Schema.optionalKey(Positive)
})
export type AzureLimits = typeof AzureLimits.Type

const secretLength = 16

/** What stands in the webhook's URL and proves that Event Grid speaks. At least 16 characters. */
export const AzureWebhookSecret = Schema.RedactedFromValue(
  Schema.String.check(
    Schema.isMinLength(secretLength, { message: `Expected a secret of at least ${secretLength} characters` })
  )
)

const Texts = Schema.Array(Schema.NonEmptyString).check(Schema.isMinLength(1))

/**
 * How a token that Event Grid sends is known to be its own. Several issuers and
 * audiences are accepted, so that one can be replaced while events arrive.
 */
export const AzureEntra = Schema.Struct({
  /** Where Entra ID publishes the keys of the tenant. https, or this machine. */
  keys: Schema.NonEmptyString.check(
    Schema.makeFilter((text) => isSafe(URL.parse(text)) || "Expected an https URL", { title: "https URL" })
  ),
  /** Who may have issued the token. */
  issuers: Texts,
  /** For whom it may have been issued: the application's id or URI. */
  audiences: Texts,
  /** The role its owner must have. Default: `AzureEventGridSecureWebhookSubscriber`. */
  role: Schema.optionalKey(Schema.NonEmptyString)
})
export type AzureEntra = typeof AzureEntra.Type

/** Where Event Grid puts the events. Only the webhook is read so far. */
export const AzureEventSource = Schema.Literals(["webhook", "service-bus", "storage-queue"])
export type AzureEventSource = typeof AzureEventSource.Type

/** Everything but the credentials, in a form that a configuration file can hold. */
export const AzureSettings = Schema.Struct({
  account: AccountName,
  /** Default: `2026-01-23`. */
  apiVersion: Schema.optionalKey(AzureApiVersion),
  limits: Schema.optionalKey(AzureLimits),
  /** All of them are accepted, so that one can be replaced while events arrive. None: no events. */
  webhookSecrets: Schema.optionalKey(Schema.Array(AzureWebhookSecret)),
  /** A token of Entra ID that proves the same as a secret does. */
  entra: Schema.optionalKey(AzureEntra),
  /** Default: `webhook`. */
  events: Schema.optionalKey(AzureEventSource),
  /** For a whole request, signing and answer included. Default: 30 seconds. */
  timeout: Schema.optionalKey(Schema.DurationFromString),
  /** How long after a write a check is not believed. Default: 30 seconds. */
  settle: Schema.optionalKey(Schema.DurationFromString)
})

/** An access key with its endpoint, as the portal shows it, or an endpoint and an Entra ID credential. */
export type AzureAccess =
  | { readonly connectionString: Redacted.Redacted }
  | { readonly endpoint: string; readonly credential: TokenCredential }

export type AzureConfig = typeof AzureSettings.Type & AzureAccess

/** The configuration cannot work. `problem` never holds the connection string or a part of it. */
export class AzureConfigError extends Schema.TaggedError<AzureConfigError>()("AzureConfigError", {
  account: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.account}: ${this.problem}`
  }
}

/** A configuration that was looked at, with its defaults filled in. */
export interface ResolvedConfig {
  readonly account: AccountName
  readonly endpoint: URL
  readonly credential: KeyCredential | TokenCredential
  readonly apiVersion: AzureApiVersion
  readonly requests: number
  readonly window: Duration.Duration
  readonly penalty: Duration.Duration
  readonly concurrency: number
  readonly webhookSecrets: ReadonlyArray<Redacted.Redacted>
  readonly entra: AzureEntra | undefined
  readonly events: AzureEventSource
  readonly timeout: Duration.Duration
  readonly settle: Duration.Duration
}

export const resolveConfig = Effect.fn("resolveConfig")(function* (config: AzureConfig) {
  const access = yield* readAccess(config)
  const problem = accessProblem(access) ?? secretProblem(config)
  if (problem !== undefined) return yield* new AzureConfigError({ account: config.account, problem })
  const resolved: ResolvedConfig = {
    account: config.account,
    ...access,
    apiVersion: config.apiVersion ?? "2026-01-23",
    requests: config.limits?.requests ?? 200,
    window: config.limits?.window ?? Duration.seconds(60),
    penalty: config.limits?.penalty ?? Duration.seconds(60),
    concurrency: config.limits?.concurrency ?? 4,
    webhookSecrets: config.webhookSecrets ?? [],
    entra: config.entra,
    events: config.events ?? "webhook",
    timeout: config.timeout ?? Duration.seconds(30),
    // A guess: in recorded traffic a check right after a write already saw it, but nobody promises that.
    settle: config.settle ?? Duration.seconds(30)
  }
  return resolved
})

type Access = Pick<ResolvedConfig, "endpoint" | "credential">

const readAccess = (config: AzureConfig): Effect.Effect<Access, AzureConfigError> =>
  Effect.try({
    try: () => {
      const { url, credential } =
        "connectionString" in config
          ? parseClientArguments(Redacted.value(config.connectionString))
          : parseClientArguments(config.endpoint, config.credential)
      return { endpoint: new URL(url), credential }
    },
    // The parser's own message repeats the whole connection string, key included.
    catch: () =>
      new AzureConfigError({
        account: config.account,
        problem:
          "connectionString" in config
            ? "the connection string is not of the form endpoint=https://….communication.azure.com/;accesskey=…"
            : "the endpoint is not of the form https://….communication.azure.com"
      })
  })

const accessProblem = ({ credential, endpoint }: Access): string | undefined => {
  if (endpoint.username !== "" || endpoint.password !== "" || endpoint.search !== "" || endpoint.hash !== "") {
    return "the endpoint must be a scheme and a host, nothing else"
  }
  if (endpoint.protocol !== "https:") {
    if (!isLoopback(endpoint)) return "the endpoint must be https; http is for this machine only"
    if ("getToken" in credential) return "Entra ID tokens are sent over https only"
  }
  if ("key" in credential && !Schema.is(AccessKey)(credential.key)) return "the access key is not base64"
  return undefined
}

const AccessKey = Schema.NonEmptyString.check(Schema.isBase64())

const secretProblem = (config: AzureConfig): string | undefined =>
  config.webhookSecrets?.some((secret) => Redacted.value(secret).length < secretLength)
    ? `a webhook secret is shorter than ${secretLength} characters`
    : undefined

const isSafe = (url: URL | null): boolean =>
  url !== null && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url)))
