/**
 * A way from one process to another, over TCP, that can be shut, and that can
 * swallow: then it takes every byte and passes none on, in neither direction,
 * and closes nothing. What was open when it began to swallow stays so for ever,
 * as behind a router that forgot the connection; what is opened later works.
 */
import { connect, createServer, type Server, type Socket } from "node:net"
import { Effect, type Scope } from "effect"

export interface Door {
  readonly port: number
  readonly open: Effect.Effect<void>
  /** Nobody is there: connections break, and new ones are refused. */
  readonly shut: Effect.Effect<void>
  readonly swallow: Effect.Effect<void>
}

interface Pair {
  readonly inner: Socket
  readonly outer: Socket
}

/** @param target the port behind the door, asked for with each connection */
export const makeDoor = Effect.fn("makeDoor")(function* (
  target: () => number
): Effect.fn.Return<Door, never, Scope.Scope> {
  const pairs = new Set<Pair>()
  const swallowed = new Set<Socket>()
  let swallowing = false

  const take = (inner: Socket): void => {
    inner.on("error", () => undefined)
    if (swallowing) return drown(inner)
    const outer = connect(target(), "127.0.0.1")
    const pair = { inner, outer }
    pairs.add(pair)
    const part = () => {
      if (!pairs.delete(pair)) return
      inner.destroy()
      outer.destroy()
    }
    outer.on("error", part)
    inner.on("close", part)
    outer.on("close", part)
    inner.pipe(outer)
    outer.pipe(inner)
  }

  const drown = (socket: Socket): void => {
    swallowed.add(socket)
    socket.unpipe()
    socket.removeAllListeners("close")
    socket.on("close", () => swallowed.delete(socket))
    socket.resume()
  }

  // Half open on purpose: the end of one side is not told to the other while bytes are swallowed.
  const server = createServer({ allowHalfOpen: true }, take)
  const port = yield* Effect.acquireRelease(listen(server, 0), () => close(server))
  const shut = Effect.promise(async () => {
    const closed = server.listening ? new Promise<void>((resolve) => server.close(() => resolve())) : undefined
    for (const { inner, outer } of pairs) {
      inner.destroy()
      outer.destroy()
    }
    for (const socket of swallowed) socket.destroy()
    await closed
  })
  yield* Effect.addFinalizer(() => shut)
  return {
    port,
    shut,
    open: Effect.andThen(
      Effect.sync(() => void (swallowing = false)),
      Effect.suspend(() => (server.listening ? Effect.void : Effect.asVoid(listen(server, port))))
    ),
    swallow: Effect.sync(() => {
      swallowing = true
      for (const { inner, outer } of pairs) {
        drown(inner)
        drown(outer)
      }
      pairs.clear()
    })
  }
})

const listen = (server: Server, port: number): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    const failed = (error: Error) => resume(Effect.die(error))
    server.once("error", failed)
    server.listen(port, "127.0.0.1", () => {
      // A door is opened again and again.
      server.off("error", failed)
      resume(Effect.succeed(portOf(server)))
    })
  })

const close = (server: Server): Effect.Effect<void> => Effect.sync(() => void server.close())

export const portOf = (server: { readonly address: Server["address"] }): number => {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}
