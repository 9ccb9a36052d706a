/** A RingCentral account in the configuration. */
import {
  makeRingCentralAdapter,
  RingCentralApi,
  RingCentralConfigError,
  type RingCentralCredentials,
  RingCentralLimits
} from "@stopline/provider-ringcentral"
import { Effect, Redacted, Schema } from "effect"
import { FromEnvironment, readSecret } from "../secret.ts"
import { common } from "./account.ts"

export const RingCentralAccount = Schema.Struct({
  ...common,
  vendor: Schema.Literal("ringcentral"),
  server: Schema.optionalKey(Schema.NonEmptyString).annotateKey({
    description: "Default: https://platform.ringcentral.com"
  }),
  clientId: FromEnvironment,
  clientSecret: FromEnvironment,
  jwt: FromEnvironment,
  accountId: Schema.optionalKey(Schema.String),
  api: Schema.optionalKey(RingCentralApi).annotateKey({
    description: "v2: consents; v1: a2p-sms opt-outs, deprecated. Default: auto, v2 unless it is closed to the account"
  }),
  limits: Schema.optionalKey(RingCentralLimits),
  websocket: Schema.optionalKey(Schema.Boolean).annotateKey({
    description: "Takes events by a WebSocket instead of a webhook: no public URL is needed"
  }),
  webhook: Schema.optionalKey(
    Schema.Struct({
      verificationToken: FromEnvironment.annotateKey({
        description: "At least 16 characters; RingCentral repeats it in every event"
      })
    })
  )
})

/** @param publicUrl how providers reach this worker, where the configuration says so */
export const connectRingCentralAccount = Effect.fn("connectRingCentralAccount")(function* (
  account: typeof RingCentralAccount.Type,
  credentials: RingCentralCredentials,
  publicUrl: string | undefined
) {
  const { name, webhook, clientId, clientSecret, jwt, senders: _, vendor: __, ...settings } = account
  // Nothing would be subscribed to, and words that stand on no list never be heard of.
  if (webhook !== undefined && account.websocket !== true && publicUrl === undefined) {
    const problem = "RingCentral has to be told where its webhook is; set http.publicUrl, or websocket: true here"
    return yield* new RingCentralConfigError({ account: name, problem })
  }
  const verificationToken = webhook === undefined ? undefined : yield* readSecret(webhook.verificationToken)
  const config = {
    ...settings,
    account: name,
    clientId: Redacted.value(yield* readSecret(clientId)),
    clientSecret: yield* readSecret(clientSecret),
    jwt: yield* readSecret(jwt),
    ...(verificationToken !== undefined && { verificationToken })
  }
  return yield* makeRingCentralAdapter(config, undefined, credentials)
})
