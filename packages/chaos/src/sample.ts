/** What is looked at now and then while nothing is broken. */
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { Clock, Effect } from "effect"
import { heldNow, type Providers } from "./judge.ts"
import type { World } from "./world.ts"

export interface Sample {
  readonly minute: number
  /** Memory of each worker, in megabytes. */
  readonly one: number
  readonly two: number
  /** Connections of all workers to the database. */
  readonly connections: number
  /** How long the slower worker takes to say that it is well (ms): what waits in its event loop waits here, too. */
  readonly answerMs: number
  /** How long the texted STOP that waits longest has waited to be held everywhere (s). */
  readonly waitingSeconds: number
  /** STOPs said so far. */
  readonly stops: number
}

export const fields = ["minute", "one", "two", "connections", "answerMs", "waitingSeconds", "stops"] as const

const run = promisify(execFile)

const megabytesOf = (pid: number | undefined): Effect.Effect<number> =>
  Effect.promise(async () => {
    if (pid === undefined) return Number.NaN
    const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)])
    return Math.round(Number(stdout) / 102.4) / 10
  })

const answerOf = (port: number) =>
  Effect.gen(function* () {
    const before = yield* Clock.currentTimeMillis
    yield* Effect.promise(() => fetch(`http://127.0.0.1:${port}/healthz`).then((response) => response.text()))
    return (yield* Clock.currentTimeMillis) - before
  })

/** How long the texted STOP that waits longest has waited (s). */
export const waitingSeconds = Effect.fn("waitingSeconds")(function* ({
  control,
  record
}: Providers & Pick<World, "record">): Effect.fn.Return<number> {
  // Whoever says START while we look must not pass for a STOP of long ago that nobody holds, so what is due is asked last.
  const held = yield* heldNow({ control })
  const now = yield* Clock.currentTimeMillis
  let longest = 0
  for (const [pair, at] of record.mustBeHeld(true)) if (!held.has(pair)) longest = Math.max(longest, now - at)
  return longest / 1000
})

export const takeSample = Effect.fn("takeSample")(function* (
  world: World,
  startedAt: number
): Effect.fn.Return<Sample> {
  const [one, two] = world.workers
  const [row] = yield* world.database.query<{ count: number }>(
    "select count(*)::int as count from pg_stat_activity where application_name = 'stopline'"
  )
  const answers = yield* Effect.all([answerOf(one.port), answerOf(two.port)], { concurrency: 2 })
  return {
    minute: ((yield* Clock.currentTimeMillis) - startedAt) / 60_000,
    one: yield* megabytesOf(one.process.pid()),
    two: yield* megabytesOf(two.process.pid()),
    connections: row?.count ?? 0,
    answerMs: Math.max(...answers),
    waitingSeconds: yield* waitingSeconds(world),
    stops: world.record.stops
  }
})
