/**
 * The control port: what only people, colleagues and bad luck can do, over HTTP and JSON.
 */
import { Effect, Result, Schema } from "effect"
import { EventGridSubscription } from "./azure/events.ts"
import { jsonReader, queryRecord } from "./decode.ts"
import { SandboxError } from "./error.ts"
import { Fault } from "./fault.ts"
import type { Sandbox } from "./sandbox.ts"
import { TwilioWebhook } from "./twilio/webhook.ts"
import { type WireRequest, type WireResponse, json } from "./wire.ts"
import { Edit, Send, Text } from "./world.ts"

type Controlled = Omit<Sandbox, "controlUrl">
type Query = Readonly<Record<string, string>>
type Route = (sandbox: Controlled, query: Query, body: string) => Effect.Effect<unknown, SandboxError>

/** A route that takes JSON; `sample` is shown to whoever sends something else. */
const taking = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  sample: object,
  run: (sandbox: Controlled, input: S["Type"]) => Effect.Effect<unknown, SandboxError>
): Route => {
  const read = jsonReader(schema)
  return (sandbox, _, body) =>
    Result.match(read(body), {
      onSuccess: (input) => run(sandbox, input),
      onFailure: ({ field, message }) =>
        Effect.fail(
          new SandboxError({
            problem: `The body cannot be read${field === "" ? "" : ` at ${field}`}: ${message}.`,
            cure: `Send JSON such as ${JSON.stringify(sample)}`
          })
        )
    })
}

const required = (query: Query, name: string): Effect.Effect<string, SandboxError> =>
  query[name] === undefined
    ? Effect.fail(new SandboxError({ problem: `The query lacks ${name}.`, cure: `Add ?${name}=…` }))
    : Effect.succeed(query[name])

const mostPeoplePerPage = 1_000

const people: Route = (sandbox, query) => {
  const number = (name: string, absent: number): number => {
    const value = Number(query[name] ?? absent)
    return Number.isInteger(value) && value >= 0 ? value : absent
  }
  const start = number("start", 0)
  const limit = Math.min(number("limit", 100), mostPeoplePerPage)
  return Effect.succeed({ total: sandbox.people.length, start, people: sandbox.people.slice(start, start + limit) })
}

const routes: Readonly<Record<string, Route>> = {
  "GET /health": () => Effect.succeed({ status: "ok" }),
  "GET /accounts": (sandbox) => Effect.succeed({ accounts: sandbox.accounts }),
  "GET /people": people,
  "POST /texts": taking(Text, { from: "+15550100000", to: "20500", text: "STOP" }, (sandbox, text) =>
    sandbox.text(text)
  ),
  "POST /edits": taking(
    Edit,
    { account: "acme", sender: "+16505550100", action: "opt-out", recipients: ["+15550100000"] },
    (sandbox, edit) => sandbox.edit(edit)
  ),
  "POST /sends": taking(Send, { account: "contoso", from: "20500", to: "+15550100000" }, (sandbox, send) =>
    sandbox.send(send)
  ),
  "GET /state": (sandbox, query) =>
    Effect.flatMap(required(query, "account"), (account) =>
      sandbox.state(account, query["sender"]?.replace(/^ /, "+"))
    ),
  "POST /subscriptions": taking(
    EventGridSubscription,
    { account: "contoso", url: "http://127.0.0.1:8080/webhook", schema: "EventGrid" },
    (sandbox, wish) => sandbox.subscribe(wish)
  ),
  "DELETE /subscriptions": Effect.fnUntraced(function* (sandbox: Controlled, query: Query) {
    yield* sandbox.unsubscribe(yield* required(query, "account"), yield* required(query, "id"))
    return {}
  }),
  "POST /blacklistings": taking(
    Schema.Struct({ account: Schema.String }),
    { account: "acme" },
    (sandbox, { account }) => sandbox.blacklist(account)
  ),
  "POST /webhooks": taking(
    TwilioWebhook,
    { account: "fabrikam", url: "http://127.0.0.1:8080/webhooks/fabrikam" },
    (sandbox, webhook) => Effect.as(sandbox.listen(webhook), {})
  ),
  "POST /hangups": taking(Schema.Struct({ account: Schema.String }), { account: "acme" }, (sandbox, { account }) =>
    sandbox.hangUp(account)
  ),
  "POST /faults": taking(Fault, { account: "acme", kind: "throttle", retryAfter: 2, times: 1 }, (sandbox, fault) =>
    Effect.as(sandbox.fault(fault), {})
  ),
  "GET /faults": (sandbox, query) =>
    Effect.flatMap(required(query, "account"), (account) =>
      Effect.map(sandbox.faults(account), (faults) => ({ faults }))
    ),
  "DELETE /faults": (sandbox, query) => Effect.as(sandbox.clearFaults(query["account"]), {}),
  "GET /log": (sandbox, query) =>
    Effect.flatMap(required(query, "account"), (account) => Effect.map(sandbox.log(account), (log) => ({ log }))),
  "DELETE /log": (sandbox, query) =>
    Effect.flatMap(required(query, "account"), (account) => Effect.as(sandbox.clearLog(account), {}))
}

const unknownRoute = new SandboxError({
  problem: "There is no such route.",
  cure: `There are: ${Object.keys(routes).join(", ")}.`
})

/** Statuses: 200, 202 for a text that was accepted for sending, 400 for a mistake, 404 for a route that is none. */
export const answerControl = (sandbox: Controlled, request: WireRequest): Effect.Effect<WireResponse> => {
  const name = `${request.method} ${request.path}`
  const route = routes[name]
  const mistake = (status: number) => (error: SandboxError) =>
    Effect.succeed(json(status, { error: error.problem, cure: error.cure }))
  if (route === undefined) return mistake(404)(unknownRoute)
  return route(sandbox, queryRecord(request.query), request.body).pipe(
    Effect.map((body) => json(name === "POST /sends" ? 202 : 200, body)),
    Effect.catch(mistake(400))
  )
}
