/** A webhook handler that does the least: one row committed, the webhook answered, one request to the provider. */
import { believed } from "./believed.ts"
import { Agent, createServer, request as send } from "node:http"
import pg from "pg"

const { database, provider } = believed<{ database: string; provider: string }>(process.argv[2] ?? "")

const pool = new pg.Pool({ connectionString: database })
const agent = new Agent({ keepAlive: true })
await pool.query("create table stop (recipient text, at timestamptz default now())")

const server = createServer((request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => void take(believed<Event>(Buffer.concat(chunks).toString()), () => response.end()))
})

interface Event {
  readonly body: { readonly from: string; readonly to: string }
}

const take = async ({ body: { from, to } }: Event, answer: () => void) => {
  await pool.query({ name: "stop", text: "insert into stop (recipient) values ($1)", values: [to] })
  answer()
  const headers = { "content-type": "application/json" }
  send(`${provider}/sms/optouts:add`, { method: "POST", agent, headers }, (taken) => taken.resume()).end(
    JSON.stringify({ from, recipients: [{ to }] })
  )
}

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  process.send?.(JSON.stringify(`http://127.0.0.1:${port}`))
})
process.once("disconnect", () => process.exit())
