/**
 * What one RingCentral account needs to be spoken to.
 */
import { AccountName } from "@stopline/consent"
import { isLoopback } from "@stopline/provider"
import { Duration, Effect, type Redacted, Schema } from "effect"

const Positive = Schema.Int.check(Schema.isGreaterThan(0))
const Secret = Schema.RedactedFromValue(Schema.NonEmptyString)

/**
 * How much is sent. Defaults: what RingCentral's answers allow, and until one
 * came 50 requests in 60 seconds; a penalty of 60 seconds (RingCentral guide: rate
 * limits, group Light); 4 at once (ours).
 */
export const RingCentralLimits = Schema.Struct({
  requests: Schema.optionalKey(Positive),
  window: Schema.optionalKey(Schema.DurationFromString),
  /** How long to send nothing after a 429 that names no time. */
  penalty: Schema.optionalKey(Schema.DurationFromString),
  concurrency: Schema.optionalKey(Positive),
  /**
   * Recipients in one write. Default and maximum of v2: 1000 (RingCentral OpenAPI
   * 2026-08-13). For v1 no maximum is published, so 100 is a cautious guess.
   */
  recipients: Schema.optionalKey(Positive)
})
export type RingCentralLimits = typeof RingCentralLimits.Type

/**
 * Which generation of the opt-out API to speak: `v2` is `…/sms/consents`, `v1` is
 * `…/a2p-sms/opt-outs`, deprecated since May 2025. Default: `auto`, v2 unless it is
 * closed to the account.
 */
export const RingCentralApi = Schema.Literals(["auto", "v2", "v1"])
export type RingCentralApi = typeof RingCentralApi.Type

const tokenLength = 16

/** What RingCentral repeats in every webhook request, and what proves that it speaks. At least 16 characters. */
export const RingCentralVerificationToken = Schema.RedactedFromValue(
  Schema.String.check(
    Schema.isPattern(/^[\x21-\x7e]+$/, { message: "Expected printable ASCII: it travels in a header" }),
    Schema.isMinLength(tokenLength, { message: `Expected a token of at least ${tokenLength} characters` })
  )
)

/** In a form that a configuration file can hold; the secrets come out redacted. */
export const RingCentralConfig = Schema.Struct({
  account: AccountName,
  /** Scheme and host. Default: `https://platform.ringcentral.com`. */
  server: Schema.optionalKey(Schema.NonEmptyString),
  clientId: Schema.NonEmptyString,
  clientSecret: Secret,
  /** The JWT credential made in RingCentral's developer console: it logs in the user who made it. */
  jwt: Secret,
  /** Default `~`: the account of the user who logs in. */
  accountId: Schema.optionalKey(
    Schema.String.check(Schema.isPattern(/^(~|\d{1,20})$/, { message: "Expected ~ or an account id in digits" }))
  ),
  api: Schema.optionalKey(RingCentralApi),
  limits: Schema.optionalKey(RingCentralLimits),
  /** None: no events. */
  verificationToken: Schema.optionalKey(RingCentralVerificationToken),
  /** Takes events by a WebSocket, for which the app needs the permission `WebSocketsSubscription`. Default: no. */
  websocket: Schema.optionalKey(Schema.Boolean),
  /** For one request, its answer's body included. Default: 30 seconds. */
  timeout: Schema.optionalKey(Schema.DurationFromString),
  /** How long after a write a read is not believed. Default: 60 seconds, a guess: RingCentral promises nothing. */
  settle: Schema.optionalKey(Schema.DurationFromString)
})
export type RingCentralConfig = typeof RingCentralConfig.Type

/** The configuration cannot work. `problem` never holds a secret or a part of one. */
export class RingCentralConfigError extends Schema.TaggedError<RingCentralConfigError>()("RingCentralConfigError", {
  account: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.account}: ${this.problem}`
  }
}

/** So many requests in so long. */
export interface Pace {
  readonly requests: number
  readonly window: Duration.Duration
}

/** A configuration that was looked at, with its defaults filled in. */
export interface ResolvedConfig {
  readonly account: AccountName
  readonly server: URL
  readonly clientId: string
  readonly clientSecret: Redacted.Redacted
  readonly jwt: Redacted.Redacted
  readonly accountId: string
  readonly api: RingCentralApi
  /** Only where it was configured: otherwise RingCentral's answers say it. */
  readonly pace: Pace | undefined
  readonly penalty: Duration.Duration
  readonly concurrency: number
  /** Undefined: as many as the API takes. */
  readonly recipients: number | undefined
  readonly verificationToken: Redacted.Redacted | undefined
  readonly websocket: boolean
  readonly timeout: Duration.Duration
  readonly settle: Duration.Duration
  /** What requests leave by. */
  readonly fetch: typeof fetch
}

export const resolveConfig = Effect.fn("resolveConfig")(function* (
  given: RingCentralConfig,
  network: typeof fetch = globalThis.fetch
) {
  const fail = (problem: string) => new RingCentralConfigError({ account: given.account, problem })
  // Looked at again, because not every caller had its values from the schema. The message names places, never values.
  const config = yield* Effect.mapError(validate(given), (error) => fail(error.message))
  const server = yield* readServer(config.server ?? production).pipe(Effect.mapError(fail))
  const { limits } = config
  const resolved: ResolvedConfig = {
    account: config.account,
    server,
    clientId: config.clientId,
    clientSecret: config.clientSecret,
    jwt: config.jwt,
    accountId: config.accountId ?? "~",
    api: config.api ?? "auto",
    pace:
      limits?.requests === undefined && limits?.window === undefined
        ? undefined
        : { requests: limits.requests ?? 50, window: limits.window ?? Duration.seconds(60) },
    penalty: limits?.penalty ?? Duration.seconds(60),
    concurrency: limits?.concurrency ?? 4,
    recipients: limits?.recipients,
    verificationToken: config.verificationToken,
    websocket: config.websocket ?? false,
    timeout: config.timeout ?? Duration.seconds(30),
    settle: config.settle ?? Duration.seconds(60),
    fetch: network
  }
  return resolved
})

const validate = Schema.decodeUnknownEffect(Schema.toType(RingCentralConfig), { errors: "all" })

const production = "https://platform.ringcentral.com"

const readServer = (text: string): Effect.Effect<URL, string> => {
  const url = URL.parse(text)
  if (url === null) return Effect.fail("the server is not of the form https://platform.ringcentral.com")
  if (url.href !== `${url.origin}/`) return Effect.fail("the server must be a scheme and a host, nothing else")
  // RingCentral has no sandbox any more, and its SDK answers the old address with a line on the console.
  if (url.hostname === "platform.devtest.ringcentral.com") return Effect.fail("RingCentral has closed this sandbox")
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url))) return Effect.succeed(url)
  return Effect.fail("the server must be https; http is for this machine only")
}
