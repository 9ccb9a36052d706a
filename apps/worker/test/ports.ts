/** A port that is taken, and a way to a database that can be cut. */
import { connect, createServer, type Server, type Socket } from "node:net"
import { Effect, type Scope } from "effect"

/** A way to the database that can be cut. */
export const doorTo = Effect.fnUntraced(function* (databaseUrl: string) {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  let open = true
  const server = yield* listening((inner) => {
    if (!open) return void inner.destroy()
    const outer = connect(Number(target.port), target.hostname)
    for (const [one, other] of [
      [inner, outer],
      [outer, inner]
    ] as const) {
      sockets.add(one)
      one.on("error", () => other.destroy())
      one.on("close", () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  const cut = Effect.sync(() => {
    open = false
    for (const socket of sockets) socket.destroy()
  })
  yield* Effect.addFinalizer(() => cut)
  const url = new URL(databaseUrl)
  url.hostname = "127.0.0.1"
  url.port = String(portOf(server))
  return { url: url.href, cut, mend: Effect.sync(() => void (open = true)) }
})

const listening = (take: (socket: Socket) => void): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer(take)
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => void server.close())
  )

/** Takes a port, so that nobody else can. */
export const takenPort: Effect.Effect<number, never, Scope.Scope> = Effect.map(
  listening((socket) => void socket.destroy()),
  (server) => portOf(server)
)

const portOf = (server: Server): number => {
  const address = server.address()
  if (address === null || typeof address === "string") throw new Error("it does not listen")
  return address.port
}
