/**
 * Seeds dealt to several processes, each with a ledger of its own. A process and
 * its Postgres take turns all the time, and are half as fast again when they
 * share one core.
 */
import { type ChildProcess, spawn } from "node:child_process"
import path from "node:path"
import { Effect, Option, Queue, Schema } from "effect"
import { ownCores } from "./cores.ts"
import { roomy } from "./heap.ts"
import type { Hunt } from "./hunt.ts"
import type { Played } from "./tally.ts"

const main = path.join(import.meta.dirname, "main.ts")

/** What a process tells of each seed. */
const Told = Schema.Struct({
  seed: Schema.Int,
  rounds: Schema.Int,
  reads: Schema.Int,
  kills: Schema.Int,
  faults: Schema.Record(Schema.String, Schema.Int),
  digest: Schema.String,
  broken: Schema.Array(Schema.Struct({ law: Schema.String, what: Schema.String, round: Schema.Int }))
})
const readTold = Schema.decodeUnknownOption(Told)

// Whoever listens is gone: nobody wants to know any more.
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"))
// To listen for that alone is no reason to live on.
process.channel?.unref()

/** Tells the process that started this one, if it is one of several. */
export const tellParent: Option.Option<(result: Played) => Effect.Effect<void>> = Option.map(
  Option.fromUndefinedOr(process.send?.bind(process)),
  (send) => (result) => Effect.callback((resume) => void send(result, () => resume(Effect.void)))
)

/** The words that start the job number `index` of `jobs`. */
const wordsFor = ({ rounds, seed, seeds, step, tries, untilFailure }: Hunt, index: number, jobs: number) => {
  const own = Math.ceil((seeds - index) / jobs)
  const numbers = { seed: seed + index * step, step: step * jobs, rounds, tries, jobs: 1, seeds: own }
  const given = Object.entries(numbers).filter(([, number]) => Number.isFinite(number))
  return [
    roomy,
    main,
    ...given.flatMap(([flag, number]) => [`--${flag}`, `${number}`]),
    ...(untilFailure ? ["--until-failure"] : [])
  ]
}

/** The command of Linux that keeps a process on one core. */
const pinning = "taskset"

/** Starts a process on a core of its own as long as there are any, where the machine has a way to say which. */
const start = (words: ReadonlyArray<string>, index: number): Effect.Effect<ChildProcess> =>
  Effect.callback((resume) => {
    const stdio: ["ignore", "ignore", "inherit", "ipc"] = ["ignore", "ignore", "inherit", "ipc"]
    const anywhere = () => resume(Effect.sync(() => spawn(process.execPath, words, { stdio })))
    const cores = ownCores()
    const core = cores[index % cores.length]
    if (core === undefined) return anywhere()
    const pinned = spawn(pinning, ["-c", `${core}`, process.execPath, ...words], { stdio })
    pinned.once("spawn", () => resume(Effect.succeed(pinned)))
    pinned.once("error", anywhere)
  })

const ended = (child: ChildProcess): Effect.Effect<number> =>
  Effect.callback((resume) => {
    const end = () => resume(Effect.succeed(child.exitCode ?? 1))
    if (child.exitCode !== null || child.signalCode !== null) end()
    else child.once("exit", end)
  })

/** Ends a process, which takes its Postgres with it. */
const end = (child: ChildProcess): Effect.Effect<void> =>
  Effect.suspend(() => {
    child.kill("SIGTERM")
    return Effect.asVoid(ended(child))
  })

/** A process ended without having played its seeds. */
class JobLost extends Schema.TaggedError<JobLost>()("JobLost", { code: Schema.Int }) {
  override get message(): string {
    return `a process of the simulation ended with code ${this.code}`
  }
}

/** @param played told of each seed when it is over, in no order */
export const dealt = Effect.fnUntraced(function* (
  hunt: Hunt,
  jobs: number,
  played: (result: Played) => Effect.Effect<void>
) {
  const one = Effect.fnUntraced(function* (index: number) {
    const told = yield* Queue.unbounded<Played>()
    const child = yield* Effect.acquireRelease(start(wordsFor(hunt, index, jobs), index), end)
    child.on("message", (message) => {
      for (const result of Option.toArray(readTold(message))) Queue.offerUnsafe(told, result)
    })
    let broken = false
    const listen = Effect.forever(
      Effect.flatMap(Queue.take(told), (result) => {
        broken ||= result.broken.length > 0
        return played(result)
      })
    )
    const code = yield* Effect.raceFirst(ended(child), listen)
    for (const result of yield* Queue.clear(told)) {
      broken ||= result.broken.length > 0
      yield* played(result)
    }
    if (code !== 0 && !broken) return yield* new JobLost({ code })
    return broken
  }, Effect.scoped)
  const indexes = Array.from({ length: jobs }, (_, index) => index)
  const all = indexes.map((index) =>
    // The first that breaks a law ends all the others, if that is wanted.
    Effect.flatMap(one(index), (broken) => (broken && hunt.untilFailure ? Effect.fail("found" as const) : Effect.void))
  )
  yield* Effect.catch(Effect.all(all, { concurrency: "unbounded", discard: true }), (error) =>
    error === "found" ? Effect.void : Effect.fail(error)
  )
})
