/**
 * With no configuration there is a demonstration: a sandbox in place of the
 * providers, and a configuration file written for it, read like any other.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises"
import path from "node:path"
import { Effect, Predicate, type Scope } from "effect"
import { type Sandbox, SandboxError, startSandbox } from "@stopline/sandbox"
import { type Config, ConfigError, loadConfig } from "./load.ts"
import { stateFolder } from "./open.ts"

export const demoFile = path.join(stateFolder, "demo.yaml")

/** They open nothing but the sandbox. In real configurations they come from the environment. */
export const demoSecrets = {
  DEMO_AZURE_ACCESS_KEY: "c3RvcGxpbmUtZGVtb25zdHJhdGlvbi1vbmx5",
  DEMO_AZURE_WEBHOOK_SECRET: "demonstration-only-azure",
  DEMO_RC_CLIENT_ID: "demonstration",
  DEMO_RC_CLIENT_SECRET: "demonstration-only",
  DEMO_RC_JWT: "demonstration-only-jwt",
  DEMO_RC_WEBHOOK_TOKEN: "demonstration-only-token"
}

const azureSenders = ["+18005550100", "+14255550123", "20500"]
const ringcentralSenders = ["+16505550100"]

const list = (items: ReadonlyArray<string>) => `[${items.map((item) => JSON.stringify(item)).join(", ")}]`

const text = (
  port: number,
  sandboxPort: number
) => `# The demonstration: \`npm start\` writes this file. Yours is stopline.yaml beside package.json.
accounts:
  - name: contoso
    vendor: azure
    connectionString: { env: DEMO_AZURE_CONNECTION_STRING }
    senders: ${list(azureSenders)}
    webhook: { secret: { env: DEMO_AZURE_WEBHOOK_SECRET } }
    limits: { requests: 6000 }
    settle: 2 seconds
  - name: acme
    vendor: ringcentral
    server: http://127.0.0.1:${sandboxPort + 2}
    clientId: { env: DEMO_RC_CLIENT_ID }
    clientSecret: { env: DEMO_RC_CLIENT_SECRET }
    jwt: { env: DEMO_RC_JWT }
    senders: ${list(ringcentralSenders)}
    webhook: { verificationToken: { env: DEMO_RC_WEBHOOK_TOKEN } }
    limits: { requests: 6000 }
    settle: 2 seconds
groups:
  - name: acme-brand
    senders: ${list([...azureSenders.map((sender) => `contoso/${sender}`), ...ringcentralSenders.map((sender) => `acme/${sender}`)])}
policy: { optIn: strict, confirm: 30 seconds }
http: { port: ${port}, publicUrl: "http://127.0.0.1:${port}" }
schedule: { every: 10 seconds }
`

export interface DemoPorts {
  readonly port: number
  /** Of the sandbox's control server; its accounts have the two ports behind it. */
  readonly sandboxPort: number
}

/** Writes the demonstration's configuration, which other commands then find. */
export const writeDemo = Effect.fn("writeDemo")(function* ({
  port,
  sandboxPort
}: DemoPorts): Effect.fn.Return<Config, ConfigError> {
  yield* Effect.tryPromise({
    try: async () => {
      await mkdir(stateFolder, { recursive: true })
      await writeFile(demoFile, text(port, sandboxPort))
    },
    catch: (cause) =>
      new ConfigError({
        file: demoFile,
        problems: [
          { place: "", problem: `it cannot be written: ${Predicate.isError(cause) ? cause.message : "unknown"}` }
        ]
      })
  })
  return yield* loadDemo
})

/** It lies in the folder that it names. */
export const loadDemo = Effect.map(loadConfig(demoFile), (config): Config => ({ ...config, folder: process.cwd() }))

const Ports = /127\.0\.0\.1:(\d+)\n    clientId/

/** The environment of the demonstration: where its sandbox listens stands in its configuration. */
export const demoEnvironment = Effect.fn("demoEnvironment")(function* () {
  const written = yield* Effect.promise(() => readFile(demoFile, "utf8").catch(() => ""))
  const ringcentralPort = Number(Ports.exec(written)?.[1] ?? 0)
  return {
    ...demoSecrets,
    DEMO_AZURE_CONNECTION_STRING: `endpoint=http://127.0.0.1:${ringcentralPort - 1}/;accesskey=${demoSecrets.DEMO_AZURE_ACCESS_KEY}`
  }
})

export interface DemoWorld {
  readonly people?: number
  readonly optedOut?: number
  readonly seed?: number
}

/** Starts the sandbox that the demonstration's configuration points to. */
export const startDemo = (ports: DemoPorts, world: DemoWorld): Effect.Effect<Sandbox, SandboxError, Scope.Scope> =>
  startSandbox({
    ...world,
    controlPort: ports.sandboxPort,
    accounts: [
      {
        vendor: "azure",
        name: "contoso",
        port: ports.sandboxPort + 1,
        accessKey: demoSecrets.DEMO_AZURE_ACCESS_KEY,
        senders: azureSenders
      },
      {
        vendor: "ringcentral",
        name: "acme",
        port: ports.sandboxPort + 2,
        clientId: demoSecrets.DEMO_RC_CLIENT_ID,
        clientSecret: demoSecrets.DEMO_RC_CLIENT_SECRET,
        jwt: demoSecrets.DEMO_RC_JWT,
        senders: ringcentralSenders
      }
    ]
  }).pipe(
    // Here --port is the worker's own.
    Effect.mapError(
      ({ cure, problem }) =>
        new SandboxError({ problem, cure: cure.replace("--port, or 0 for any free one", "--sandbox-port") })
    )
  )
