// Opts people out at one sender.
//
//   TWILIO_ACCOUNT_SID=AC… TWILIO_API_KEY=SK… TWILIO_API_KEY_SECRET=… \
//   node opt-out.ts +14255550188 +15550100001 +15550100002
import { createTwilioProvider, ProviderCallError } from "@stopline/provider-twilio"

const [sender = "", ...numbers] = process.argv.slice(2)

await using twilio = createTwilioProvider({
  accountSid: process.env["TWILIO_ACCOUNT_SID"] ?? "",
  apiKey: process.env["TWILIO_API_KEY"] ?? "",
  apiKeySecret: process.env["TWILIO_API_KEY_SECRET"] ?? "",
  senders: [sender],
  ...(process.env["TWILIO_ACCOUNTS_URL"] && { accountsUrl: process.env["TWILIO_ACCOUNTS_URL"] })
})

try {
  // Nobody can ask Twilio later whom it holds, so these outcomes are worth keeping.
  for (const { detail, number, outcome } of await twilio.optOut(sender, numbers)) {
    console.log(number, outcome, detail ?? "")
  }
} catch (error) {
  if (!(error instanceof ProviderCallError)) throw error
  // Throttled: wait. Unavailable: try again later. Denied, Refused: a person has to look.
  console.error(error.reason, error.message, error.retryAfter === undefined ? "" : `wait ${error.retryAfter} ms`)
  process.exitCode = 1
}
