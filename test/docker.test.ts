/** What can be known about the image and the composition without an engine. `npm run docker:check` tries the rest by hand. */
import { readdirSync } from "node:fs"
import path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { startSandbox } from "@stopline/sandbox"
import { loadConfig } from "@stopline/worker"
import { DCLinter } from "dclint"
import { validate } from "dockerfile-utils"
import { Effect, Schema } from "effect"
import { parse } from "yaml"
import { context, execForm, inContext, instructions, read, root } from "./image.ts"

const Manifest = Schema.Struct({
  packageManager: Schema.String,
  optionalDependencies: Schema.Struct({ node: Schema.String })
})

const Composition = Schema.Struct({
  services: Schema.Record(
    Schema.String,
    Schema.Struct({
      image: Schema.String,
      command: Schema.optionalKey(Schema.Array(Schema.String)),
      entrypoint: Schema.optionalKey(Schema.Array(Schema.String)),
      healthcheck: Schema.optionalKey(Schema.Struct({ test: Schema.optionalKey(Schema.Array(Schema.String)) }))
    })
  )
})

const Scraped = Schema.Struct({
  scrape_configs: Schema.Array(
    Schema.Struct({ static_configs: Schema.Array(Schema.Struct({ targets: Schema.Array(Schema.String) })) })
  )
})

const manifest = Schema.decodeUnknownSync(Schema.fromJsonString(Manifest))(read("package.json"))
const composition = Schema.decodeUnknownSync(Composition)(parse(read("docker/compose.yaml"), { merge: true }))

/** Matters of taste; what is left are the Compose schema and mistakes. */
const tastes = [
  "no-quotes-in-volumes",
  "require-quotes-in-ports",
  "service-dependencies-alphabetical-order",
  "service-keys-order",
  "service-ports-alphabetical-order",
  "services-alphabetical-order",
  "top-level-properties-order",
  // The same image is built once and used by several services.
  "no-build-and-image"
]

describe("the image", () => {
  it("has a Dockerfile in which nothing is wrong", () => {
    assert.deepStrictEqual(validate(read("docker/Dockerfile")), [])
  })

  it("runs the Node and is installed by the pnpm that the repository names", () => {
    const bases = instructions().flatMap(({ keyword, text }) => (keyword === "FROM" ? [text.split(" ")[0]] : []))
    assert.deepStrictEqual([...new Set(bases)], [`node:${manifest.optionalDependencies.node}-trixie-slim`])
    assert.include(read("docker/Dockerfile"), `npm install --global ${manifest.packageManager}\n`)
  })

  it("is not root's, and gets signals itself", () => {
    const user = instructions().findLast(({ keyword }) => keyword === "USER")?.text
    assert.strictEqual(user, "1000:1000")
    assert.deepStrictEqual(execForm("ENTRYPOINT"), ["/usr/local/bin/stopline"])
    assert.strictEqual(execForm("CMD")[0], "up")
    assert.strictEqual(execForm("HEALTHCHECK")[0], "node")
  })

  it("holds all that runs, and nothing else", () => {
    const files = context()
    const packages = ["apps", "packages"].flatMap((folder) =>
      readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`)
    )
    // The lock file names all of them, so an installation needs them, too.
    for (const one of packages) assert.include(files, `${one}/package.json`)
    for (const one of ["package.json", "pnpm-lock.yaml", "pnpm-workspace.yaml", "docker/health.mjs"])
      assert.include(files, one)
    assert.deepStrictEqual(
      files.filter((file) => /\/(test|examples|measure|planted)\/|\.md$|^docs|^test/.test(file)),
      []
    )
  })

  it("takes no secret along, wherever one lies", () => {
    for (const folder of ["", "docker/", "apps/worker/", "packages/ledger/src/"]) {
      for (const secret of [".env", ".env.local", "stopline.yaml", ".stopline/postgres.password"])
        assert.isFalse(inContext(`${folder}${secret}`), `${folder}${secret}`)
    }
    assert.isFalse(inContext(".git/config"))
    assert.isFalse(inContext("node_modules/pg/package.json"))
  })
})

describe("the composition", () => {
  it("keeps to the Compose specification", () => {
    const linter = new DCLinter({
      rules: Object.fromEntries(tastes.map((rule) => [rule, 0])),
      quiet: false,
      debug: false,
      exclude: []
    })
    const [result] = linter.lintFiles([path.join(root, "docker/compose.yaml")], false)
    assert.deepStrictEqual(result?.messages, [])
  })

  it("has every worker watched and scraped at its own port", () => {
    const ports = Object.entries(composition.services).flatMap(([name, { command }]) => {
      const at = command?.indexOf("--port") ?? -1
      return at < 0 || name === "sandbox" ? [] : [{ name, port: command?.[at + 1] ?? "" }]
    })
    assert.strictEqual(new Set(ports.map(({ port }) => port)).size, ports.length)
    assert.isAbove(ports.length, 2)
    const scraped = Schema.decodeUnknownSync(Scraped)(parse(read("docker/prometheus/prometheus.yaml")))
    assert.deepStrictEqual(
      scraped.scrape_configs.flatMap(({ static_configs }) => static_configs.flatMap(({ targets }) => targets)),
      ports.map(({ name, port }) => `${name}:${port}`)
    )
    for (const { name, port } of ports) {
      const watched = composition.services[name]?.healthcheck?.test ?? [...execForm("HEALTHCHECK"), "4000"]
      assert.strictEqual(watched.at(-1), port)
    }
  })

  it.effect("has a configuration that is good, with the credentials of its sandbox", () =>
    Effect.gen(function* () {
      const { content } = yield* loadConfig(path.join(root, "docker/stopline.yaml"))
      assert.strictEqual(content.accounts.length, 2)
      const sandbox = yield* startSandbox()
      const stated = read("docker/sandbox.env")
      for (const { credentials } of sandbox.accounts) {
        for (const [name, value] of Object.entries(credentials)) {
          // Where it listens is the composition's own affair.
          const secret = name === "connectionString" ? value.replace(/^.*;accesskey=/, "") : value
          assert.include(stated, secret)
        }
      }
    }).pipe(Effect.scoped)
  )
})
