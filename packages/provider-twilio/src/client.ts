/**
 * Requests to Twilio: Basic authentication with an API key, no retry, no
 * redirect, and every answer sorted by what to do next.
 *
 * Twilio's own client is not used here: it cannot be stopped in the middle of a
 * request, and its errors repeat sentences of Twilio's.
 */
import { neverSent, type Operation, type ProviderFailure, ProviderError } from "@stopline/provider"
import { Denied, Refused, Throttled, Unavailable, Unreadable, readRetryAfter } from "@stopline/provider"
import { Clock, Deferred, Duration, Effect, Option, Schema } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import type { TwilioConfig } from "./config.ts"
import { ErrorBody } from "./wire.ts"

export interface Client {
  /** Asks once, and reads the answer by the schema. */
  readonly ask: <S extends Schema.ConstraintDecoder<unknown>>(
    operation: Operation,
    request: HttpClientRequest.HttpClientRequest,
    schema: S
  ) => Effect.Effect<S["Type"], ProviderError>
  readonly fail: (operation: Operation, reason: ProviderFailure, detail: string) => ProviderError
}

export const makeClient = Effect.fn("Twilio.makeClient")(function* (config: TwilioConfig) {
  const http = HttpClient.mapRequest(
    yield* HttpClient.HttpClient,
    HttpClientRequest.basicAuth(config.apiKey, config.apiKeySecret)
  )
  const timeout = config.timeout ?? Duration.seconds(10)
  // What is in flight ends with the scope.
  const closed = yield* Deferred.make<never, "closed">()
  yield* Effect.addFinalizer(() => Deferred.fail(closed, "closed"))
  const fail: Client["fail"] = (operation, reason, detail) =>
    new ProviderError({ account: config.account, operation, reason, detail })

  const ask: Client["ask"] = Effect.fn("Twilio.ask")(function* (operation, request, schema) {
    const mayHaveApplied = operation === "optOut" || operation === "optIn"
    const noAnswer = (error: unknown) =>
      neverSent(error)
        ? fail(operation, new Unavailable({ mayHaveApplied: false }), "no connection could be made")
        : fail(operation, new Unavailable({ mayHaveApplied }), "no answer came, or it broke off on its way")
    const answer = yield* http.execute(request).pipe(
      Effect.flatMap(({ headers, status, text }) => Effect.map(text, (body) => ({ body, headers, status }))),
      // Where the client is fetch, which would carry the request elsewhere by itself.
      Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
      Effect.timeout(timeout),
      Effect.raceFirst(Deferred.await(closed)),
      Effect.mapError(noAnswer)
    )
    const refusal = reasonOf(answer, mayHaveApplied, yield* Clock.currentTimeMillis)
    if (refusal !== undefined) return yield* fail(operation, refusal, said(answer))
    return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(answer.body).pipe(
      Effect.mapError(() =>
        fail(
          operation,
          new Unreadable({ mayHaveApplied }),
          "Twilio answered with success, but not with what it promises"
        )
      )
    )
  })
  return { ask, fail } satisfies Client
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: string
}

/** Twilio's number for the error, such as 20003; its sentences are left where they are. */
const codeOf = ({ body }: Answer): string | undefined =>
  Option.getOrUndefined(Option.map(Schema.decodeUnknownOption(ErrorBody)(body), ({ code }) => String(code)))

const said = (answer: Answer): string => {
  const code = codeOf(answer)
  return `Twilio answered ${answer.status}${code === undefined ? "" : ` (${code})`}`
}

const reasonOf = (answer: Answer, mayHaveApplied: boolean, now: number): ProviderFailure | undefined => {
  const { headers, status } = answer
  if (status >= 200 && status < 300) return undefined
  const code = codeOf(answer)
  const named = code === undefined ? {} : { code }
  if (status === 401 || status === 403) return new Denied({ status, ...named })
  // "An API request that receives an error 429 response is never processed" (Twilio docs, error 20429).
  if (status === 429) return new Throttled(waitOf(headers, now))
  if (status === 408 || status >= 500) return new Unavailable({ status, mayHaveApplied, ...waitOf(headers, now) })
  return new Refused({ status, ...named })
}

/** Twilio documents no Retry-After for consents (not found); it is honoured if it is there. */
const waitOf = (headers: Answer["headers"], now: number): { readonly retryAfter?: Duration.Duration } => {
  const retryAfter = readRetryAfter(headers["retry-after"] ?? "", headers["date"], now)
  return retryAfter === undefined ? {} : { retryAfter }
}
