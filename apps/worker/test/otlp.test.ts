/** What a collector is told: a STOP from the webhook to the last provider, and nobody's number. */
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { describe, expect, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { HttpClient } from "effect/http"
import { clientLayer } from "../src/telemetry/otlp.ts"
import { startWorker } from "./worker.ts"
import { getText } from "./truth.ts"
import {
  acmeSender,
  azure,
  azureHolds,
  azureSenders,
  eventually,
  listenToAzure,
  makeWorld,
  ringcentralHolds,
  secrets,
  tenDlc,
  type World
} from "./world.ts"

const Attributes = Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.Unknown }))
const Span = Schema.Struct({
  traceId: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optionalKey(Schema.String),
  name: Schema.String,
  attributes: Attributes
})
const Log = Schema.Struct({
  traceId: Schema.optionalKey(Schema.String),
  body: Schema.Unknown,
  severityText: Schema.String
})
const Traces = Schema.Struct({
  resourceSpans: Schema.Array(Schema.Struct({ scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) }))
})
const Logs = Schema.Struct({
  resourceLogs: Schema.Array(
    Schema.Struct({ scopeLogs: Schema.Array(Schema.Struct({ logRecords: Schema.Array(Log) })) })
  )
})

const listening = (server: Server) =>
  Effect.acquireRelease(
    Effect.callback<string>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        const { port } = server.address() as AddressInfo
        resume(Effect.succeed(`http://127.0.0.1:${port}`))
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

/** Takes all that is sent, and keeps it. */
const collector = Effect.gen(function* () {
  const bodies: Array<{ readonly path: string; readonly headers: string; readonly body: string }> = []
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      bodies.push({ path: request.url ?? "", headers: JSON.stringify(request.headers), body: body.toString("utf8") })
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  })
  const url = yield* listening(server)
  const of = (path: string) => bodies.filter((one) => one.path === path).map(({ body }) => JSON.parse(body) as unknown)
  return {
    url,
    bodies,
    spans: () =>
      of("/v1/traces").flatMap((body) =>
        Schema.decodeUnknownSync(Traces)(body).resourceSpans.flatMap(({ scopeSpans }) =>
          scopeSpans.flatMap(({ spans }) => spans)
        )
      ),
    logs: () =>
      of("/v1/logs").flatMap((body) =>
        Schema.decodeUnknownSync(Logs)(body).resourceLogs.flatMap(({ scopeLogs }) =>
          scopeLogs.flatMap(({ logRecords }) => logRecords)
        )
      )
  }
})

/** Takes all that is sent, and never answers. */
const silence = Effect.gen(function* () {
  let asked = 0
  const server = createServer((request) => {
    asked += 1
    request.resume()
  })
  return { url: yield* listening(server), asked: () => asked }
})

const withVariables = (world: World, more: Readonly<Record<string, string>>): World => ({
  ...world,
  environment: { ...world.environment, ...more }
})

const carriedEverywhere = Effect.fnUntraced(function* (world: World, person: string) {
  for (const sender of azureSenders) yield* eventually(`${sender} holds it`, azureHolds(world, sender, person))
  yield* eventually("RingCentral holds it", ringcentralHolds(world, person))
})

describe("a collector", () => {
  it.live("is told of a STOP from end to end, with its logs, and of nobody's number or secret (L14)", () =>
    Effect.gen(function* () {
      const told = yield* collector
      const telemetry = `telemetry: { otlp: { url: "${told.url}", headers: { env: OTLP_HEADERS } } }`
      const world = withVariables(yield* makeWorld({ rest: `schedule: { every: 2 seconds }\n${telemetry}` }), {
        OTLP_HEADERS: "x-tenant=one%20two,x-key=abc"
      })
      const worker = yield* startWorker(world)
      yield* listenToAzure(world)
      const [person = "", other = ""] = world.sandbox.people
      // One of the writes is refused for good, so that something is logged inside the trace.
      yield* world.sandbox.fault({ account: azure, kind: "invalid-input", operation: "add", times: 1 })
      yield* world.sandbox.text({ from: person, to: tenDlc, text: "STOP" })
      yield* world.sandbox.text({ from: other, to: acmeSender, text: "STOP" })
      yield* carriedEverywhere(world, person)
      yield* carriedEverywhere(world, other)
      // A request with a secret in its URL that is not taken is logged.
      yield* Effect.promise(() =>
        fetch(`${world.url}/webhooks/${azure}?code=guess-of-a-secret`, { method: "POST", body: "[]" })
      )
      yield* getText(world, "/metrics")
      yield* eventually(
        "metrics are sent",
        Effect.sync(() => told.bodies.some(({ path }) => path === "/v1/metrics"))
      )
      const refused = () => told.logs().find(({ body }) => JSON.stringify(body).includes("an event was not taken"))
      yield* eventually(
        "the log is sent",
        Effect.sync(() => refused() !== undefined)
      )
      yield* worker.stop

      const spans = told.spans()
      const names = (traceId: string) =>
        new Set(spans.filter((span) => span.traceId === traceId).map(({ name }) => name))
      const carrying = spans.filter(({ name }) => name === "Carrier.spread").map(({ traceId }) => names(traceId))
      expect(carrying.length).toBeGreaterThan(0)
      const whole = ["POST", "Carrier.receive", "hearRequest", "Ledger.ingest", "push", "writeBurst", "paced"]
      // A round may have been quicker with one of them, and the outcome of that is no request.
      expect(carrying.filter((trace) => whole.every((name) => trace.has(name))).length).toBeGreaterThan(0)
      for (const trace of carrying) expect([...trace]).toEqual(expect.arrayContaining(whole.slice(0, 5)))
      // A job is a trace of its own.
      const jobs = spans.filter(({ name }) => name === "read" || name === "reconcile")
      expect(jobs.length).toBeGreaterThan(1)
      expect(new Set(jobs.map(({ traceId }) => traceId)).size).toBe(jobs.length)
      const burst = spans.find(({ name }) => name === "writeBurst")
      expect(burst?.attributes.map(({ key }) => key)).toEqual(
        expect.arrayContaining(["account", "kind", "state", "pairs"])
      )
      expect(spans.map(({ traceId }) => traceId)).toContain(refused()?.traceId)

      const all = told.bodies.map(({ body }) => body).join("\n")
      for (const secret of [...Object.values(secrets), "guess-of-a-secret", "verification-token"]) {
        expect(all).not.toContain(secret)
      }
      for (const number of [person, other]) {
        for (const part of [number, number.slice(1), number.slice(2), encodeURIComponent(number)]) {
          expect(all).not.toContain(part)
        }
      }
      expect(all).not.toMatch(/(?:\+|%2B)\d{7}/i)
      expect(all).toContain("stopline_oldest_unheld_optout_seconds")
      expect(told.bodies[0]?.headers).toContain('"x-tenant":"one two"')
    })
  )

  it.live("named by OpenTelemetry's own variables is told, too, and of the share of traces that is asked for", () =>
    Effect.gen(function* () {
      const told = yield* collector
      const rest = "schedule: { every: 1 second }\ntelemetry: { sample: 0 }"
      const world = withVariables(yield* makeWorld({ rest }), {
        OTEL_EXPORTER_OTLP_ENDPOINT: told.url,
        OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20abc",
        OTEL_SERVICE_NAME: "ours"
      })
      const worker = yield* startWorker(world)
      yield* Effect.promise(() => fetch(`${world.url}/webhooks/${azure}`, { method: "POST", body: "[]" }))
      yield* eventually(
        "a log is sent",
        Effect.sync(() => told.logs().length > 0)
      )
      yield* worker.stop
      expect(told.spans()).toEqual([])
      expect(told.bodies[0]?.headers).toContain("Bearer abc")
      expect(told.bodies[0]?.body).toContain('"ours"')
    })
  )

  it.live("that takes everything and never answers slows nobody: the STOP is carried, and the worker stops", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* silence
      const world = yield* makeWorld({ rest: `schedule: { every: 1 second }\ntelemetry: { otlp: { url: "${url}" } }` })
      const worker = yield* startWorker(world)
      for (const person of world.sandbox.people.slice(0, 10)) {
        yield* world.sandbox.text({ from: person, to: acmeSender, text: "STOP" })
      }
      for (const person of world.sandbox.people.slice(0, 10)) yield* carriedEverywhere(world, person)
      yield* eventually(
        "it was asked",
        Effect.sync(() => asked() > 0)
      )
      yield* worker.stop
    })
  )

  it.live("that never answers is kept waiting for four requests and no more, however much there is to tell", () =>
    Effect.gen(function* () {
      const { asked, url } = yield* silence
      const client = yield* HttpClient.HttpClient
      let refused = 0
      const tell = Effect.tapError(client.post(url), () => Effect.sync(() => (refused += 1)))
      for (let n = 0; n < 10; n++) yield* Effect.forkScoped(Effect.ignore(tell))
      yield* eventually(
        "six are refused",
        Effect.sync(() => refused === 6 && asked() === 4)
      )
    }).pipe(Effect.provide(clientLayer))
  )

  it.live("that is not there is no reason not to start, and nothing to be told of again and again", () =>
    Effect.gen(function* () {
      const world = yield* makeWorld({
        rest: 'schedule: { every: 1 second }\ntelemetry: { otlp: { url: "http://127.0.0.1:1" } }'
      })
      const worker = yield* startWorker(world)
      const [person = ""] = world.sandbox.people
      yield* world.sandbox.text({ from: person, to: acmeSender, text: "STOP" })
      yield* carriedEverywhere(world, person)
      expect(worker.logged.join("\n")).not.toContain("exporter")
      yield* worker.stop
    })
  )
})
