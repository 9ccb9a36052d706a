/**
 * A person's STOP, from the webhook to the moment another provider has taken the
 * write. The floor is one HTTP request in, one commit, one HTTP request out, in a
 * process of its own as well, and measured from here as well.
 */
import path from "node:path"
import { Effect } from "effect"
import { Bed } from "../bed.ts"
import { type Bench, watching } from "../bench.ts"
import { beat, startTaking } from "../hooked.ts"
import { factor, lasting, percentile } from "../numbers.ts"
import { person, startProcess, startProviders } from "../providers.ts"
import { senders, startWorker, webhookToken } from "../worker.ts"

const perSecond = 50
const seconds = 30
const goal = { p50: 2, p99: 3 }

export const webhookBench: Bench = {
  name: "webhook",
  run: Effect.fnUntraced(function* ({ rounds, share }) {
    const count = Math.max(10, Math.round(perSecond * seconds * Math.max(share, Math.min(share * 2, 1))))
    const takes = yield* startTaking
    // Who takes the writes looks at no signature.
    const azure = `endpoint=${takes.url}/;accesskey=${Buffer.from("bench").toString("base64")}`
    const worker = yield* startWorker(yield* (yield* Bed).ledger, yield* startProviders({ people: 0 }), azure)
    const plain = yield* startProcess<string>(path.join(import.meta.dirname, "..", "plain-process.ts"), {
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

/** A webhook that is not taken comes again, as its provider would let it. */
const tell = async (url: string, to: string): Promise<void> => {
  const answer = await fetch(`${url}/webhooks/acme`, {
    method: "POST",
    headers: { "content-type": "application/json", "verification-token": webhookToken },
    body: JSON.stringify({
      uuid: `event of ${to}`,
      event: "/restapi/v1.0/account/~/a2p-sms/opt-outs",
      timestamp: new Date(performance.timeOrigin + performance.now()).toISOString(),
      body: { from: senders.ringcentral, to, active: true }
    })
  })
  await answer.text()
  if (answer.ok) return
  await new Promise((resolve) => setTimeout(resolve, 1000))
  await tell(url, to)
}
