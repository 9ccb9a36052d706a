/** Asks before texting: `node may-text.ts SENDER RECIPIENT…`, with STOPLINE_URL and STOPLINE_KEY. */
import { createStoplineClient, StoplineError } from "@stopline/client"

const [sender = "", ...recipients] = process.argv.slice(2)
const stopline = createStoplineClient({
  url: process.env["STOPLINE_URL"] ?? "http://127.0.0.1:4000",
  key: process.env["STOPLINE_KEY"] ?? ""
})

try {
  const { results, senders } = await stopline.check({ sender, recipients })
  for (const { mayText, recipient, why } of results) console.log(`${recipient} ${mayText ? "yes" : "no"} ${why}`)
  for (const { account, events } of senders) console.log(`events of ${account}: ${events}`)
} catch (error) {
  if (!(error instanceof StoplineError)) throw error
  console.error(`${error.kind}: ${error.message}`)
  process.exitCode = 1
}
