/** Opt-outs at Azure, written with nothing but Node: the body, its signature, and the connection kept open. */
import { believed } from "./believed.ts"
import { createHash, createHmac } from "node:crypto"
import { Agent, request } from "node:http"
import pLimit from "p-limit"
import type { Providers } from "./providers.ts"

const target = "/sms/optouts:add?api-version=2026-01-23"

interface Answer {
  readonly value: ReadonlyArray<{ readonly httpStatusCode: number }>
}

/** Writes them in batches, so many at once. Returns how many Azure took. */
export const writeSigned = async (
  { credentials, url }: Providers["azure"],
  sender: string,
  recipients: ReadonlyArray<string>,
  { batch, concurrency }: { readonly batch: number; readonly concurrency: number }
): Promise<number> => {
  const { host, hostname, port } = new URL(url)
  const key = Buffer.from(credentials.accessKey, "base64")
  const agent = new Agent({ keepAlive: true })
  const write = async (part: ReadonlyArray<string>): Promise<number> => {
    const body = JSON.stringify({ from: sender, recipients: part.map((to) => ({ to })) })
    const date = new Date(performance.timeOrigin + performance.now()).toUTCString()
    const hash = createHash("sha256").update(body).digest("base64")
    const signature = createHmac("sha256", key).update(`POST\n${target}\n${date};${host};${hash}`).digest("base64")
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = {
        host,
        "content-type": "application/json",
        "x-ms-date": date,
        "x-ms-content-sha256": hash,
        authorization: `HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature=${signature}`
      }
      const sent = request({ hostname, port, path: target, method: "POST", agent, headers }, (response) => {
        const chunks: Array<Buffer> = []
        response.on("data", (chunk: Buffer) => chunks.push(chunk))
        response.on("end", () => resolve(Buffer.concat(chunks).toString()))
      })
      sent.on("error", reject)
      sent.end(body)
    })
    const { value } = believed<Answer>(answer)
    return value.filter(({ httpStatusCode }) => httpStatusCode === 200).length
  }
  const limit = pLimit(concurrency)
  const parts = Array.from({ length: Math.ceil(recipients.length / batch) }, (_, n) =>
    recipients.slice(n * batch, (n + 1) * batch)
  )
  try {
    const written = await Promise.all(parts.map((part) => limit(() => write(part))))
    return written.reduce((sum, one) => sum + one, 0)
  } finally {
    agent.destroy()
  }
}
