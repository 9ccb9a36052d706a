/** `stopline up`: everything a worker does, until it is told to stop. */
import type { Fleet, ListenReport, RoundReport } from "@stopline/engine"
import type { Connection, LedgerError } from "@stopline/ledger"
import type { SandboxError } from "@stopline/sandbox"
import { Console, Effect, Layer, Queue, type Scope } from "effect"
import { HttpServer } from "effect/http"
import { type Carried, Carrier } from "./carry.ts"
import { demoEnvironment, demoSecrets, type DemoWorld, startDemo, writeDemo } from "./demo.ts"
import { findConfig, withEnvironment } from "./find.ts"
import { type PortError, serve } from "./http.ts"
import { type Config, ConfigError, millis } from "./load.ts"
import { defaultLookMs, Listener } from "./listen.ts"
import { Loaded, open } from "./open.ts"
import { keepGathering, peopleOf } from "./people/gather.ts"
import { defaultSchedule, rounds } from "./schedule.ts"

export interface UpOptions {
  readonly config: string | undefined
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
export const up = Effect.fn("up")(function* (options: UpOptions): Effect.fn.Return<never, UpError, Scope.Scope> {
  const found = yield* findConfig(options.config)
  if (found._tag === "File") return yield* run(found.config, options, undefined)
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
  const running = serve(host, port).pipe(
    Layer.provideMerge(Carrier.layer),
    Layer.provideMerge(Listener.layer),
    Layer.provideMerge(open(config, "worker"))
  )
  return Effect.provide(work(options, demo), running)
}

const work = Effect.fnUntraced(function* (
  options: UpOptions,
  demo: Demo | undefined
): Effect.fn.Return<
  never,
  UpError,
  Scope.Scope | Fleet | Connection | Carrier | Listener | Loaded | HttpServer.HttpServer
> {
  const config = yield* Loaded
  const { content } = config
  const people = yield* peopleOf(config)
  const { carried, take } = yield* Carrier
  const { address } = yield* HttpServer.HttpServer
  const tell = teller(options.json)
  const here = "port" in address ? `http://127.0.0.1:${address.port}` : "http://127.0.0.1"
  yield* Effect.forkScoped(Effect.forever(Effect.flatMap(Queue.take(carried), (stop) => tell.carried(stop))))
  if (people !== undefined) yield* Effect.forkScoped(keepGathering(people))
  const listener = yield* Listener
  yield* listener.start({
    url: content.http?.publicUrl,
    everyMs: millis(content.schedule?.listen, defaultLookMs),
    onEvent: take,
    onReport: tell.listened
  })
  if (demo !== undefined) yield* demo.subscribe(here)
  yield* tell.ready(here, content, demo)
  const schedule = {
    everyMs: millis(content.schedule?.every, defaultSchedule.everyMs),
    sweepBudget: content.schedule?.sweep ?? defaultSchedule.sweepBudget,
    sweepPerHour: content.schedule?.sweepPerHour ?? defaultSchedule.sweepPerHour
  }
  return yield* rounds(schedule, tell.round)
})

interface Teller {
  readonly ready: (url: string, content: Config["content"], demo: Demo | undefined) => Effect.Effect<void>
  readonly carried: (stop: Carried) => Effect.Effect<void>
  readonly round: (report: RoundReport) => Effect.Effect<void>
  readonly listened: (report: ListenReport) => Effect.Effect<void>
}

const teller = (json: boolean): Teller => {
  const line = (event: string, fields: object, sentence: string) =>
    Console.log(json ? JSON.stringify({ event, ...fields }) : sentence)
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
    round: (report) => {
      const optedOut = report.applied.reduce((sum, one) => sum + one.optedOut, 0)
      const optedIn = report.applied.reduce((sum, one) => sum + one.optedIn, 0)
      const failures = report.reads.flatMap((read) => (read.error === undefined ? [] : [read.error.message]))
      if (report.outcome === "completed" && optedOut + optedIn === 0) return Effect.void
      const parts = [
        `${optedOut} opt-outs and ${optedIn} opt-ins written`,
        ...failures,
        ...report.applied.flatMap((one) => one.errors.map((error) => error.message)),
        ...report.halts
      ]
      return line(
        "round",
        { outcome: report.outcome, optedOut, optedIn, failures, halts: report.halts },
        `Round ${report.outcome}: ${parts.join("; ")}`
      )
    }
  }
}
