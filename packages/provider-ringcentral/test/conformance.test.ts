/** The laws of adapters, on RingCentral's in all its modes. */
import { AccountName } from "@stopline/consent"
import { cannotFake, conformance } from "@stopline/provider-testkit"
import type { RingCentralOptions } from "@stopline/sandbox"
import { Duration, Effect, Redacted } from "effect"
import { sandboxFake, type Vendor } from "../../../test/sandbox.ts"
import { makeRingCentralAdapter, type RingCentralConfig } from "../src/index.ts"
import { tokenPath } from "./server.ts"

const account = AccountName.make("acme")
const token = "made-up-for-these-tests"

interface Mode {
  readonly settings?: Partial<RingCentralConfig>
  /** What has to be different at RingCentral. */
  readonly options?: Partial<RingCentralOptions>
  /** Which generation of the API is spoken. */
  readonly generation: "v1" | "v2"
}

const modes: Readonly<Record<string, Mode>> = {
  "api v2": { generation: "v2", settings: { api: "v2", websocket: true } },
  "api v2, bare records": { generation: "v2", settings: { api: "v2" }, options: { records: "bare" } },
  "api v1": { generation: "v1", settings: { api: "v1" } },
  "api v1, bare records": { generation: "v1", settings: { api: "v1" }, options: { records: "bare" } },
  "whichever api answers": { generation: "v2", settings: { api: "auto" } },
  "whichever api answers, the older one": { generation: "v1", settings: { api: "auto" }, options: { api: "v1" } }
}

const vendor = ({ generation, options, settings }: Mode): Vendor => ({
  options: { vendor: "ringcentral", name: account, senders: ["+16505550100"], ...options },
  operations: {
    probe: "list",
    list: "list",
    check: "list",
    optOut: "bulk-assign",
    optIn: "bulk-assign",
    // The newer API has a history, which is asked before the message store.
    evidence: generation === "v2" ? "history" : "messages",
    subscribe: "subscription",
    connect: "subscribe"
  },
  // The one more asks which API there is.
  ...(settings?.api === "auto" && { atFirst: 2 }),
  login: `POST ${tokenPath}`,
  secrets: ({ credentials }) => ("jwt" in credentials ? [credentials.clientSecret, credentials.jwt, token] : [token]),
  events: () => ({
    subscribe: () => cannotFake("RingCentral is subscribed through its API"),
    forge: ({ headers, ...request }) => [
      {
        ...request,
        headers: Object.fromEntries(Object.entries(headers).filter(([name]) => name !== "verification-token"))
      },
      { ...request, headers: { ...headers, "verification-token": "" } },
      { ...request, headers: { ...headers, "verification-token": token.slice(1) } },
      { ...request, headers: { ...headers, "verification-token": "", "validation-token": token } }
    ]
  })
})

for (const [mode, conditions] of Object.entries(modes)) {
  conformance({
    name: `ringcentral, ${mode}`,
    fake: sandboxFake(vendor(conditions)),
    make: ({ account: { credentials }, url }, { timeout = Duration.minutes(1) }) =>
      "jwt" in credentials
        ? makeRingCentralAdapter({
            account,
            server: url,
            clientId: credentials.clientId,
            clientSecret: Redacted.make(credentials.clientSecret),
            jwt: Redacted.make(credentials.jwt),
            verificationToken: Redacted.make(token),
            timeout,
            ...conditions.settings
          })
        : Effect.die("no RingCentral account")
  })
}
