#!/usr/bin/env node
/**
 * The stand-alone sandbox: `sandbox --help`.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Option } from "effect"
import { CliError, Command, Flag } from "effect/cli"
import { type AccountOptions, defaultAccounts } from "./options.ts"
import { type Sandbox, type SandboxAccount, startSandbox } from "./sandbox.ts"

const flags = {
  port: Flag.Int("port").pipe(
    Flag.withDescription(
      "Port of the control server; the accounts take the next ones; 0 for any free ones (default 4010)"
    ),
    Flag.withDefault(4010)
  ),
  people: Flag.Int("people").pipe(
    Flag.withDescription("How many people there are (default 200)"),
    Flag.withDefault(200)
  ),
  optedOut: Flag.Int("opted-out").pipe(
    Flag.withDescription("How many of them the first RingCentral sender has on its list (default 25)"),
    Flag.optional
  ),
  seed: Flag.Int("seed").pipe(Flag.withDescription("The same seed is the same world (default 1)"), Flag.withDefault(1))
}

const environment = (account: SandboxAccount): ReadonlyArray<string> => {
  const prefix = account.name.toUpperCase().replaceAll("-", "_")
  switch (account.vendor) {
    case "azure":
      return [`${prefix}_CONNECTION_STRING="${account.credentials.connectionString}"`]
    case "ringcentral":
      return [
        `${prefix}_SERVER=${account.url}`,
        `${prefix}_CLIENT_ID=${account.credentials.clientId}`,
        `${prefix}_CLIENT_SECRET=${account.credentials.clientSecret}`,
        `${prefix}_JWT=${account.credentials.jwt}`
      ]
    case "twilio":
      return [
        `${prefix}_URL=${account.url}`,
        `${prefix}_ACCOUNT_SID=${account.credentials.accountSid}`,
        `${prefix}_API_KEY=${account.credentials.apiKey}`,
        `${prefix}_API_KEY_SECRET=${account.credentials.apiKeySecret}`,
        `${prefix}_AUTH_TOKEN=${account.credentials.authToken}`
      ]
  }
}

const welcome = (sandbox: Sandbox): string => {
  const text = { from: sandbox.people[0] ?? "+15550100000", to: sandbox.accounts[0]?.senders[0], text: "STOP" }
  return [
    `control   ${sandbox.controlUrl}`,
    ...sandbox.accounts.map(
      ({ name, senders, url, vendor }) => `${name.padEnd(9)} ${url}  ${vendor}  ${senders.join(" ")}`
    ),
    "",
    "# Credentials of this sandbox; they open nothing else.",
    ...sandbox.accounts.flatMap(environment),
    "",
    "# Let somebody text STOP:",
    `curl -s ${sandbox.controlUrl}/texts -d '${JSON.stringify(text)}'`
  ].join("\n")
}

const sandbox = Command.make(
  "sandbox",
  flags,
  Effect.fn("sandbox")(
    function* ({ optedOut, people, port, seed }) {
      const accounts: Array<AccountOptions> = []
      for (const account of defaultAccounts) {
        accounts.push({ ...account, port: port === 0 ? 0 : port + 1 + accounts.length })
      }
      const sandbox = yield* startSandbox({
        seed,
        people,
        ...(Option.isSome(optedOut) && { optedOut: optedOut.value }),
        controlPort: port,
        accounts
      })
      yield* Console.log(welcome(sandbox))
      return yield* Effect.never
    },
    Effect.scoped,
    Effect.mapError((error) => new CliError.UserError({ cause: error, userMessage: error.message }))
  )
).pipe(
  Command.withDescription(
    "Azure and RingCentral SMS opt-outs over HTTP on this machine, in memory, with people who text and with faults."
  )
)

sandbox.pipe(Command.run({ version: "0.1.0" }), Effect.provide(NodeServices.layer), NodeRuntime.runMain)
