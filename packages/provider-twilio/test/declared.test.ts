/** Twilio's page says what its adapter declares, for numbers alone and for those of a Messaging Service. */
import { describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { assertPage } from "../../../test/declared.ts"
import { adapterAt, authToken, messagingService, otherSender, sender } from "./script.ts"

describe("the page", () => {
  it.live("says what the adapter declares", () =>
    Effect.gen(function* () {
      const adapterOf = (service: { readonly messagingService?: string }) =>
        adapterAt("https://api.twilio.com", {
          senders: [sender, otherSender],
          webhook: { url: "https://sms.example.com/webhooks/fabrikam", authToken: Redacted.make(authToken) },
          ...service
        })
      yield* assertPage("twilio.md", {
        "numbers alone": yield* adapterOf({}),
        "a Messaging Service with several numbers": yield* adapterOf({ messagingService })
      })
    })
  )
})
