/** A Twilio account in the configuration. */
import { NodeHttpClient } from "@effect/platform-node"
import {
  makeTwilioAdapter,
  TwilioAccountSid,
  TwilioApiKeySid,
  TwilioConfigError,
  TwilioMessagingServiceSid
} from "@stopline/provider-twilio"
import { Effect, Layer, Schema } from "effect"
import { FromEnvironment, readSecret } from "../secret.ts"
import { common } from "./account.ts"

export const TwilioAccount = Schema.Struct({
  ...common,
  vendor: Schema.Literal("twilio"),
  accountSid: TwilioAccountSid.annotateKey({ description: "AC…" }),
  apiKey: TwilioApiKeySid.annotateKey({ description: "SK…: the SID of an API key" }),
  apiKeySecret: FromEnvironment,
  messagingService: Schema.optionalKey(TwilioMessagingServiceSid).annotateKey({
    description: "MG…, where texts are sent through a Messaging Service that has these senders"
  }),
  accountsUrl: Schema.optionalKey(Schema.String).annotateKey({ description: "Default: https://accounts.twilio.com" }),
  apiUrl: Schema.optionalKey(Schema.String).annotateKey({ description: "Default: https://api.twilio.com" }),
  webhook: Schema.optionalKey(
    Schema.Struct({
      authToken: FromEnvironment.annotateKey({
        description: "The primary Auth Token, with which Twilio signs its webhooks"
      }),
      previousAuthToken: Schema.optionalKey(FromEnvironment).annotateKey({
        description: "Still accepted while it is being replaced"
      }),
      url: Schema.optionalKey(Schema.String).annotateKey({
        description: "As entered at Twilio, to the letter. Default: http.publicUrl with /webhooks/<account>"
      })
    })
  )
})

/** @param publicUrl how providers reach this worker, where the configuration says so */
export const connectTwilio = Effect.fn("connectTwilio")(function* (
  account: typeof TwilioAccount.Type,
  publicUrl: string | undefined
) {
  const { apiKeySecret, name, vendor: _, webhook, ...settings } = account
  const url = webhook?.url ?? (publicUrl === undefined ? undefined : `${publicUrl}/webhooks/${name}`)
  if (webhook !== undefined && url === undefined) {
    const problem = "Twilio signs the webhook's URL, so it has to be known; set webhook.url here, or http.publicUrl"
    return yield* new TwilioConfigError({ account: name, problem })
  }
  const http = yield* Layer.build(NodeHttpClient.layerUndici)
  return yield* makeTwilioAdapter({
    ...settings,
    account: name,
    apiKeySecret: yield* readSecret(apiKeySecret),
    ...(webhook !== undefined && url !== undefined && { webhook: { url, ...(yield* readTokens(webhook)) } })
  }).pipe(Effect.provide(http))
})

const readTokens = Effect.fnUntraced(function* ({
  authToken,
  previousAuthToken
}: NonNullable<(typeof TwilioAccount.Type)["webhook"]>) {
  return {
    authToken: yield* readSecret(authToken),
    ...(previousAuthToken !== undefined && { previousAuthToken: yield* readSecret(previousAuthToken) })
  }
})
