/** The example of docs/adapters.md, as it is printed there. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import path from "node:path"
import { pathToFileURL } from "node:url"
import type { AccountName } from "@stopline/consent"
import type { ProviderAdapter } from "@stopline/provider"
import { type Duration, Effect, type Redacted, type Scope } from "effect"
import type { HttpClient } from "effect/http"

const page = path.join(import.meta.dirname, "../docs/adapters.md")

interface Module {
  readonly makeLarkpostAdapter: (config: {
    readonly account: AccountName
    readonly url: string
    readonly key: Redacted.Redacted
    readonly webhookSecret: Redacted.Redacted
    readonly timeout?: Duration.Duration
  }) => Effect.Effect<ProviderAdapter, never, HttpClient.HttpClient | Scope.Scope>
}

export interface Written {
  readonly folder: string
  readonly module: Module
}

/** @param test the folder of the test, where a folder is made that is deleted afterwards */
export const writeExample = Effect.fn("writeExample")(function* (
  test: string
): Effect.fn.Return<Written, never, Scope.Scope> {
  const text = yield* Effect.promise(() => readFile(page, "utf8"))
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(path.join(test, ".adapters-doc-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  )
  // Every block begins with the name of its file.
  for (const [, code = "", name = ""] of text.matchAll(/^```ts\n(\/\/ (\w+\.ts)\n.*?)^```$/gms)) {
    yield* Effect.promise(() => writeFile(path.join(folder, name), code))
  }
  const module: Module = yield* Effect.promise(() => import(pathToFileURL(path.join(folder, "adapter.ts")).href))
  return { folder, module }
})
