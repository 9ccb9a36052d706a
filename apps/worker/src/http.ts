/** The worker's port: webhooks in, and what the worker says of itself out. */
import { createServer } from "node:http"
import { NodeHttpServer } from "@effect/platform-node"
import { Fleet } from "@stopline/engine"
import type { RawRequest } from "@stopline/provider"
import { ByteSize, Clock, Effect, Layer, Predicate, Schema } from "effect"
import {
  HttpIncomingMessage,
  HttpRouter,
  HttpServer,
  type HttpServerError,
  type HttpServerRequest,
  HttpServerResponse
} from "effect/http"
import { Front, serverBehind } from "./api/front.ts"
import { api } from "./api/serve.ts"
import { Carrier } from "./carry.ts"
import type { Loaded } from "./open.ts"
import { queryOf } from "./query.ts"
import { truthRoutes, type TruthNeeds, untraced } from "./truth/routes.ts"

/** Far more than any provider sends at once: Event Grid stops at 1 MiB. */
const largestBody = ByteSize.mebibytes(2)

const webhooks = HttpRouter.add("*", "/webhooks/:account", (request) =>
  Effect.gen(function* () {
    const fleet = yield* Fleet
    const carrier = yield* Carrier
    const { account } = yield* HttpRouter.params
    const station = fleet.stations.find((candidate) => String(candidate.account.name) === account)
    if (station === undefined || account === undefined) return HttpServerResponse.empty({ status: 404 })
    const { events } = station.adapter
    if (events._tag !== "Can") {
      yield* Effect.logWarning("a webhook request came for an account that takes none", {
        account,
        reason: events.reason
      })
      return HttpServerResponse.empty({ status: 503 })
    }
    const raw = yield* readRequest(request)
    // A provider that hangs up, tired of waiting, may not say it again: what has arrived is stored nevertheless.
    const reply = yield* Effect.uninterruptible(carrier.receive(station, events.port, raw))
    return HttpServerResponse.text(reply.body, { status: reply.status, headers: reply.headers })
  }).pipe(
    // Our own fault is temporary: 503 makes the provider send it again, where a 4xx would make it give up.
    Effect.catch((error) => {
      const fault = error._tag === "HttpServerError" ? faultOf(error) : { status: 503, detail: error.message }
      return Effect.as(
        Effect.logError("a webhook request could not be stored", { error: fault.detail }),
        HttpServerResponse.empty({ status: fault.status })
      )
    })
  )
)

/**
 * A body that is larger than any provider's will be so the next time; one that
 * broke off on its way may be whole then.
 */
const faultOf = ({ reason }: HttpServerError.HttpServerError): { readonly status: number; readonly detail: string } =>
  reason._tag === "RequestParseError" && reason.reason === "BodyTooLarge"
    ? { status: 413, detail: "its body is too large" }
    : { status: 503, detail: "its body could not be read" }

const readRequest = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
  const receivedAt = yield* Clock.currentTimeMillis
  const body =
    request.method === "POST"
      ? yield* Effect.provideService(request.text, HttpIncomingMessage.MaxBodySize, largestBody)
      : ""
  return {
    method: request.method,
    headers: { ...request.headers },
    query: Object.fromEntries(queryOf(request.originalUrl)),
    // JSON may begin with a byte order mark, and whoever reads it may pass over that (RFC 8259, 8.1).
    body: body.replace(/^\uFEFF/, ""),
    receivedAt
  } satisfies RawRequest
})

/** The port cannot be listened on. */
export class PortError extends Schema.TaggedError<PortError>()("PortError", {
  host: Schema.String,
  port: Schema.Int,
  code: Schema.String
}) {
  override get message(): string {
    return this.code === "EADDRINUSE"
      ? `port ${this.port} on ${this.host} is in use; stop what listens there, or choose another with --port`
      : `cannot listen on ${this.host}:${this.port} (${this.code})`
  }
}

/** Serves until the scope ends; then waits a moment for requests in flight. A worker that only works answers for its health. */
export const serve = (
  host: string,
  port: number,
  role: "all" | "web" | "worker"
): Layer.Layer<HttpServer.HttpServer, PortError, Carrier | Loaded | TruthNeeds> =>
  HttpRouter.serve(role === "worker" ? truthRoutes : Layer.mergeAll(webhooks, api, truthRoutes), {
    disableLogger: true,
    disableListenLog: true
  }).pipe(
    Layer.provide(untraced),
    Layer.provideMerge(listening(host, port, role)),
    Layer.catch((error) => Layer.effect(HttpServer.HttpServer, Effect.fail(toPortError(host, port, error))))
  )

const listening = (host: string, port: number, role: "all" | "web" | "worker") => {
  const on = { host, port, gracefulShutdownTimeout: "3 seconds" } as const
  if (role === "worker") return NodeHttpServer.layer(createServer, on)
  const behind = Effect.map(Front, (front) => NodeHttpServer.layer(() => serverBehind(front), on))
  return Layer.unwrap(behind).pipe(Layer.provide(Front.layer))
}

const toPortError = (host: string, port: number, error: unknown): PortError => {
  const cause = Predicate.hasProperty(error, "cause") ? error.cause : error
  const code = Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : "unknown"
  return new PortError({ host, port, code })
}
