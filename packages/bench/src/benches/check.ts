/**
 * "May I text them?", over HTTP. The floor is one prepared statement over the same
 * tables behind a bare handler, in a process of its own as well.
 */
import { createHash, randomBytes } from "node:crypto"
import path from "node:path"
import { Effect } from "effect"
import pLimit from "p-limit"
import { Bed, withClient } from "../bed.ts"
import { believed } from "../believed.ts"
import { type Bench, inTurns, type Row, timed } from "../bench.ts"
import { factor, lasting, rate, whole } from "../numbers.ts"
import { person, startProcess, startProviders } from "../providers.ts"
import { seed } from "../seed.ts"
import { stopline } from "../stopline.ts"
import { senders, startWorker } from "../worker.ts"

const people = 100_000
const sizes = [
  { recipients: 1, requests: 10_000 },
  { recipients: 1_000, requests: 500 }
]
const atOnce = 8
const goal = 0.7

export const checkBench: Bench = {
  name: "check",
  run: Effect.fnUntraced(function* ({ rounds, share }) {
    const count = people * share
    const providers = yield* startProviders({ people: count, optedOut: count })
    const ledger = yield* (yield* Bed).ledger
    const own = { azure: [senders.azure], ringcentral: [senders.ringcentral] }
    yield* Effect.provide(seed(ledger, count, true), stopline(ledger, providers, own))
    const worker = yield* startWorker(ledger, providers, providers.azure.credentials.connectionString)
    const plain = yield* startProcess<string>(path.join(import.meta.dirname, "..", "plain-check-process.ts"), {
      database: ledger
    })
    if ((yield* Effect.promise(() => ask(worker, "", [person(0)]))).status === 404) return [notThere]
    const keys = yield* Effect.promise(() => makeKeys(ledger))
    const rows: Array<Row> = []
    for (const { recipients, requests } of sizes) {
      const many = Math.max(10, Math.round(requests * share))
      const asking = (url: string) => timed(Effect.promise(() => askAll(url, keys, recipients, many, count)))
      yield* asking(worker)
      yield* asking(plain)
      const { ours, peer } = yield* inTurns(
        `check, ${recipients}`,
        rounds,
        () => asking(worker),
        () => asking(plain)
      )
      const ratio = peer.ms / ours.ms
      rows.push({
        bench: "check",
        what: `${whole(recipients)} of ${whole(count)} people a request, ${atOnce} requests at once`,
        ours: `${rate(many, ours.ms, "requests")}, ${lasting((ours.ms / many) * atOnce)} each`,
        peer: `one statement: ${rate(many, peer.ms, "requests")}`,
        ratio,
        goal: `≥ ${factor(goal)}`,
        met: ratio >= goal,
        notes: [],
        work: { ours: ours.value, peer: peer.value }
      })
    }
    return rows
  })
}

const notThere: Row = {
  bench: "check",
  what: "POST /v1/check is not there yet",
  ours: "404",
  peer: "",
  ratio: Number.NaN,
  goal: `≥ ${factor(goal)}`,
  met: false,
  notes: [],
  work: { ours: 0, peer: 0 }
}

const ask = (url: string, key: string, recipients: ReadonlyArray<string>): Promise<Response> =>
  fetch(`${url}/v1/check`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ sender: senders.azure, recipients })
  })

/** Each key may ask so often a second; with some of them nobody waits. */
const makeKeys = (url: string): Promise<ReadonlyArray<string>> =>
  withClient(url, async (client) => {
    const keys: Array<string> = []
    for (let n = 0; n < 20; n++) {
      const handle = randomBytes(4).toString("hex")
      const key = `stopline_${handle}_${randomBytes(32).toString("base64url")}`
      await client.query(
        "insert into api_key (name, handle, digest, scope, created_at, created_by) values ($1, $2, $3, 'read', now(), 'bench')",
        [`bench ${n}`, handle, createHash("sha256").update(key).digest()]
      )
      keys.push(key)
    }
    return keys
  })

interface Answered {
  readonly results: ReadonlyArray<{ readonly mayText?: boolean; readonly may_text?: boolean }>
}

/** Returns how many people may not be texted: all who were asked about. */
const askAll = async (
  url: string,
  keys: ReadonlyArray<string>,
  recipients: number,
  requests: number,
  count: number
): Promise<number> => {
  const limit = pLimit(atOnce)
  const one = async (n: number): Promise<number> => {
    const asked = Array.from({ length: recipients }, (_, m) => person((n * 7919 + m) % count))
    const answer = await ask(url, keys[n % keys.length] ?? "", asked)
    if (!answer.ok) throw new Error(`a check was answered ${answer.status}: ${await answer.text()}`)
    const { results } = believed<Answered>(await answer.text())
    return results.filter((result) => !(result.mayText ?? result.may_text ?? true)).length
  }
  const refused = await Promise.all(Array.from({ length: requests }, (_, n) => limit(() => one(n))))
  return refused.reduce((sum, one) => sum + one, 0)
}
