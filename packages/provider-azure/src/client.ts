/**
 * One signed request to Azure. Signing, proxies and TLS are Microsoft's own
 * pipeline; it never retries, because the engine does.
 */
import * as http from "node:http"
import * as https from "node:https"
import { createCommunicationAuthPolicy } from "@azure/communication-common"
import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpClient,
  proxyPolicyName
} from "@azure/core-rest-pipeline"
import type { Recipient, SenderAddress } from "@stopline/consent"
import { type BatchRefused, isLoopback, type Operation, type ProviderError } from "@stopline/provider"
import { Clock, Duration, Effect, Option, Schema } from "effect"
import type { ResolvedConfig } from "./config.ts"
import { fromCause, fromResponse, type Subject, unreadable } from "./failure.ts"
import { OptOutRequest, OptOutResponse } from "./wire.ts"

/** Azure OpenAPI 2026-01-23: `recipients` has 1 to 100 items. */
export const maxRecipients = 100

export type AzureOperation = Extract<Operation, "probe" | "check" | "optOut" | "optIn">

const action = { probe: "check", check: "check", optOut: "add", optIn: "remove" } as const

export interface AzureClient {
  /** One request; the items of its answer, in the order they came. */
  readonly send: (
    operation: AzureOperation,
    sender: SenderAddress,
    recipients: ReadonlyArray<Recipient>
  ) => Effect.Effect<ReadonlyArray<unknown>, ProviderError | BatchRefused>
}

export const makeClient = Effect.fn("makeClient")(function* (
  config: ResolvedConfig,
  network: HttpClient = createDefaultHttpClient()
) {
  const { account, credential, endpoint } = config
  const plain = endpoint.protocol === "http:"
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => (plain ? new http.Agent({ keepAlive: true }) : new https.Agent({ keepAlive: true }))),
    (agent) => Effect.sync(() => agent.destroy())
  )
  const pipeline = createPipelineFromOptions({
    retryOptions: { maxRetries: 0 },
    redirectOptions: { maxRetries: 0 },
    userAgentOptions: { userAgentPrefix: "stopline" }
  })
  pipeline.addPolicy(createCommunicationAuthPolicy(credential), { phase: "Sign" })
  if (isLoopback(endpoint)) pipeline.removePolicy({ name: proxyPolicyName })

  const send = Effect.fn("AzureClient.send")(function* (
    operation: AzureOperation,
    sender: SenderAddress,
    recipients: ReadonlyArray<Recipient>
  ) {
    const subject: Subject = { account, operation, writes: operation === "optOut" || operation === "optIn" }
    const url = new URL(`/sms/optouts:${action[operation]}?api-version=${config.apiVersion}`, endpoint).href
    const body = yield* encodeRequest({ from: sender, recipients: recipients.map((to) => ({ to })) })
    let departed = false
    const transport: HttpClient = {
      sendRequest: (request) => {
        departed = true
        // The proxy policy has set one already where a proxy is configured.
        request.agent ??= agent
        return network.sendRequest(request)
      }
    }
    const response = yield* Effect.tryPromise({
      try: (interrupted) =>
        within(config.timeout, interrupted, (abortSignal) =>
          pipeline.sendRequest(
            transport,
            createPipelineRequest({
              url,
              method: "POST",
              body,
              headers: createHttpHeaders({ "content-type": "application/json", accept: "application/json" }),
              abortSignal,
              allowInsecureConnection: plain
            })
          )
        ),
      catch: (cause) => fromCause(subject, cause, departed)
    })
    if (response.status < 200 || response.status >= 300) {
      return yield* Effect.fail(fromResponse(subject, response, yield* Clock.currentTimeMillis))
    }
    return yield* Option.match(decodeAnswer(response.bodyAsText), {
      onNone: () => Effect.fail(unreadable(subject)),
      onSome: ({ value }) => Effect.succeed(value)
    })
  })
  return { send } satisfies AzureClient
})

const encodeRequest = (request: Parameters<typeof encode>[0]) => Effect.orDie(encode(request))
const encode = Schema.encodeEffect(OptOutRequest)

const decodeAnswer = Schema.decodeUnknownOption(OptOutResponse)

/**
 * Runs until it is done, interrupted or out of time, and aborts it in the two
 * latter cases. The time is real time, not Effect's clock: a socket knows no
 * other. It covers the wait for a token too, whose source may ignore the signal.
 */
const within = async <A>(
  limit: Duration.Duration,
  interrupted: AbortSignal,
  run: (signal: AbortSignal) => Promise<A>
): Promise<A> => {
  const controller = new AbortController()
  const { signal } = controller
  const abort = () => controller.abort()
  const timer = setTimeout(abort, Duration.toMillis(limit))
  interrupted.addEventListener("abort", abort, { once: true })
  try {
    const cut = new Promise<never>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    return await Promise.race([run(signal), cut])
  } finally {
    clearTimeout(timer)
    interrupted.removeEventListener("abort", abort)
  }
}
