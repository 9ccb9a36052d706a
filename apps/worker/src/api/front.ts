/**
 * `POST /v1/check` in front of the router: the busiest of all requests, of which
 * most of the time would go into finding out which one it is. Only what is
 * plainly in order is answered here: a key in force that may ask just now, and a
 * body that says how long it is. Nothing has been read of any other request when
 * the router gets it, and the router refuses it in its own words.
 */
import { createServer, IncomingMessage, type Server, ServerResponse } from "node:http"
import type { Fleet } from "@stopline/engine"
import type { Connection } from "@stopline/ledger"
import { ByteSize, Clock, Context, Effect, FiberSet, Layer, References } from "effect"
import type { Loaded } from "../open.ts"
import { largest } from "./body.ts"
import { Rates } from "./bucket.ts"
import { check } from "./check.ts"
import { Freshness } from "./freshness.ts"
import { Keys } from "./keys.ts"
import { problemBody, problemType, promptly, type Unavailable, unavailableNow, Unprocessable } from "./problems.ts"

/** Answers a request, or leaves it untouched and says false. */
type Answer = (request: IncomingMessage, response: ServerResponse) => boolean

export class Front extends Context.Service<Front, Answer>()("@stopline/worker/Front") {
  static readonly layer: Layer.Layer<Front, never, Fleet | Connection | Loaded> = Layer.effect(
    Front,
    Effect.gen(function* () {
      const keys = yield* Keys
      const rates = yield* Rates
      const clock = yield* Clock.Clock
      const { ofAccounts } = yield* Freshness
      // Whoever watches traces wants every request among them; the router makes them.
      if (yield* References.TracerEnabled) return () => false
      const run = yield* FiberSet.makeRuntime<Fleet | Connection | Loaded>()

      const answer = (text: string, response: ServerResponse) =>
        promptly(check(text, ofAccounts)).pipe(
          Effect.map((answered) => send(response, 200, "application/json", answered)),
          Effect.catch((error) =>
            error instanceof Unprocessable
              ? Effect.succeed(sendProblem(response, error))
              : Effect.map(unavailableNow(error), (problem) => sendProblem(response, problem, { "retry-after": "1" }))
          ),
          Effect.onError(() => Effect.sync(() => response.destroy()))
        )

      const front: Answer = (request, response) => {
        if (!isPlain(request)) return false
        const now = clock.currentTimeMillisUnsafe()
        const key = keys.glance(bearer.exec(request.headers.authorization ?? "")?.[1] ?? "", now)
        // Every scope may ask this.
        if (key === undefined || rates.take(key.handle, now) > 0) return false
        const chunks: Array<Buffer> = []
        request.on("data", (chunk: Buffer) => chunks.push(chunk))
        // Whoever hangs up in the middle of it waits for no answer.
        request.on("end", () => run(answer(Buffer.concat(chunks).toString(), response)))
        return true
      }
      return front
    })
  ).pipe(Layer.provide([Keys.layer, Rates.layer, Freshness.layer]))
}

const bearer = /^Bearer (stopline_\S+)$/

const largestBytes = Number(ByteSize.toBigInt(largest))

const isPlain = ({ headers, method, url }: IncomingMessage): boolean =>
  url === "/v1/check" &&
  method === "POST" &&
  headers["content-type"] === "application/json" &&
  headers["content-encoding"] === undefined &&
  headers["content-length"] !== undefined &&
  Number(headers["content-length"]) <= largestBytes

const send = (response: ServerResponse, status: number, type: string, body: object, headers: object = {}): void => {
  const text = JSON.stringify(body)
  const length = Buffer.byteLength(text)
  // What is plain ASCII is the same in both, and sooner written.
  const encoding = length === text.length ? "latin1" : "utf8"
  response.writeHead(status, { "content-type": type, "content-length": length, ...headers }).end(text, encoding)
}

const sendProblem = (response: ServerResponse, problem: Unprocessable | Unavailable, headers: object = {}): void => {
  send(response, problem.status, problemType, problemBody(problem), headers)
}

/** A server whose requests are shown to the front first. */
export const serverBehind = (front: Answer): Server => {
  const server = createServer()
  const emit = server.emit.bind(server)
  return Object.assign(server, {
    emit: (event: string, ...args: ReadonlyArray<unknown>) => {
      const [request, response] = args
      return event === "request" && request instanceof IncomingMessage && response instanceof ServerResponse
        ? front(request, response) || emit(event, ...args)
        : emit(event, ...args)
    }
  })
}
