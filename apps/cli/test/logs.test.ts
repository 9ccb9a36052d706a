/** What a worker as a process writes to standard error. */
import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeWorld } from "../../worker/test/world.ts"
import { said, start } from "./cli.ts"

/** What it logged, after somebody knocked who has no secret. */
const logged = Effect.fnUntraced(function* (...flags: ReadonlyArray<string>) {
  const world = yield* makeWorld()
  const worker = yield* start(world, "up", ...flags)
  yield* said(worker, "ready")
  yield* Effect.promise(() => fetch(`${world.url}/webhooks/contoso`, { method: "POST", body: "[]" }))
  worker.child.kill("SIGTERM")
  return (yield* worker.ended).err.trimEnd().split("\n")
})

describe.concurrent("the log of a worker", () => {
  it.live("is JSON where nobody sits", () =>
    Effect.gen(function* () {
      const lines = (yield* logged()).map((line) => JSON.parse(line))
      // Traces are for a collector, and there is none.
      expect(lines).toEqual([
        {
          time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
          level: "warn",
          message: expect.arrayContaining(["an event was not taken"]),
          annotations: {}
        }
      ])
    })
  )

  it.live("is text if that is asked for, and no more than is asked for", () =>
    Effect.gen(function* () {
      expect(yield* logged("--log", "text")).toEqual([expect.stringMatching(/level=WARN.*"an event was not taken"/)])
      expect(yield* logged("--log-level", "error")).toEqual([""])
    })
  )
})
