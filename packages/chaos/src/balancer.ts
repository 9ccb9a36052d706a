/**
 * What stands in front of several workers: it gives each webhook request to the
 * next one of them. One that refuses the connection is passed over; one that took
 * the request and does not answer in time costs the request, as nobody knows what
 * it did with it.
 */
import { createServer, type IncomingMessage, request as send, type ServerResponse } from "node:http"
import { Effect, Predicate, type Scope } from "effect"
import { portOf } from "./door.ts"

/** Shorter than the three seconds that RingCentral gives a webhook. */
const patienceMs = 2_000

export const makeBalancer = (ports: ReadonlyArray<number>): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        let turn = 0
        const server = createServer((message, response) => {
          const chunks: Array<Buffer> = []
          message.on("data", (chunk: Buffer) => chunks.push(chunk))
          message.on("error", () => undefined)
          message.once("end", () => {
            turn += 1
            const order = ports.map((_, index) => ports[(turn + index) % ports.length] ?? 0)
            give(order, message, Buffer.concat(chunks), response)
          })
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          server.closeAllConnections()
        })
    ),
    (server) => `http://127.0.0.1:${portOf(server)}`
  )

const give = (
  [port, ...others]: ReadonlyArray<number>,
  message: IncomingMessage,
  body: Buffer,
  response: ServerResponse
): void => {
  if (port === undefined) return void response.writeHead(502).end()
  const { headers, method = "GET", url = "/" } = message
  const onward = send({ host: "127.0.0.1", port, path: url, method, headers, agent: false, timeout: patienceMs })
  onward.once("timeout", () => {
    if (!response.headersSent) response.writeHead(504).end()
    onward.destroy()
  })
  onward.once("response", (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(response)
    answer.once("error", () => response.destroy())
  })
  onward.once("error", (error) => {
    if (response.headersSent) return
    const refused = Predicate.hasProperty(error, "code") && error.code === "ECONNREFUSED"
    if (refused) return give(others, message, body, response)
    response.writeHead(502).end()
  })
  onward.end(body)
}
