/** The example of docs/adapters.md keeps the laws, as anybody's adapter has to. */
import { AccountName } from "@stopline/consent"
import { Effect, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { writeExample } from "../../../test/adapters-doc.ts"
import { conformance } from "../src/index.ts"
import { key, startLarkpost, webhookSecret } from "./larkpost.ts"

conformance({
  name: "larkpost",
  fake: startLarkpost,
  make: ({ url }, { timeout }) =>
    Effect.flatMap(writeExample(import.meta.dirname), ({ module }) =>
      module.makeLarkpostAdapter({
        account: AccountName.make("larks"),
        url,
        key: Redacted.make(key),
        webhookSecret: Redacted.make(webhookSecret),
        ...(timeout && { timeout })
      })
    ).pipe(Effect.provide(FetchHttpClient.layer))
})
