/**
 * The whole job: everybody on RingCentral's list, opted out at Azure, while one
 * person in a hundred fails the first time, and one page in a hundred. Beside it
 * the script that people write. What counts in the end is who is opted out.
 */
import { backfill, round } from "@stopline/engine"
import { Effect, Schema } from "effect"
import { Bed } from "../bed.ts"
import { type Bench, inTurns, timed } from "../bench.ts"
import { lasting, whole } from "../numbers.ts"
import { person, type Providers, startProviders } from "../providers.ts"
import { runScript } from "../script.ts"
import { stationOf, stopline } from "../stopline.ts"

const people = 100_000
const oneIn = 100
const goal = 10
/** A round leaves for the next one what failed in it. */
const mostRounds = 10

export const jobBench: Bench = {
  name: "job",
  run: Effect.fnUntraced(function* ({ share }) {
    const count = people * share
    // Once: the script alone takes minutes.
    const { ours, peer } = yield* inTurns(
      "job",
      1,
      () => Effect.scoped(byStopline(count)),
      () => Effect.scoped(byScript(count))
    )
    const ratio = peer.ms / ours.ms
    const lost = { ours: count - ours.value.held, peer: count - peer.value.held }
    return [
      {
        bench: "job",
        what: `${whole(count)} opt-outs from RingCentral to Azure, 1 % faults`,
        ours: `${lasting(ours.ms)}, ${whole(lost.ours)} people lost`,
        peer: `the script: ${lasting(peer.ms)}, ${whole(lost.peer)} people lost`,
        ratio,
        goal: `≥ ${goal}, nobody lost`,
        met: ratio >= goal && lost.ours === 0,
        notes: [
          `Stopline took ${ours.value.rounds} rounds; the script says that ${whole(peer.value.failed)} failed and leaves them to whoever runs it again`
        ],
        work: { ours: ours.value.listed, peer: peer.value.listed }
      }
    ]
  })
}

const troubled = Effect.fnUntraced(function* (count: number) {
  const providers = yield* startProviders({ people: count, optedOut: count })
  const sender = providers.azure.senders[0]!
  for (let n = 0; n < count; n += oneIn) {
    yield* providers.control("POST", "/faults", {
      account: providers.azure.name,
      kind: "item-error",
      operation: "add",
      recipient: person(n),
      times: 1
    })
  }
  yield* providers.control("POST", "/faults", {
    account: providers.ringcentral.name,
    kind: "unavailable",
    operation: "list",
    times: Math.ceil(count / 1000 / oneIn)
  })
  return { providers, sender }
})

const readState = Schema.decodeUnknownSync(
  Schema.Struct({ senders: Schema.Array(Schema.Struct({ optedOut: Schema.Array(Schema.String) })) })
)

const heldAt = Effect.fnUntraced(function* ({ azure, control }: Providers, sender: string) {
  const state = yield* control("GET", `/state?account=${azure.name}&sender=${encodeURIComponent(sender)}`)
  return readState(state).senders[0]?.optedOut.length ?? 0
})

const byStopline = Effect.fnUntraced(function* (count: number) {
  const { providers, sender } = yield* troubled(count)
  const url = yield* (yield* Bed).ledger
  const work = Effect.gen(function* () {
    const read = yield* backfill<never, never>(yield* stationOf("ringcentral"), { startedBy: "bench" })
    const listed = read._tag === "Walked" ? read.walks.reduce((sum, { rows }) => sum + rows, 0) : 0
    for (let rounds = 1; ; rounds++) {
      const report = yield* round({ read: false, write: true, sweepBudget: 0, startedBy: "bench", confirmMs: 0 })
      if (report.outcome === "completed" || rounds === mostRounds) return { listed, rounds }
    }
  })
  const { ms, value } = yield* Effect.provide(timed(work), stopline(url, providers, { azure: [sender] }))
  return { ms, value: { ...value, held: yield* heldAt(providers, sender) } }
})

const byScript = Effect.fnUntraced(function* (count: number) {
  const { providers, sender } = yield* troubled(count)
  const url = yield* (yield* Bed).database
  const { ms, value } = yield* timed(Effect.promise(() => runScript(providers, sender, url)))
  return { ms, value: { ...value, held: yield* heldAt(providers, sender) } }
})
