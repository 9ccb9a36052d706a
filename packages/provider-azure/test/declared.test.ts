/** Azure's page says what its adapter declares. */
import { describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { assertPage } from "../../../test/declared.ts"
import { makeAzureAdapter } from "../src/index.ts"
import { account, connectionString } from "./fake.ts"

describe("the page", () => {
  it.live("says what the adapter declares", () =>
    Effect.gen(function* () {
      const adapter = yield* makeAzureAdapter({
        account,
        connectionString: connectionString("https://contoso.communication.azure.com"),
        webhookSecrets: [Redacted.make("4f1a-made-up-for-these-tests")]
      })
      yield* assertPage("azure.md", { "": adapter })
    })
  )
})
