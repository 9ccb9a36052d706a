/** Starts the embedded Postgres of a folder, says its port, and stays until it is killed. */
import { embeddedPostgres } from "@stopline/ledger"
import { Effect, Redacted } from "effect"

const folder = process.argv[2] ?? ""

await Effect.gen(function* () {
  const url = yield* embeddedPostgres({ folder, disposable: true })
  process.stdout.write(`${new URL(Redacted.value(url)).port}\n`)
  // Nothing else keeps this process at work.
  return yield* Effect.callback<never>(() => {
    const staying = setInterval(() => undefined, 1_000)
    return Effect.sync(() => clearInterval(staying))
  })
}).pipe(Effect.scoped, Effect.runPromise)
