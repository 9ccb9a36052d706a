/** A worker as `stopline up` starts it, in a process of its own. */
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { freePort } from "@stopline/ledger"
import { Effect, type Scope } from "effect"
import { type Providers, startProcess } from "./providers.ts"

/** What RingCentral repeats in every webhook. */
export const webhookToken = "a-token-of-a-bench"

/** The one sender that it has at either provider. */
export const senders = { azure: "+14255550123", ringcentral: "+16505550100" }

/** @param azure a connection string: of the sandbox, or of whatever takes the writes in its place */
export const startWorker = Effect.fnUntraced(function* (
  ledger: string,
  providers: Providers,
  azure: string
): Effect.fn.Return<string, never, Scope.Scope> {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(path.join(tmpdir(), "stopline-bench-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
  const config = path.join(folder, "stopline.yaml")
  yield* Effect.promise(() => writeFile(config, JSON.stringify(configOf(providers))))
  const { credentials } = providers.ringcentral
  return yield* startProcess<string>(
    path.join(import.meta.dirname, "worker-process.ts"),
    { config, port: yield* freePort },
    {
      BENCH_TOKEN: webhookToken,
      BENCH_DATABASE: ledger,
      BENCH_AZURE: azure,
      BENCH_SECRET: credentials.clientSecret,
      BENCH_JWT: credentials.jwt,
      BENCH_CLIENT: credentials.clientId
    }
  )
})

const limits = { requests: 1_000_000, window: "1 second" }

/** JSON is YAML. */
const configOf = ({ ringcentral }: Providers) => ({
  ledger: { url: { env: "BENCH_DATABASE" } },
  accounts: [
    {
      name: "contoso",
      vendor: "azure",
      connectionString: { env: "BENCH_AZURE" },
      senders: [senders.azure],
      limits
    },
    {
      name: "acme",
      vendor: "ringcentral",
      server: ringcentral.url,
      clientId: { env: "BENCH_CLIENT" },
      clientSecret: { env: "BENCH_SECRET" },
      jwt: { env: "BENCH_JWT" },
      senders: [senders.ringcentral],
      webhook: { verificationToken: { env: "BENCH_TOKEN" } },
      limits
    }
  ],
  // Nobody is there: events come from the bench alone, and no echo of what is written is measured with them.
  http: { publicUrl: "http://127.0.0.1:1" },
  // A round that reads would be in the way of what is measured.
  schedule: { every: "1 hour" }
})
