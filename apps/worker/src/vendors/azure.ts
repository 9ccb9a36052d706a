/** An Azure Communication Services account in the configuration. */
import { AzureApiVersion, AzureEntra, AzureEventSource, AzureLimits, makeAzureAdapter } from "@stopline/provider-azure"
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
  events: Schema.optionalKey(AzureEventSource).annotateKey({
    description: "Where Event Grid puts the events. Only webhook, which it is if left out, is read so far"
  }),
  webhook: Schema.optionalKey(
    Schema.Struct({
      secret: Schema.optionalKey(FromEnvironment).annotateKey({
        description:
          "At least 16 characters; stands in the webhook's URL as ?code=…, or in the header x-stopline-secret"
      }),
      previousSecret: Schema.optionalKey(FromEnvironment).annotateKey({
        description: "Still accepted while it is being replaced"
      }),
      entra: Schema.optionalKey(AzureEntra).annotateKey({
        description: "Takes the Entra ID token of Event Grid for a proof; beside a secret, either suffices"
      })
    }).check(
      Schema.makeFilter(
        ({ entra, secret }) => secret !== undefined || entra !== undefined || "Expected a secret, or entra, or both",
        { title: "with a proof" }
      )
    )
  )
})

export const connectAzure = Effect.fn("connectAzure")(function* (account: typeof AzureAccount.Type) {
  const { name, webhook, connectionString, senders: _, vendor: __, ...settings } = account
  const secrets = [webhook?.secret, webhook?.previousSecret].filter((secret) => secret !== undefined)
  const adapter = yield* makeAzureAdapter({
    ...settings,
    account: name,
    connectionString: yield* readSecret(connectionString),
    webhookSecrets: yield* Effect.forEach(secrets, readSecret),
    ...(webhook?.entra !== undefined && { entra: webhook.entra })
  })
  return adapter
})
