/** All figures of this worker, brought up to date. */
import { Fleet, outcomes, requestsMade } from "@stopline/engine"
import type { Operation } from "@stopline/provider"
import { Clock, Context, Effect, Layer, Metric, Option } from "effect"
import { OtlpExporter } from "effect/observability"
import { Loaded } from "../open.ts"
import { noEventsYet } from "./events.ts"
import { LedgerFigures } from "./figures.ts"
import { setGauges } from "./gauges.ts"
import { ProcessFigures } from "./process.ts"

const ledgerUp = Metric.gauge("stopline_ledger_up", {
  description: "1 if the ledger answered this worker when its figures were last asked for, else 0. This worker's own."
})

/** Logins wait at the gate by themselves and are no calls of the engine. */
const operations: ReadonlyArray<Operation> = ["probe", "list", "check", "optOut", "optIn", "evidence", "subscribe"]

/** Figures of its own: two workers in one process, as tests have them, count apart. */
export const registryLayer: Layer.Layer<never> = Layer.sync(Metric.MetricRegistry, () => new Map())

export class Metrics extends Context.Service<
  Metrics,
  {
    /** Brings everything up to date. Never fails: what cannot be read stays as it was, with its age. */
    readonly refresh: Effect.Effect<void>
  }
>()("@stopline/worker/Metrics") {
  static readonly layer: Layer.Layer<Metrics, never, Fleet | Loaded | LedgerFigures | ProcessFigures> = Layer.effect(
    Metrics,
    Effect.gen(function* () {
      const { stations } = yield* Fleet
      const config = yield* Loaded
      const { look } = yield* LedgerFigures
      const { measure, startedAt } = yield* ProcessFigures
      const heard = stations.filter(({ adapter: { events, stream } }) => events._tag === "Can" || stream._tag === "Can")
      yield* noEventsYet(heard.map(({ account }) => account.name))
      for (const { account } of stations) {
        for (const operation of operations) {
          for (const outcome of outcomes) yield* Metric.update(requestsMade(account.name, operation, outcome), 0)
        }
      }
      const refresh = Effect.gen(function* () {
        yield* measure
        const { answers, figures } = yield* look
        yield* Metric.update(ledgerUp, answers ? 1 : 0)
        if (figures === undefined) return
        yield* setGauges(figures, config, stations, { startedAt, now: yield* Clock.currentTimeMillis })
      })
      // Whoever scrapes has them read; what is sent has to be read by ourselves.
      if (Option.isSome(yield* Effect.serviceOption(OtlpExporter.Flusher))) {
        yield* Effect.forkScoped(Effect.forever(Effect.andThen(refresh, Effect.sleep("10 seconds"))))
      }
      return Metrics.of({ refresh })
    })
  )
}

export const metricsLayer = Metrics.layer.pipe(
  Layer.provide(LedgerFigures.layer),
  Layer.provideMerge(ProcessFigures.layer)
)
