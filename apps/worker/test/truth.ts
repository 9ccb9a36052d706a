/** Looking at a worker as Prometheus does, and at what it would be asked. */
import { readFile } from "node:fs/promises"
import { Clock, Effect, Schema } from "effect"
import { parse } from "yaml"
import { readSamples, type Scrape } from "./scrape.ts"
import type { World } from "./world.ts"

const root = new URL("../../../", import.meta.url)

export const readRoot = (name: string) => Effect.promise(() => readFile(new URL(name, root), "utf8"))

export const getText = (world: World, path: string) =>
  Effect.promise(async () => {
    const response = await fetch(world.url + path)
    return { status: response.status, type: response.headers.get("content-type"), body: await response.text() }
  })

export const getJson = (world: World, path: string) =>
  Effect.map(getText(world, path), ({ body, status }) => ({ status, body: JSON.parse(body) }))

/** One scrape. Prometheus adds by itself whether the target answered. */
export const scrape = Effect.fn("scrape")(function* (world: World): Effect.fn.Return<Scrape> {
  const at = (yield* Clock.currentTimeMillis) / 1000
  const text = yield* Effect.promise(() =>
    fetch(`${world.url}/metrics`).then(
      (response) => response.text(),
      () => undefined
    )
  )
  const up = { name: "up", labels: { job: "stopline" }, value: text === undefined ? 0 : 1 }
  return { at, samples: [...(text === undefined ? [] : readSamples(text)), up] }
})

const Rule = Schema.Struct({
  alert: Schema.String,
  expr: Schema.String,
  for: Schema.optionalKey(Schema.String),
  labels: Schema.Struct({ severity: Schema.Literals(["critical", "warning"]) }),
  annotations: Schema.Struct({ summary: Schema.NonEmptyString, action: Schema.NonEmptyString, runbook: Schema.String })
})
export type Rule = typeof Rule.Type
const Rules = Schema.Struct({ groups: Schema.Array(Schema.Struct({ name: Schema.String, rules: Schema.Array(Rule) })) })

export const readRules = Effect.map(readRoot("docker/prometheus/alerts.yaml"), (text): ReadonlyArray<Rule> =>
  Schema.decodeUnknownSync(Rules, { onExcessProperty: "error" })(parse(text)).groups.flatMap(({ rules }) => rules)
)

const Target = Schema.Struct({ expr: Schema.String })
const Dashboard = Schema.Struct({
  uid: Schema.String,
  title: Schema.String,
  schemaVersion: Schema.Int.check(Schema.isGreaterThanOrEqualTo(39)),
  panels: Schema.Array(
    Schema.Struct({
      id: Schema.Int,
      title: Schema.String,
      type: Schema.Literals(["timeseries", "stat"]),
      gridPos: Schema.Struct({ x: Schema.Int, y: Schema.Int, w: Schema.Int, h: Schema.Int }),
      targets: Schema.Array(Target)
    })
  )
})

export const readDashboard = Effect.map(
  readRoot("docker/grafana/stopline.json"),
  Schema.decodeUnknownSync(Schema.fromJsonString(Dashboard))
)
