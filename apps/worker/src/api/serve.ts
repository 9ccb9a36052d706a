/** Every endpoint with what answers it. */
import { Effect, Fiber, FiberSet, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiBuilder, HttpApiMiddleware } from "effect/http-api"
import { Api, Shaped } from "./api.ts"
import { authorised } from "./authorise.ts"
import { placesOf, readBody, readText } from "./body.ts"
import { Rates } from "./bucket.ts"
import { check } from "./check.ts"
import { Freshness } from "./freshness.ts"
import { runImport } from "./imports.ts"
import { Keys } from "./keys.ts"
import { approve, clear, halts, plan } from "./plan.ts"
import { notHere, promptly, unavailable, unprocessable } from "./problems.ts"
import { attest, lookup } from "./recipients.ts"
import * as Shapes from "./shapes.ts"

const readLookup = readBody(Shapes.LookupRequest)
const readAttestation = readBody(Shapes.AttestationRequest)
const readApproval = readBody(Shapes.ApproveRequest)
const readClearing = readBody(Shapes.ClearRequest)

const checks = HttpApiBuilder.group(
  Api,
  "check",
  Effect.fnUntraced(function* (handlers) {
    const { ofAccounts } = yield* Freshness
    return handlers.handleRaw("check", ({ request }) =>
      unavailable(
        Effect.flatMap(readText(request), (text) =>
          Effect.map(promptly(check(text, ofAccounts)), (answer) => HttpServerResponse.jsonUnsafe(answer))
        )
      )
    )
  })
)

const recipients = HttpApiBuilder.group(Api, "recipients", (handlers) =>
  handlers
    .handleRaw("lookup", ({ request }) => unavailable(Effect.flatMap(readLookup(request), lookup)))
    .handleRaw("attest", ({ request }) => unavailable(Effect.flatMap(readAttestation(request), attest)))
    .handleRaw("import", ({ query, request }) => unavailable(runImport(query, request)))
)

const plans = HttpApiBuilder.group(
  Api,
  "plan",
  Effect.fnUntraced(function* (handlers) {
    const approvals = yield* FiberSet.make()
    return handlers
      .handle("plan", () => unavailable(plan()))
      .handleRaw("approve", ({ request }) =>
        unavailable(
          Effect.gen(function* () {
            const approval = yield* readApproval(request)
            // It goes on if the client hangs up; it ends with the worker.
            return yield* Fiber.join(yield* FiberSet.run(approvals, approve(approval)))
          })
        )
      )
  })
)

const haltHandlers = HttpApiBuilder.group(Api, "halts", (handlers) =>
  handlers
    .handle("list", () => unavailable(halts()))
    .handleRaw("clear", ({ params, request }) =>
      unavailable(Effect.flatMap(readClearing(request), (body) => clear(params.id, body)))
    )
)

const shaped = HttpApiMiddleware.layerSchemaErrorTransform(Shaped, (error) =>
  error.kind === "Body" || error.kind === "ResponseHeaders"
    ? Effect.die(error)
    : Effect.fail(
        unprocessable(
          `the ${error.kind.toLowerCase()} is not as it should be in: ${placesOf(error.cause)}; /v1/openapi.json says how`
        )
      )
)

/** A path that is none, or a method that it does not take. */
const elsewhere = HttpRouter.add("*", "/v1/*", () => Effect.succeed(notHere))

/** The interface for applications. */
export const api = Layer.merge(HttpApiBuilder.layer(Api, { openapiPath: "/v1/openapi.json" }), elsewhere).pipe(
  Layer.provide([checks, recipients, plans, haltHandlers]),
  Layer.provide([authorised, shaped]),
  Layer.provide([Keys.layer, Rates.layer, Freshness.layer])
)
