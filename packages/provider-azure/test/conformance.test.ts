/** The laws of adapters, on Azure's in all its modes. */
import { AccountName } from "@stopline/consent"
import { conformance } from "@stopline/provider-testkit"
import { Duration, Effect, Redacted } from "effect"
import { sandboxFake, type Vendor } from "../../../test/sandbox.ts"
import { type AzureSettings, makeAzureAdapter } from "../src/index.ts"

const account = AccountName.make("contoso")
const secret = "4f1a-made-up-for-these-tests"

interface Mode {
  readonly settings?: Partial<typeof AzureSettings.Type>
  /** In which form Event Grid tells its events. */
  readonly schema?: "CloudEvents"
}

const modes: Readonly<Record<string, Mode>> = {
  "connection string": {},
  "preview API, CloudEvents": { settings: { apiVersion: "2024-12-10-preview" }, schema: "CloudEvents" }
}

const vendor = ({ schema = "EventGrid" }: { readonly schema?: "EventGrid" | "CloudEvents" }): Vendor => ({
  options: { vendor: "azure", name: account, senders: ["+14255550123"], retryDelays: [] },
  operations: { probe: "check", check: "check", optOut: "add", optIn: "remove" },
  secrets: ({ credentials }) => ["accessKey" in credentials ? credentials.accessKey : "", secret],
  events: (sandbox) => ({
    subscribe: (url) =>
      Effect.orDie(Effect.asVoid(sandbox.subscribe({ account, schema, url: `${url}?code=${secret}` }))),
    forge: (request) => [
      { ...request, query: {} },
      { ...request, query: { code: "" } },
      { ...request, query: { code: secret.slice(1) } },
      { ...request, query: {}, headers: { ...request.headers, "x-stopline-secret": `${secret}0` } }
    ]
  })
})

for (const [mode, { schema, settings }] of Object.entries(modes)) {
  conformance({
    name: `azure, ${mode}`,
    fake: sandboxFake(vendor(schema === undefined ? {} : { schema })),
    make: ({ account: { credentials }, url }, { timeout = Duration.minutes(1) }) =>
      makeAzureAdapter({
        account,
        connectionString: Redacted.make(
          `endpoint=${url}/;accesskey=${"accessKey" in credentials ? credentials.accessKey : ""}`
        ),
        webhookSecrets: [Redacted.make(secret)],
        timeout,
        ...settings
      })
  })
}
