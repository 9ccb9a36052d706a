/** What can go wrong with a request: RFC 9457, and in every `detail` a sentence that names the cure. */
import { LedgerError } from "@stopline/ledger"
import { Effect } from "effect"
import { HttpEffect, HttpServerResponse } from "effect/http"
import { HttpApiError } from "effect/http-api"

const type = "about:blank"

export class Unauthorized extends HttpApiError.Problem<Unauthorized>()("Unauthorized", {
  type,
  status: 401,
  title: "Unauthorized"
}) {}

export class Forbidden extends HttpApiError.Problem<Forbidden>()("Forbidden", {
  type,
  status: 403,
  title: "Forbidden"
}) {}

export class NotFound extends HttpApiError.Problem<NotFound>()("NotFound", {
  type,
  status: 404,
  title: "Not Found"
}) {}

export class Conflict extends HttpApiError.Problem<Conflict>()("Conflict", {
  type,
  status: 409,
  title: "Conflict"
}) {}

export class TooLarge extends HttpApiError.Problem<TooLarge>()("TooLarge", {
  type,
  status: 413,
  title: "Content Too Large"
}) {}

export class Unprocessable extends HttpApiError.Problem<Unprocessable>()("Unprocessable", {
  type,
  status: 422,
  title: "Unprocessable Content"
}) {}

export class TooMany extends HttpApiError.Problem<TooMany>()("TooMany", {
  type,
  status: 429,
  title: "Too Many Requests"
}) {}

export class Unavailable extends HttpApiError.Problem<Unavailable>()("Unavailable", {
  type,
  status: 503,
  title: "Service Unavailable"
}) {}

/** What is sent of a problem, where nobody else does it. */
export const problemBody = ({ detail, status, title, type }: NotFound | Unprocessable | Unavailable) => ({
  type,
  status,
  title,
  detail
})

export const problemType = "application/problem+json"

const noEndpoint = new NotFound({
  detail: "there is no such endpoint, or not by this method; /v1/openapi.json has all of them"
})

/** The answer where there is no endpoint. */
export const notHere = HttpServerResponse.jsonUnsafe(problemBody(noEndpoint), {
  status: noEndpoint.status,
  contentType: problemType
})

export const unprocessable = (detail: string): Unprocessable => new Unprocessable({ detail })

/** Adds a header to whatever the request will be answered with. */
export const withHeader = (name: string, value: string) =>
  HttpEffect.appendPreResponseHandler((_, response) =>
    Effect.succeed(HttpServerResponse.setHeader(response, name, value))
  )

/** How long the database may take over what is to be answered at once. */
const patience = "3 seconds"

/** Takes no answer in time for none. */
export const promptly = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | LedgerError, R> =>
  Effect.timeoutOrElse(self, {
    duration: patience,
    orElse: () =>
      Effect.fail(new LedgerError({ kind: "unreachable", operation: "answer", detail: `nothing within ${patience}` }))
  })

/** The database does not answer: nobody may be told yes. What the driver said goes to the log and not to the caller. */
export const unavailableNow = (error: LedgerError): Effect.Effect<Unavailable> =>
  Effect.as(
    Effect.logError("a request could not be answered", { error: error.message }),
    new Unavailable({
      detail: "the database did not answer, so nothing is known: text nobody, and try again in a moment"
    })
  )

export const unavailable = <A, E, R>(self: Effect.Effect<A, E | LedgerError, R>) =>
  Effect.catchIf(
    self,
    (error): error is LedgerError => error instanceof LedgerError,
    (error) => Effect.andThen(withHeader("retry-after", "1"), Effect.flatMap(unavailableNow(error), Effect.fail))
  )
