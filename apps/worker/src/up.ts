/** `stopline up`: everything a worker does, until it is told to stop. */
import type { ApplyReport, Fleet, ListenReport, ReadReport } from "@stopline/engine"
import type { Connection, LedgerError } from "@stopline/ledger"
import type { SandboxError } from "@stopline/sandbox"
import { Console, Context, Effect, Fiber, Layer, Queue, type Scope, Tracer } from "effect"
import { HttpServer } from "effect/http"
import { type Carried, Carrier } from "./carry.ts"
import { clockOff, clockWords } from "./clock.ts"
import { demoEnvironment, demoSecrets, type DemoWorld, startDemo, writeDemo } from "./demo.ts"
import { configOrDemo, withEnvironment } from "./find.ts"
import { type PortError, serve } from "./http.ts"
import { type Config, ConfigError, millis } from "./load.ts"
import { Listener, lookMs } from "./listen.ts"
import { Jobs } from "./jobs/jobs.ts"
import { work } from "./jobs/work.ts"
import { Loaded, open } from "./open.ts"
import { peopleOf } from "./people/gather.ts"
import { dutiesOf } from "./schedule.ts"
import { telemetryLayer } from "./telemetry/otlp.ts"
import { metricsLayer, registryLayer } from "./truth/metrics.ts"
import { Readiness } from "./truth/ready.ts"

/** What a process does: webhooks, jobs, or both. */
export const roles = ["all", "web", "worker"] as const
export type Role = (typeof roles)[number]

export interface UpOptions {
  readonly config: string | undefined
  /** Where there is no configuration, the demonstration is played. */
  readonly demo: boolean
  readonly role: Role
  /** Overrides the configuration's port. */
  readonly port: number | undefined
  readonly sandboxPort: number
  readonly world: DemoWorld
  /** One JSON object per line instead of sentences. */
  readonly json: boolean
}

export type UpError = ConfigError | LedgerError | SandboxError | PortError

export const defaultPort = 4000
export const defaultSandboxPort = 4010

/** Runs until interrupted; fails when it cannot start. */
export const up = Effect.fnUntraced(function* (options: UpOptions): Effect.fn.Return<never, UpError, Scope.Scope> {
  const found = yield* configOrDemo(options.config, options.demo)
  if (found !== "demo") return yield* run(found, options, undefined)
  const ports = { port: options.port ?? defaultPort, sandboxPort: options.sandboxPort }
  const sandbox = yield* startDemo(ports, options.world)
  const config = yield* writeDemo(ports)
  const environment = yield* demoEnvironment()
  const demo: Demo = {
    controlUrl: sandbox.controlUrl,
    subscribe: (url) =>
      Effect.asVoid(
        sandbox.subscribe({
          account: "contoso",
          url: `${url}/webhooks/contoso?code=${demoSecrets.DEMO_AZURE_WEBHOOK_SECRET}`
        })
      )
  }
  return yield* Effect.provide(run(config, options, demo), withEnvironment(environment))
})

interface Demo {
  readonly controlUrl: string
  readonly subscribe: (url: string) => Effect.Effect<void, SandboxError>
}

const run = (
  config: Config,
  options: UpOptions,
  demo: Demo | undefined
): Effect.Effect<never, UpError, Scope.Scope> => {
  const host = config.content.http?.host ?? "127.0.0.1"
  const port = options.port ?? config.content.http?.port ?? defaultPort
  const running = serve(host, port, options.role).pipe(
    Layer.provideMerge(Layer.mergeAll(Carrier.layer, metricsLayer, Readiness.layer)),
    Layer.provideMerge(Listener.layer),
    Layer.merge(Jobs.layer({ works: options.role !== "web" })),
    Layer.provideMerge(open(config, options.role === "web" ? "web" : "worker")),
    Layer.provideMerge(telemetryLayer(config)),
    Layer.provideMerge(registryLayer)
  )
  // What is under way is stopped before the things it works with are closed; and whoever started it began no trace that this goes on with.
  const started = Effect.provide(Effect.scoped(serving(options, demo)), running)
  return Effect.updateContext(started, Context.omit(Tracer.ParentSpan))
}

const serving = Effect.fnUntraced(function* (
  options: UpOptions,
  demo: Demo | undefined
): Effect.fn.Return<
  never,
  UpError,
  Scope.Scope | Fleet | Connection | Carrier | Listener | Jobs | Loaded | Readiness | HttpServer.HttpServer
> {
  const config = yield* Loaded
  const { content } = config
  const people = yield* peopleOf(config)
  const { carried, take } = yield* Carrier
  const { address } = yield* HttpServer.HttpServer
  const tell = teller(options.json)
  const here = "port" in address ? `http://127.0.0.1:${address.port}` : "http://127.0.0.1"
  // Leases, limits and what is dated by this machine alone go by its clock.
  yield* clockOff().pipe(
    Effect.flatMap((off) => (off === 0 ? Effect.void : Effect.logWarning(clockWords(off)))),
    Effect.catch((error) => Effect.logDebug("the clock was not compared", { error: error.message }))
  )
  yield* forever(Effect.flatMap(Queue.take(carried), tell.carried))
  yield* handOver
  if (options.role !== "worker") {
    const listener = yield* Listener
    yield* listener.start({
      url: content.http?.publicUrl,
      everyMs: lookMs(content),
      onEvent: take,
      onReport: tell.listened
    })
  }
  if (demo !== undefined) yield* demo.subscribe(here)
  const readiness = yield* Readiness
  yield* readiness.listening
  yield* tell.ready(here, content, demo)
  const working = options.role === "web" ? Effect.never : work({ ...dutiesOf(content), people, ...tell })
  const atWork = yield* Effect.forkScoped(working)
  const drainMs = millis(content.http?.drain, 0)
  const drain = Effect.andThen(readiness.stopping, Effect.sleep(drainMs))
  return yield* Effect.onInterrupt(Fiber.join(atWork), () => drain)
})

const forever = <E, R>(self: Effect.Effect<void, E, R>) => Effect.forkScoped(Effect.forever(self))

/** What an event changed, and what may have been lost, is a job for whichever worker is free. */
const handOver = Effect.gen(function* () {
  const jobs = yield* Jobs
  const { nudges } = yield* Carrier
  const { reads } = yield* Listener
  const untroubled = Effect.catch((error: LedgerError) =>
    Effect.logWarning("what follows from an event waits for the next reading", { error: error.message })
  )
  const readNow = (account: string) =>
    Effect.andThen(jobs.put("read", { account }), jobs.hasten("read", { account }, 0))
  yield* forever(Effect.andThen(Queue.take(nudges), untroubled(jobs.put("reconcile", {}))))
  yield* forever(Effect.flatMap(Queue.take(reads), (account) => untroubled(readNow(account))))
})

interface Teller {
  readonly ready: (url: string, content: Config["content"], demo: Demo | undefined) => Effect.Effect<void>
  readonly carried: (stop: Carried) => Effect.Effect<void>
  readonly onRead: (report: ReadReport) => Effect.Effect<void>
  readonly onHalted: (halts: ReadonlyArray<string>) => Effect.Effect<void>
  readonly onApplied: (report: ApplyReport) => Effect.Effect<void>
  readonly listened: (report: ListenReport) => Effect.Effect<void>
}

const teller = (json: boolean): Teller => {
  const line = (event: string, fields: object, sentence: string) =>
    Console.log(json ? JSON.stringify({ event, ...fields }) : sentence)
  const round = (outcome: string, fields: object, sentence: string) =>
    line("round", { outcome, optedOut: 0, optedIn: 0, failures: [], halts: [], ...fields }, sentence)
  return {
    ready: (url, content, demo) => {
      const senders = content.accounts.flatMap((account) =>
        account.senders.map((sender) => `${account.name}/${sender}`)
      )
      const sentences = [
        `Stopline is ready on ${url} for ${senders.join(", ")}.`,
        ...(demo === undefined
          ? []
          : [
              "This is a demonstration: the providers are a sandbox on this machine. Text STOP to one of them:",
              "",
              `  curl -s ${demo.controlUrl}/texts -H 'content-type: application/json' -d '{"from":"+15550100001","to":"+16505550100","text":"STOP"}'`,
              "",
              "and see what became of it:",
              "",
              "  npm run stopline -- history +15550100001",
              ""
            ])
      ]
      return line(
        "ready",
        { url, senders, ...(demo !== undefined && { sandbox: demo.controlUrl }) },
        sentences.join("\n")
      )
    },
    carried: (stop) => {
      const to = Object.entries(stop.to).map(
        ([account, pairs]) => `${account} (${pairs} ${pairs === 1 ? "sender" : "senders"})`
      )
      return line(
        "carried",
        stop,
        `STOP of ${stop.recipient} to ${stop.from}: held by ${to.join(", ")} after ${stop.ms} ms`
      )
    },
    listened: ({ account, gap, missing }) =>
      Effect.gen(function* () {
        for (const { filter, reason } of missing) {
          yield* Effect.logError("the provider will not send some events", { account, filter, reason })
        }
        if (gap === undefined) return
        const [since, until] = [gap.since, gap.until].map((at) => new Date(at).toISOString())
        yield* Effect.logWarning("events may have been lost", { account, since, until })
        yield* line(
          "blind",
          { account, since, until },
          `Events of ${account} may have been lost from ${since} to ${until}: its texts of that time and its whole list are read`
        )
      }),
    onRead: ({ account, error }) =>
      error === undefined
        ? Effect.void
        : round("incomplete", { failures: [error.message] }, `${account} could not be read: ${error.message}`),
    onHalted: (halts) => round("halted", { halts }, `Halted: ${halts.join("; ")}`),
    onApplied: ({ account, errors, optedIn, optedOut }) => {
      if (optedOut + optedIn + errors.length === 0) return Effect.void
      const failures = errors.map((error) => error.message)
      const written = `${account}: ${optedOut} opt-outs and ${optedIn} opt-ins written`
      const outcome = failures.length > 0 ? "incomplete" : "completed"
      return round(outcome, { optedOut, optedIn, failures }, [written, ...failures].join("; "))
    }
  }
}
