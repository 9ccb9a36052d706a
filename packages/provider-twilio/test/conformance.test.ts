/** The laws of adapters, on Twilio's in all its modes. */
import { AccountName } from "@stopline/consent"
import { conformance } from "@stopline/provider-testkit"
import { Duration, Effect, Redacted } from "effect"
import { FetchHttpClient } from "effect/http"
import { getExpectedTwilioSignature } from "twilio/lib/webhooks/webhooks.js"
import { sandboxFake, type Vendor } from "../../../test/sandbox.ts"
import { makeTwilioAdapter } from "../src/index.ts"

const account = AccountName.make("fabrikam")
const senders = ["+14255550100"]

/** What is entered at Twilio: a proxy stands before the door, and Twilio signs this. */
const publicUrl = "https://sms.example.com/webhooks/fabrikam"

const modes = {
  "a number alone": false,
  "a Messaging Service": true
}

const vendor = (messagingService: boolean): Vendor => ({
  options: { vendor: "twilio", name: account, senders, messagingService },
  operations: { probe: "consents", optOut: "consents", optIn: "consents", evidence: "inbox" },
  secrets: ({ credentials }) =>
    "apiKeySecret" in credentials ? [credentials.apiKeySecret, credentials.authToken] : [],
  events: (sandbox, { credentials }) => {
    const signed = "authToken" in credentials ? credentials.authToken : ""
    const signature = (token: string, url: string, body: string) =>
      getExpectedTwilioSignature(token, url, Object.fromEntries(new URLSearchParams(body)))
    return {
      subscribe: (url) => Effect.orDie(sandbox.listen({ account, url, publicUrl })),
      forge: (request) => {
        const { body, headers } = request
        const { "x-twilio-signature": right = "", ...unsigned } = headers
        const bearing = (text: string) => ({ ...request, headers: { ...unsigned, "x-twilio-signature": text } })
        return [
          { ...request, headers: unsigned },
          { ...request, method: "GET" },
          { ...request, body: body.replace("STOP", "START") },
          { ...request, query: { bodySHA256: "0".repeat(64) } },
          ...["", right.slice(1), signature("guess", publicUrl, body), signature(signed, `${publicUrl}/`, body)].map(
            bearing
          )
        ]
      },
      rewrite: (request, body) => ({
        ...request,
        headers: { ...request.headers, "x-twilio-signature": signature(signed, publicUrl, body) },
        body
      })
    }
  }
})

for (const [mode, messagingService] of Object.entries(modes)) {
  conformance({
    name: `twilio, ${mode}`,
    fake: sandboxFake(vendor(messagingService)),
    make: ({ account: { credentials }, sender, url }, { timeout = Duration.minutes(1) }) => {
      if (!("apiKeySecret" in credentials)) return Effect.die("no Twilio account")
      const { apiKeySecret, authToken, ...ids } = credentials
      return makeTwilioAdapter({
        account,
        ...ids,
        apiKeySecret: Redacted.make(apiKeySecret),
        senders: [sender],
        accountsUrl: url,
        apiUrl: url,
        webhook: { url: publicUrl, authToken: Redacted.make(authToken) },
        timeout
      }).pipe(Effect.provide(FetchHttpClient.layer))
    }
  })
}
