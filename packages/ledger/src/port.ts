/** A port for a server that is started a while after it was chosen. */
import { createServer } from "node:net"
import { Effect } from "effect"

/** Below the ports that the system hands out by itself, which a connection of anybody's may take meanwhile. */
const first = 20_000
const stretches = 120
const perStretch = 100

let given = 0

/**
 * A port of 127.0.0.1 that nobody has. Between the choice and the start there
 * is time for another to choose it too: so a process has a stretch to itself, by
 * its number, and gives none again before all others of it.
 */
export const freePort: Effect.Effect<number> = Effect.suspend(() => {
  const port = first + (process.pid % stretches) * perStretch + (given++ % perStretch)
  return Effect.flatMap(isFree(port), (free) => (free ? Effect.succeed(port) : freePort))
})

const isFree = (port: number) =>
  Effect.callback<boolean>((resume) => {
    const server = createServer()
    server.once("error", () => resume(Effect.succeed(false)))
    server.listen(port, "127.0.0.1", () => server.close(() => resume(Effect.succeed(true))))
  })
