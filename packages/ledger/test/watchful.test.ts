import { createServer, connect as dial, type Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { WatchfulClient } from "@stopline/ledger"
import { Effect, Redacted } from "effect"
import pg from "pg"
import { freshDatabase } from "../../../test/database.ts"

/** A way to Postgres that takes every byte from some moment on, passes none on, and closes nothing. */
const swallowingWay = Effect.fnUntraced(function* (to: number) {
  const sockets = new Set<Socket>()
  const server = createServer((outer) => {
    const inner = dial(to, "127.0.0.1")
    for (const socket of [outer, inner]) {
      sockets.add(socket)
      socket.on("error", () => undefined)
    }
    outer.pipe(inner).pipe(outer)
  })
  yield* Effect.acquireRelease(
    Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))),
    () =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const swallow = () => {
    for (const socket of sockets) {
      socket.unpipe()
      socket.on("data", () => undefined)
    }
  }
  return { port, swallow }
})

describe("a connection that died without a word", () => {
  it.live("is given up, and its place in the pool is free again, however it was asked", () =>
    Effect.gen(function* () {
      const url = new URL(Redacted.value(yield* freshDatabase))
      const { port, swallow } = yield* swallowingWay(Number(url.port))
      url.port = String(port)
      const pool = new pg.Pool({ connectionString: url.href, max: 1, Client: WatchfulClient })
      pool.on("error", () => undefined)
      yield* Effect.addFinalizer(() => Effect.promise(() => pool.end()))
      yield* Effect.promise(() => pool.query("select 1"))
      swallow()
      // The pool itself asks by callback.
      const lost = yield* Effect.promise(() =>
        pool.query("select 1").then(
          () => "answered",
          () => "given up"
        )
      )
      assert.strictEqual(lost, "given up")
      const { rows } = yield* Effect.promise(() => pool.query<{ one: number }>("select 1 as one"))
      assert.deepStrictEqual(rows, [{ one: 1 }])
    })
  )
})
