// Listens to Event Grid, and prints who opted out or in.
//
//   AZURE_CONNECTION_STRING=… AZURE_WEBHOOK_SECRET=… PORT=8080 node webhook.ts
//
// Subscribe to https://<your host>/?code=<the secret>, for the events SMSReceived and SMSDeliveryReportReceived.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { text } from "node:stream/consumers"
import { createAzureProvider } from "@stopline/provider-azure"

const azure = createAzureProvider({
  connectionString: process.env["AZURE_CONNECTION_STRING"] ?? "",
  webhookSecrets: [process.env["AZURE_WEBHOOK_SECRET"] ?? ""]
})

const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { headers, method, url } = request
  const { facts, reply } = await azure.receive({ method, url, headers, body: await text(request) })
  // Here you would keep the facts, and answer only when they are kept: an answered event does not come again.
  for (const { basis, number, sender, state } of facts) console.log(number, state, sender, basis)
  response.writeHead(reply.status, reply.headers).end(reply.body)
}

const server = createServer((request, response) => {
  // What we could not keep, Event Grid sends again after a 503.
  answer(request, response).catch(() => response.writeHead(503).end())
})
server.listen(Number(process.env["PORT"] ?? 8080), "127.0.0.1", () => console.log("listening", server.address()))
process.once("SIGTERM", () => server.close(() => void azure.close()))
