/** What the worker says of itself over HTTP: /healthz, /readyz, /metrics. */
import type { Fleet } from "@stopline/engine"
import { answers, type Connection, lastRuns, openHalts } from "@stopline/ledger"
import { Clock, Effect, Layer } from "effect"
import { HttpMiddleware, HttpRouter, HttpServerResponse } from "effect/http"
import { PrometheusMetrics } from "effect/observability"
import type { Loaded } from "../open.ts"
import { whoIsBlind } from "./blind.ts"
import { Metrics } from "./metrics.ts"
import { ProcessFigures } from "./process.ts"
import { Readiness } from "./ready.ts"

const health = HttpRouter.add("GET", "/healthz", () =>
  Effect.gen(function* () {
    const { startedAt } = yield* ProcessFigures
    const halts = yield* openHalts()
    const lastRound = yield* lastRuns("round", null)
    const blind = yield* whoIsBlind(startedAt, yield* Clock.currentTimeMillis)
    return yield* HttpServerResponse.json({
      status: halts.length > 0 ? "halted" : "ok",
      halts: halts.map((halt) => halt.message),
      lastRound,
      gaps: blind.map(({ account, since }) => ({ account, since: new Date(since).toISOString() }))
    })
  }).pipe(
    Effect.catch((error) =>
      Effect.succeed(HttpServerResponse.jsonUnsafe({ status: "down", reason: error.message }, { status: 503 }))
    )
  )
)

/**
 * A provider that does not answer is no reason: the webhooks of the others have
 * to come in all the same.
 */
const ready = HttpRouter.add("GET", "/readyz", () =>
  Effect.gen(function* () {
    const readiness = yield* Readiness
    const ledger = yield* answers.pipe(
      Effect.as([]),
      Effect.catch((error) => Effect.succeed([`the ledger does not answer: ${error.message}`]))
    )
    const reasons = [...(yield* readiness.reasons), ...ledger]
    const isReady = reasons.length === 0
    return HttpServerResponse.jsonUnsafe({ ready: isReady, reasons }, { status: isReady ? 200 : 503 })
  })
)

const metrics = HttpRouter.add("GET", "/metrics", () =>
  Effect.gen(function* () {
    const { refresh } = yield* Metrics
    yield* refresh
    return HttpServerResponse.text(yield* PrometheusMetrics.format(), {
      contentType: "text/plain; version=0.0.4; charset=utf-8"
    })
  })
)

export type TruthNeeds = Fleet | Connection | Loaded | Metrics | ProcessFigures | Readiness

/** Whoever only looks leaves no trace. */
export const truthRoutes = Layer.mergeAll(health, ready, metrics)

export const untraced = HttpMiddleware.layerTracerDisabledForUrls(["/healthz", "/readyz", "/metrics"])
