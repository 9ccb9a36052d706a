/** A port that is free. */
import { expect, it } from "@effect/vitest"
import { createServer, type Server } from "node:net"
import { freePort } from "@stopline/ledger"
import { Effect } from "effect"

it.live("is given to one alone, though nobody listens there yet", () =>
  Effect.gen(function* () {
    const ports = yield* Effect.all(
      Array.from({ length: 60 }, () => freePort),
      { concurrency: "unbounded" }
    )
    expect(new Set(ports).size).toBe(60)
  })
)

it.live("is not one that is taken", () =>
  Effect.gen(function* () {
    const next = (yield* freePort) + 1
    yield* Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const server = createServer().listen(next, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => void server.close())
    )
    expect(yield* freePort).not.toBe(next)
  })
)
