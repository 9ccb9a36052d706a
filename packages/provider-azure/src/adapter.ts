/**
 * What Azure Communication Services can do about SMS opt-outs, in one screen.
 */
import type { HttpClient } from "@azure/core-rest-pipeline"
import { can, cannot, type LimitGroup, type ProviderAdapter } from "@stopline/provider"
import { Effect, type Scope } from "effect"
import { checkPort, probe } from "./check.ts"
import { makeClient } from "./client.ts"
import { type AzureConfig, type AzureConfigError, resolveConfig, type ResolvedConfig } from "./config.ts"
import { azureKeywords } from "./keywords.ts"
import { eventPort } from "./webhook.ts"
import { optInPort, optOutPort } from "./write.ts"

/**
 * An adapter for one account. Its connections are closed with the scope.
 *
 * @param network what signed requests leave by, where it is not the pipeline's own client: a world in memory
 */
export const makeAzureAdapter: (
  config: AzureConfig,
  network?: HttpClient
) => Effect.Effect<ProviderAdapter, AzureConfigError, Scope.Scope> = Effect.fn("makeAzureAdapter")(function* (
  config: AzureConfig,
  network?: HttpClient
) {
  const resolved = yield* resolveConfig(config)
  const client = yield* makeClient(resolved, network)
  const { account, concurrency, entra, events, settle, webhookSecrets: secrets } = resolved
  return {
    account,
    vendor: "azure",
    probe: probe(client),
    list: cannot("Azure has no operation that lists opt-outs; it only answers for recipients it is asked about", api),
    check: can(checkPort(client)),
    write: { optOut: can(optOutPort(client, concurrency)), optIn: can(optInPort(client, concurrency)) },
    events: eventPort({ account, keywords: azureKeywords }, { secrets, entra }, events),
    subscription: cannot(
      "Event Grid subscriptions are made in Azure itself: `az eventgrid event-subscription create`",
      eventGrid
    ),
    stream: cannot("Azure calls webhooks; it offers no connection that brings events", eventGrid),
    evidence: cannot("Azure does not keep the texts that people send", privacy),
    limits: [limitGroup(resolved)],
    keywords: azureKeywords,
    settle
  } satisfies ProviderAdapter
})

const api = "https://learn.microsoft.com/rest/api/communication/sms/opt-outs"
const eventGrid = "https://learn.microsoft.com/azure/event-grid/communication-services-telephony-sms-events"
const privacy = "https://learn.microsoft.com/azure/communication-services/concepts/privacy"

/** All opt-out operations of one resource draw on one limit: it is the resource that Azure could throttle. */
const limitGroup = ({ endpoint, penalty, requests, window }: ResolvedConfig): LimitGroup => ({
  name: "opt-outs",
  credential: endpoint.host,
  requests,
  window,
  penalty,
  operations: ["probe", "check", "optOut", "optIn"]
})
