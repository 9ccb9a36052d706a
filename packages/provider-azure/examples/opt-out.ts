// Opts people out at one sender, and asks Azure whether it holds that.
//
//   AZURE_CONNECTION_STRING="endpoint=https://….communication.azure.com/;accesskey=…" \
//   node opt-out.ts +14255550123 +15550100001 +15550100002
import { createAzureProvider, ProviderCallError } from "@stopline/provider-azure"

const [sender = "", ...numbers] = process.argv.slice(2)

await using azure = createAzureProvider({ connectionString: process.env["AZURE_CONNECTION_STRING"] ?? "" })

try {
  for (const { detail, number, outcome } of await azure.optOut(sender, numbers)) {
    console.log(number, outcome, detail ?? "")
  }
  for (const { number, state } of await azure.check(sender, numbers, { signal: AbortSignal.timeout(10_000) })) {
    // "unknown" is not "not opted out": do not text anybody whom Azure does not answer for.
    console.log(number, state)
  }
} catch (error) {
  if (!(error instanceof ProviderCallError)) throw error
  // Throttled: wait. Unavailable: try again later. Denied, Refused: a person has to look.
  console.error(error.reason, error.message, error.retryAfter === undefined ? "" : `wait ${error.retryAfter} ms`)
  process.exitCode = 1
}
