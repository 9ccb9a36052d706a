/**
 * Traces, logs and metrics by OTLP over HTTP, when a collector is named: in
 * stopline.yaml, or by the variables that every OpenTelemetry SDK reads. A
 * collector that does not answer costs nothing but what it would have been told.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { Config as Variable, Duration, Effect, Layer, Redacted, References, Schema, Tracer } from "effect"
import { HttpBody, HttpClient, HttpClientError } from "effect/http"
import { Otlp, OtlpSerialization } from "effect/observability"
import type { Config, ConfigError } from "../load.ts"
import { readSecret } from "../secret.ts"
import { version } from "../version.ts"
import { maskingReplacer } from "./numbers.ts"
import { withManners } from "./tracer.ts"

/** What is sent is looked through for numbers, whole. */
const json = (data: unknown) => HttpBody.text(JSON.stringify(data, maskingReplacer), "application/json")
const serialization = Layer.succeed(OtlpSerialization.OtlpSerialization, { traces: json, metrics: json, logs: json })

/** Requests that a collector may keep waiting. */
const atMost = 4
const patience = Duration.seconds(5)

/**
 * A collector that takes requests and never answers would otherwise be sent more
 * and more of them, each with its batch in memory. What is refused here makes the
 * exporter drop its batch and be silent for a minute.
 */
const impatient = Effect.map(HttpClient.HttpClient, (client) => {
  let underWay = 0
  return HttpClient.make((request) => {
    const failed = (description: string) =>
      new HttpClientError.HttpClientError({ reason: new HttpClientError.EncodeError({ request, description }) })
    if (underWay >= atMost) return Effect.fail(failed("the collector has not answered the requests before"))
    underWay += 1
    return client.execute(request).pipe(
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => Effect.fail(failed("the collector does not answer"))
      }),
      Effect.ensuring(Effect.sync(() => void (underWay -= 1)))
    )
  })
})

export const clientLayer = Layer.effect(HttpClient.HttpClient, impatient).pipe(
  Layer.provide(NodeHttpClient.layerUndici)
)

interface Collector {
  readonly url: string
  readonly headers: Redacted.Redacted | undefined
}

const text = (name: string) => Variable.String(name).pipe(Variable.withDefault(""))

const nameOf = Effect.orDie(text("OTEL_SERVICE_NAME"))

const fromEnvironment = Effect.gen(function* () {
  const disabled = (yield* text("OTEL_SDK_DISABLED")).toLowerCase() === "true"
  const url = yield* text("OTEL_EXPORTER_OTLP_ENDPOINT")
  const headers = yield* text("OTEL_EXPORTER_OTLP_HEADERS")
  const collector: Collector = { url, headers: headers === "" ? undefined : Redacted.make(headers) }
  return disabled || url === "" ? undefined : collector
}).pipe(Effect.orDie)

const collectorOf = Effect.fnUntraced(function* (config: Config): Effect.fn.Return<Collector | undefined, ConfigError> {
  const named = config.content.telemetry?.otlp
  if (named === undefined) return yield* fromEnvironment
  const place = ["telemetry", "otlp", "headers"]
  if (named.headers === undefined) return { url: named.url, headers: undefined }
  const headers = yield* Effect.mapError(readSecret(named.headers), (error) => config.problem(place, error.message))
  return { url: named.url, headers }
})

const Headers = Schema.Record(Schema.String, Schema.String)

/** `authorization=Bearer%20abc,tenant=one`, as OpenTelemetry writes them. */
const parseHeaders = (written: Redacted.Redacted): typeof Headers.Type =>
  Object.fromEntries(
    Redacted.value(written)
      .split(",")
      .flatMap((pair) => {
        const sign = pair.indexOf("=")
        return sign < 1 ? [] : [[pair.slice(0, sign).trim(), decoded(pair.slice(sign + 1).trim())]]
      })
  )

/** What is no good escape is meant as it stands. */
const decoded = (value: string): string => {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

/** Sends what the worker does and says to the collector; nothing if there is none. */
export const telemetryLayer = (config: Config): Layer.Layer<never, ConfigError> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const collector = yield* collectorOf(config)
      // Spans that nobody is told of cost as much as those that somebody is.
      if (collector === undefined) return Layer.succeed(References.TracerEnabled, false)
      const share = config.content.telemetry?.sample ?? 1
      const resource = { serviceName: (yield* nameOf) || "stopline", serviceVersion: version }
      const exporters = Otlp.layer({
        baseUrl: collector.url,
        resource,
        headers: collector.headers === undefined ? undefined : parseHeaders(collector.headers),
        shutdownTimeout: "1 second"
      })
      const tracer = Layer.effect(
        Tracer.Tracer,
        Effect.map(Tracer.Tracer, (inner) => withManners(inner, share))
      )
      return tracer.pipe(Layer.provideMerge(exporters), Layer.provide(serialization), Layer.provide(clientLayer))
    })
  )
