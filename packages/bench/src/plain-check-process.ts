/** The question "may I text them?" behind a bare handler: one prepared statement over the same tables, its rows as JSON. */
import { createServer } from "node:http"
import pg from "pg"
import { believed } from "./believed.ts"

const { database } = believed<{ database: string }>(process.argv[2] ?? "")

interface Asked {
  readonly sender: string
  readonly recipients: ReadonlyArray<string>
}

const text = `
  select r.place, not (st.out_at is not null and not coalesce(o.said_at > st.out_at, false)) as may_text,
    v.held, v.intent, v.read_at, e.held as held_for_all, ob.origin, ob.basis
  from unnest($2::bigint[]) with ordinality as r(recipient, place)
  join sender s on s.address = $1 and s.active
  join sender every on every.account_id = s.account_id and every.address = '*'
  left join standing st on st.group_id = s.group_id and st.recipient = r.recipient
  left join opt_in o on o.sender_id = s.id and o.recipient = r.recipient
  left join view v on v.sender_id = s.id and v.recipient = r.recipient
  left join view e on e.sender_id = every.id and e.recipient = r.recipient
  left join observation ob on ob.recipient = r.recipient and ob.id = st.out_because
  order by r.place`

const pool = new pg.Pool({ connectionString: database, options: "-c jit=off -c plan_cache_mode=force_generic_plan" })

const answer = async ({ recipients, sender }: Asked): Promise<string> => {
  const numbers = `{${recipients.map((recipient) => recipient.slice(1)).join(",")}}`
  const { rows } = await pool.query({ name: "check", text, values: [sender, numbers] })
  return JSON.stringify({ results: rows })
}

const server = createServer((request, response) => {
  const chunks: Array<Buffer> = []
  request.on("data", (chunk: Buffer) => chunks.push(chunk))
  request.on("end", () => {
    void answer(believed<Asked>(Buffer.concat(chunks).toString())).then((body) =>
      response.writeHead(200, { "content-type": "application/json" }).end(body)
    )
  })
})

server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  process.send?.(JSON.stringify(`http://127.0.0.1:${port}`))
})
process.once("disconnect", () => process.exit())
