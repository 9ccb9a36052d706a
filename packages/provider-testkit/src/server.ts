/** HTTP servers on this machine that are gone with their scope. */
import type { IncomingMessage, Server } from "node:http"
import { Effect, type Scope } from "effect"

/** Returns the origin, without a slash. */
export const listen = (server: Server): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<string>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(`http://127.0.0.1:${typeof address === "object" ? address?.port : address}`))
      })
    }),
    () => shut(server)
  )

/** From now on nobody is let in, and whoever is in is thrown out. */
export const shut = (server: Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })

export const textOf = async (message: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of message) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}
