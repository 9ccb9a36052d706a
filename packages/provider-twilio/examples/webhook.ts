// Listens to Twilio, and prints who opted out or in.
//
//   TWILIO_ACCOUNT_SID=AC… TWILIO_API_KEY=SK… TWILIO_API_KEY_SECRET=… TWILIO_AUTH_TOKEN=… \
//   TWILIO_WEBHOOK_URL=https://<your host>/ PORT=8080 node webhook.ts +14255550188
//
// Enter that URL at Twilio as the number's webhook for incoming messages, with the method POST.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import { createTwilioProvider } from "@stopline/provider-twilio"

const twilio = createTwilioProvider({
  accountSid: process.env["TWILIO_ACCOUNT_SID"] ?? "",
  apiKey: process.env["TWILIO_API_KEY"] ?? "",
  apiKeySecret: process.env["TWILIO_API_KEY_SECRET"] ?? "",
  senders: process.argv.slice(2),
  webhook: {
    url: process.env["TWILIO_WEBHOOK_URL"] ?? "",
    authToken: process.env["TWILIO_AUTH_TOKEN"] ?? ""
  }
})

const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { headers, method, url } = request
  const { facts, reply } = await twilio.receive({ method, url, headers, body: await text(request) })
  // Here you would keep the facts, and answer only when they are kept: an answered event does not come again.
  for (const { basis, number, sender, state } of facts) console.log(number, state, sender, basis)
  response.writeHead(reply.status, reply.headers).end(reply.body)
}

const server = createServer((request, response) => {
  // Twilio tries again after a 503 only where the URL that is entered there ends in #rc=5&rp=all.
  answer(request, response).catch(() => response.writeHead(503).end())
})
server.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => console.log("listening", server.address()))
process.once("SIGTERM", () => server.close(() => void twilio.close()))
