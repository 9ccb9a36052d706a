/** What this process uses of the machine and of the database. */
import { monitorEventLoopDelay } from "node:perf_hooks"
import { Connection } from "@stopline/ledger"
import { Clock, Context, Effect, Layer, Metric } from "effect"
import { version } from "../version.ts"

const gauge = (name: string, description: string) =>
  Metric.gauge(name, { description: `${description} This worker's own.` })

const build = gauge("stopline_build_info", "Always 1; its labels say what runs.")
const connections = gauge("stopline_database_connections", "Connections of the pool to the ledger.")
const waiting = gauge("stopline_database_waiting", "Who waits for a connection to the ledger.")
const lag = gauge("stopline_event_loop_lag_seconds", "How late timers were since this was asked last, 99th percentile.")
const memory = gauge("process_resident_memory_bytes", "Resident memory.")
const started = gauge("process_start_time_seconds", "When this process started.")
const cpu = Metric.counter("process_cpu_seconds_total", {
  description: "Processor time, user and system. This worker's own.",
  incremental: true
})

const resolutionMs = 20

export class ProcessFigures extends Context.Service<
  ProcessFigures,
  {
    /** When this process started (ms). */
    readonly startedAt: number
    /** Brings the gauges up to date. */
    readonly measure: Effect.Effect<void>
  }
>()("@stopline/worker/ProcessFigures") {
  static readonly layer: Layer.Layer<ProcessFigures, never, Connection> = Layer.effect(
    ProcessFigures,
    Effect.gen(function* () {
      const { use } = yield* Connection
      const startedAt = (yield* Clock.currentTimeMillis) - process.uptime() * 1000
      const delay = yield* Effect.acquireRelease(
        Effect.sync(() => {
          const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
          histogram.enable()
          return histogram
        }),
        (histogram) => Effect.sync(() => histogram.disable())
      )
      let cpuSeconds = 0
      const measure = Effect.gen(function* () {
        const { system, user } = process.cpuUsage()
        const pool = yield* use
        yield* Metric.update(Metric.withAttributes(build, { version, node: process.versions.node }), 1)
        yield* Metric.update(Metric.withAttributes(connections, { state: "busy" }), pool.busy)
        yield* Metric.update(Metric.withAttributes(connections, { state: "idle" }), pool.idle)
        yield* Metric.update(waiting, pool.waiting)
        const late = delay.count === 0 ? 0 : Math.max(0, delay.percentile(99) / 1e9 - resolutionMs / 1000)
        delay.reset()
        yield* Metric.update(lag, late)
        yield* Metric.update(memory, process.memoryUsage.rss())
        yield* Metric.update(started, startedAt / 1000)
        yield* Metric.update(cpu, (user + system) / 1e6 - cpuSeconds)
        cpuSeconds = (user + system) / 1e6
      })
      return ProcessFigures.of({ startedAt, measure })
    })
  )
}
