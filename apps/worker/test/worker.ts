/** A worker in this process, and what it says. */
import { Console, Effect, Fiber, Logger, Schema } from "effect"
import { up, type UpOptions, withEnvironment } from "../src/index.ts"
import { eventually, lastRound, dueDone, roundAfter, type World } from "./world.ts"

interface Said {
  readonly event: string
  readonly [field: string]: unknown
}

interface Running {
  /** What it printed, parsed. */
  readonly said: ReadonlyArray<Said>
  /** What it logged. */
  readonly logged: ReadonlyArray<string>
  /** Ends it as a signal does. */
  readonly stop: Effect.Effect<void>
}

const readLine = Schema.decodeUnknownSync(
  Schema.fromJsonString(
    Schema.StructWithRest(Schema.Struct({ event: Schema.String }), [Schema.Record(Schema.String, Schema.Unknown)])
  )
)

/**
 * Starts a worker for the world, and waits until its first round is over: what
 * happens after that is not that round's doing. It ends with the scope.
 * One that does no jobs is waited for until it is ready.
 */
export const startWorker = Effect.fn("startWorker")(function* (world: World, options: Partial<UpOptions> = {}) {
  const before = yield* lastRound(world)
  const said: Array<Said> = []
  const logged: Array<string> = []
  const console = Object.assign(Object.create(globalThis.console), {
    log: (line: string) => said.push(readLine(line))
  }) as Console.Console
  const logger = Logger.map(Logger.formatLogFmt, (line) => void logged.push(line))
  const fiber = yield* up({
    config: world.file,
    demo: false,
    role: "all",
    port: undefined,
    sandboxPort: 0,
    world: {},
    json: true,
    ...options
  }).pipe(
    Effect.scoped,
    Effect.provide([withEnvironment(world.environment), Logger.layer([logger])]),
    Effect.provideService(Console.Console, console),
    Effect.forkScoped
  )
  // Whichever comes first: a worker that cannot start fails the test with its own words.
  const ready = eventually(
    "it is ready",
    Effect.sync(() => said.some(({ event }) => event === "ready"))
  )
  // A round after that before may be another worker's, and this one not be there yet.
  const first =
    options.role === "web" ? ready : Effect.andThen(ready, Effect.andThen(roundAfter(world, before), dueDone(world)))
  yield* Effect.raceFirst(first, Fiber.join(fiber))
  const running: Running = { said, logged, stop: Effect.asVoid(Fiber.interrupt(fiber)) }
  return running
})
