/** A webhook handler that does the least: one row committed, the webhook answered, one request to the provider. */
import { Agent, createServer, request as send } from "node:http"
import pg from "pg"

const { database, provider } = JSON.parse(process.argv[2] ?? "") as { database: string; provider: string }

const pool = new pg.Pool({ connectionString: database })
const agent = new Agent({ keepAlive: true })
await pool.query("create table stop (recipient text, at timestamptz default now())")

const server = createServer((request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => void take(JSON.parse(Buffer.concat(chunks).toString()), () => response.end()))
})

const take = async ({ body: { from, to } }: { body: { from: string; to: string } }, answer: () => void) => {
  await pool.query({ name: "stop", text: "insert into stop (recipient) values ($1)", values: [to] })
  answer()
  const headers = { "content-type": "application/json" }
  send(`${provider}/sms/optouts:add`, { method: "POST", agent, headers }, (taken) => taken.resume()).end(
    JSON.stringify({ from, recipients: [{ to }] })
  )
}

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  process.send?.(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`)
})
process.once("disconnect", () => process.exit())
