/**
 * A person's STOP, from the webhook to the moment another provider has taken the
 * write. The floor is one HTTP request in, one commit, one HTTP request out, in a
 * process of its own as well, and measured from here as well.
 */
import { writeFile, mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import path from "node:path"
import { Effect } from "effect"
import { Bed } from "../bed.ts"
import { type Bench, watching } from "../bench.ts"
import { beat, startTaking, type Takes } from "../hooked.ts"
import { factor, lasting, percentile } from "../numbers.ts"
import { person, type Providers, startProcess, startProviders } from "../providers.ts"

const perSecond = 50
const seconds = 30
const goal = { p50: 2, p99: 3 }

const token = "a-token-of-a-bench"
const environment = { BENCH_KEY: Buffer.from("bench").toString("base64"), BENCH_TOKEN: token }

export const webhookBench: Bench = {
  name: "webhook",
  run: Effect.fnUntraced(function* ({ rounds, share }) {
    const count = Math.max(10, Math.round(perSecond * seconds * Math.max(share, Math.min(share * 2, 1))))
    const takes = yield* startTaking
    const worker = yield* startWorker(takes)
    const plain = yield* startProcess<string>(entry("plain-process.ts"), {
      database: yield* (yield* Bed).database,
      provider: takes.url
    })
    let next = 0
    const some = (many: number) => Array.from({ length: many }, () => person(next++))
    const measure = (url: string, many: number) =>
      Effect.promise(() => beat(some(many), perSecond, (one) => tell(url, one), takes))
    yield* measure(worker, Math.min(count, 100))
    yield* measure(plain, Math.min(count, 100))
    const ours: Array<number> = []
    const peer: Array<number> = []
    for (let round = 1; round <= rounds; round++) {
      yield* watching(`webhook: Stopline, ${round} of ${rounds}`)
      ours.push(...(yield* measure(worker, count)))
      yield* watching(`webhook: floor, ${round} of ${rounds}`)
      peer.push(...(yield* measure(plain, count)))
    }
    return (["p50", "p99"] as const).map((which) => {
      const at = which === "p50" ? 0.5 : 0.99
      const [own, floor] = [percentile(ours, at), percentile(peer, at)]
      return {
        bench: "webhook",
        what: `${which} from webhook to write at ${perSecond}/s, ${ours.length} STOPs`,
        ours: lasting(own),
        peer: `one request in, one commit, one request out: ${lasting(floor)}`,
        ratio: floor / own,
        goal: `≥ ${factor(1 / goal[which])}: at most ${goal[which]} ×`,
        met: own <= goal[which] * floor,
        notes: [],
        work: { ours: ours.length, peer: peer.length }
      }
    })
  })
}

const entry = (file: string) => path.join(import.meta.dirname, "..", file)

const sender = "+16505550100"

const tell = async (url: string, to: string): Promise<void> => {
  const answer = await fetch(`${url}/webhooks/acme`, {
    method: "POST",
    headers: { "content-type": "application/json", "verification-token": token },
    body: JSON.stringify({
      uuid: `event of ${to}`,
      event: "/restapi/v1.0/account/~/a2p-sms/opt-outs",
      timestamp: new Date(performance.timeOrigin + performance.now()).toISOString(),
      body: { from: sender, to, active: true }
    })
  })
  if (!answer.ok) throw new Error(`a webhook was answered ${answer.status}`)
  await answer.text()
}

/** A worker of one account here, where the webhooks are of, and one there, where the writes go. */
const startWorker = Effect.fnUntraced(function* (takes: Takes) {
  const providers = yield* startProviders({ people: 0 })
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(path.join(tmpdir(), "stopline-bench-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
  const config = path.join(folder, "stopline.yaml")
  yield* Effect.promise(() => writeFile(config, JSON.stringify(configOf(providers))))
  const { credentials } = providers.ringcentral
  const port = yield* Effect.promise(freePort)
  return yield* startProcess<string>(
    entry("worker-process.ts"),
    { config, port },
    {
      ...environment,
      BENCH_DATABASE: yield* (yield* Bed).ledger,
      BENCH_AZURE: `endpoint=${takes.url}/;accesskey=${environment.BENCH_KEY}`,
      BENCH_SECRET: credentials.clientSecret,
      BENCH_JWT: credentials.jwt,
      BENCH_CLIENT: credentials.clientId
    }
  )
})

const limits = { requests: 1_000_000, window: "1 second" }

/** JSON is YAML. */
const configOf = ({ ringcentral }: Providers) => ({
  ledger: { url: { env: "BENCH_DATABASE" } },
  accounts: [
    {
      name: "contoso",
      vendor: "azure",
      connectionString: { env: "BENCH_AZURE" },
      senders: ["+14255550123"],
      limits
    },
    {
      name: "acme",
      vendor: "ringcentral",
      server: ringcentral.url,
      clientId: { env: "BENCH_CLIENT" },
      clientSecret: { env: "BENCH_SECRET" },
      jwt: { env: "BENCH_JWT" },
      senders: [sender],
      webhook: { verificationToken: { env: "BENCH_TOKEN" } },
      limits
    }
  ],
  // A round that reads would be in the way of what is measured.
  schedule: { every: "1 hour" }
})

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
