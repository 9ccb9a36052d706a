/** An Azure Communication Services account in the configuration. */
import { AzureApiVersion, AzureLimits, makeAzureAdapter } from "@stopline/provider-azure"
import { Effect, Schema } from "effect"
import { FromEnvironment, readSecret } from "../secret.ts"
import { common } from "./account.ts"

export const AzureAccount = Schema.Struct({
  ...common,
  vendor: Schema.Literal("azure"),
  connectionString: FromEnvironment.annotateKey({
    description: "endpoint=https://….communication.azure.com/;accesskey=…"
  }),
  apiVersion: Schema.optionalKey(AzureApiVersion),
  limits: Schema.optionalKey(AzureLimits),
  webhook: Schema.optionalKey(
    Schema.Struct({
      secret: FromEnvironment.annotateKey({
        description: "At least 16 characters; stands in the webhook's URL as ?code=…"
      }),
      previousSecret: Schema.optionalKey(FromEnvironment).annotateKey({
        description: "Still accepted while it is being replaced"
      })
    })
  )
})

export const connectAzure = Effect.fn("connectAzure")(function* (account: typeof AzureAccount.Type) {
  const { name, webhook, connectionString, senders: _, vendor: __, ...settings } = account
  const secrets = [webhook?.secret, webhook?.previousSecret].filter((secret) => secret !== undefined)
  const adapter = yield* makeAzureAdapter({
    ...settings,
    account: name,
    connectionString: yield* readSecret(connectionString),
    webhookSecrets: yield* Effect.forEach(secrets, readSecret)
  })
  return adapter
})
