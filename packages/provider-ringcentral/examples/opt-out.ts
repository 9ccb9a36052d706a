// Opts people out at one sender, unless they are already.
//
//   RC_CLIENT_ID=… RC_CLIENT_SECRET=… RC_JWT=… node opt-out.ts +16505550100 +15550100001 +15550100002
import { createRingCentralProvider, ProviderCallError } from "@stopline/provider-ringcentral"

const [sender = "", ...numbers] = process.argv.slice(2)

await using rc = createRingCentralProvider({
  clientId: process.env["RC_CLIENT_ID"] ?? "",
  clientSecret: process.env["RC_CLIENT_SECRET"] ?? "",
  jwt: process.env["RC_JWT"] ?? "",
  ...(process.env["RC_SERVER"] && { server: process.env["RC_SERVER"] })
})

try {
  const told = await rc.check(sender, numbers)
  const missing = told.filter(({ state }) => state !== "opted-out").map(({ number }) => number)
  for (const { detail, number, outcome } of await rc.optOut(sender, missing)) console.log(number, outcome, detail ?? "")
} catch (error) {
  if (!(error instanceof ProviderCallError)) throw error
  // Throttled: wait. Unavailable: try again later. Denied, Refused: a person has to look.
  console.error(error.reason, error.message, error.retryAfter === undefined ? "" : `wait ${error.retryAfter} ms`)
  process.exitCode = 1
}
