/** The HTTP interface for applications, described: paths, shapes, scopes. `/v1/openapi.json` is made of it. */
import type { Scope } from "@stopline/ledger"
import { Schema } from "effect"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiMiddleware, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorised, Needs } from "./authorise.ts"
import { Conflict, NotFound, TooLarge, Unavailable, Unprocessable } from "./problems.ts"
import * as Shapes from "./shapes.ts"

/** Turns what does not fit a schema into a problem. */
export class Shaped extends HttpApiMiddleware.Service<Shaped>()("@stopline/worker/Shaped", { error: Unprocessable }) {}

const says = (summary: string, description: string, scope: Scope) =>
  OpenApi.annotations({ summary, description: `${description}\n\nScope: \`${scope}\`.` })

const body = [TooLarge, Unprocessable, Unavailable] as const

const inBodies =
  "The number travels in the body and never in the URL: proxies, browsers and logs keep URLs, and a number is personal data"

const check = HttpApiEndpoint.post("check", "/v1/check", {
  payload: Shapes.CheckRequest,
  success: Shapes.CheckResponse,
  error: body
})
  .annotate(Needs, "read")
  .annotateMerge(
    says(
      "May these people be texted?",
      "Asks for one sender, or for every sender of a group, about up to 1,000 people. It fails closed: text somebody only if the answer is 200 and `mayText` is true for them. Whatever is missing, unknown or undecided is a no; a sender that is not yours is 422, and a database that does not answer is 503. Asking changes nothing and can be repeated",
      "read"
    )
  )

const lookup = HttpApiEndpoint.post("lookup", "/v1/recipients/lookup", {
  payload: Shapes.LookupRequest,
  success: Shapes.LookupResponse,
  error: body
})
  .annotate(Needs, "read")
  .annotateMerge(
    says(
      "All that is known of one person",
      `What they said to whom, what must be, what each provider was last known to hold. ${inBodies}`,
      "read"
    )
  )

const attest = HttpApiEndpoint.post("attest", "/v1/attestations", {
  payload: Shapes.AttestationRequest,
  success: Shapes.AttestationResponse,
  error: [...body, NotFound]
})
  .annotate(Needs, "attest")
  .annotateMerge(
    says(
      "A named person says that somebody opted out or in",
      "It counts like the person's own words. The same attestation again is stored once, so a request without an answer can be sent again; it needs no Idempotency-Key. The worker carries it with its next round",
      "attest"
    )
  )

const imports = HttpApiEndpoint.post("import", "/v1/imports", {
  query: Shapes.ImportQuery,
  payload: [Shapes.ImportRequest, Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/csv" }))],
  success: Shapes.ImportResponse,
  error: [...body, NotFound]
})
  .annotate(Needs, "attest")
  .annotateMerge(
    says(
      "People who opted out elsewhere",
      "JSON rows, or a CSV whose header names `recipient` and, if you like, `opted_out_at`, `sender` and `state`: the columns of `stopline import`. Nobody is opted in by it. Rows that cannot be believed are named, and the rest is stored. A row has to have a time, its own or `at`. The same rows again are no news, so it needs no Idempotency-Key; of a day that is not over they say that it happened by now. Without `sender`, and without `account`, a row counts for every sender of every account",
      "attest"
    )
  )

const plan = HttpApiEndpoint.get("plan", "/v1/plan", { success: Shapes.PlanResponse, error: Unavailable })
  .annotate(Needs, "read")
  .annotateMerge(
    says("What differs between the ledger and the providers", "Writes nothing. Numbers are masked", "read")
  )

const approve = HttpApiEndpoint.post("approve", "/v1/plan/approve", {
  payload: Shapes.ApproveRequest,
  success: Shapes.ApproveResponse,
  error: [...body, Conflict]
})
  .annotate(Needs, "operate")
  .annotateMerge(
    says(
      "Carry out exactly the plan with this digest",
      "Whatever the guards say. If anything changed since it was seen, nothing is written and the answer is 409 with the digest of the plan as it is now; so a request sent twice does no more than one. It goes on if you hang up",
      "operate"
    )
  )

const halts = HttpApiEndpoint.get("list", "/v1/halts", { success: Shapes.HaltsResponse, error: Unavailable })
  .annotate(Needs, "read")
  .annotateMerge(says("What waits for a person", "A halt is stored and survives restarts", "read"))

const clear = HttpApiEndpoint.post("clear", "/v1/halts/:id/clear", {
  params: { id: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2_147_483_647 })) },
  payload: Shapes.ClearRequest,
  success: Shapes.Halt,
  error: [...body, NotFound]
})
  .annotate(Needs, "operate")
  .annotateMerge(
    says(
      "Clear one halt after you have looked",
      "Approves nothing: the next round looks again, and halts again if it is still so. One that is not open is 404, so a second request does nothing",
      "operate"
    )
  )

export class Api extends HttpApi.make("stopline")
  .add(HttpApiGroup.make("check").add(check))
  .add(HttpApiGroup.make("recipients").add(lookup, attest, imports))
  .add(HttpApiGroup.make("plan").add(plan, approve))
  .add(HttpApiGroup.make("halts").add(halts, clear))
  .middleware(Shaped)
  .middleware(Authorised)
  .annotateMerge(
    OpenApi.annotations({
      title: "Stopline",
      version: "1",
      description:
        "May I text them? What did they say? Every failure is an RFC 9457 problem whose `detail` names the cure, and is never a yes.",
      license: { name: "MIT", url: "https://opensource.org/license/mit" }
    })
  ) {}
