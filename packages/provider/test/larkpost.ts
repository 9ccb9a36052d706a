/** A server that answers as it is told, and remembers what it was asked. */
import { createServer, type IncomingMessage } from "node:http"
import { Effect } from "effect"

interface Asked {
  readonly method: string
  readonly url: string
  readonly authorization: string
  readonly body: string
}

export interface Answer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A text is sent as it is, anything else as JSON. `hang up` ends the connection instead. */
  readonly body: unknown
}

export const hangUp: Answer = { body: "hang up" }

/** Gives the answers in turn, one to each request. Closed with the scope. */
export const serve = Effect.fn("serve")(function* (answers: ReadonlyArray<Answer>) {
  const asked: Array<Asked> = []
  const server = createServer((request, response) => {
    void readAll(request).then((body) => {
      const answer = answers[asked.length]
      const { authorization = "" } = request.headers
      asked.push({ method: request.method ?? "", url: request.url ?? "", authorization, body })
      if (answer === undefined || answer === hangUp) return request.socket.destroy()
      response.writeHead(answer.status ?? 200, { "content-type": "application/json", ...answer.headers })
      return response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body))
    })
  })
  yield* Effect.acquireRelease(
    Effect.callback<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  )
  const address = server.address()
  const port = address !== null && typeof address === "object" ? address.port : 0
  return { url: `http://127.0.0.1:${port}`, asked }
})

const readAll = async (request: IncomingMessage): Promise<string> => {
  let body = ""
  for await (const chunk of request.setEncoding("utf8")) body += String(chunk)
  return body
}
