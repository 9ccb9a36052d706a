/**
 * Writing many opt-outs to a provider. The floor sends the same signed requests,
 * as many at once, and remembers nothing.
 */
import { applyTo, round } from "@stopline/engine"
import { Effect } from "effect"
import { Bed } from "../bed.ts"
import { type Bench, inTurns, timed, watching } from "../bench.ts"
import { factor, lasting, rate } from "../numbers.ts"
import { people, type Providers, startProviders } from "../providers.ts"
import { seed } from "../seed.ts"
import { writeSigned } from "../signed.ts"
import { stationOf, stopline } from "../stopline.ts"

const recipients = 100_000
const goal = 0.8
/** What the adapter does. */
const alike = { batch: 100, concurrency: 4 }

export const pushBench: Bench = {
  name: "push",
  run: Effect.fnUntraced(function* ({ rounds, share }) {
    const count = recipients * share
    // Each time another sender, whom nobody is opted out of yet.
    const senders = Array.from({ length: 2 * rounds + 1 }, (_, n) => `${20_500 + n}`)
    const providers = yield* startProviders({
      people: 0,
      accounts: [
        { vendor: "azure", name: "contoso", senders },
        { vendor: "ringcentral", name: "acme", senders: ["+16505550100"] }
      ]
    })
    const next = () => senders.shift() ?? ""
    const numbers = people(count)
    const { ours, peer } = yield* inTurns(
      "push",
      rounds,
      () => Effect.scoped(byStopline(providers, next(), count, applied)),
      () => timed(Effect.promise(() => writeSigned(providers.azure, next(), numbers, alike)))
    )
    yield* watching("push: a whole round")
    const whole = yield* Effect.scoped(byStopline(providers, next(), count, inRound))
    const ratio = peer.ms / ours.ms
    return [
      {
        bench: "push",
        what: `${count.toLocaleString("en")} opt-outs to Azure`,
        ours: `${lasting(ours.ms)}, ${rate(count, ours.ms, "people")}`,
        peer: `signed requests: ${lasting(peer.ms)}, ${rate(count, peer.ms, "people")}`,
        ratio,
        goal: `≥ ${factor(goal)}`,
        met: ratio >= goal,
        notes: [`as a whole round, with settling and planning before: ${lasting(whole.ms)}`],
        work: { ours: ours.value, peer: peer.value }
      }
    ]
  })
}

const applied = Effect.gen(function* () {
  const { optedOut } = yield* applyTo(yield* stationOf("azure"), { heldBack: new Set(), confirmMs: 0 })
  return optedOut
})

const inRound = Effect.gen(function* () {
  const report = yield* round({ read: false, write: true, sweepBudget: 0, startedBy: "bench", confirmMs: 0 })
  return report.applied.reduce((sum, { optedOut }) => sum + optedOut, 0)
})

const byStopline = Effect.fnUntraced(function* (
  providers: Providers,
  sender: string,
  count: number,
  write: typeof applied
) {
  const url = yield* (yield* Bed).ledger
  return yield* Effect.gen(function* () {
    yield* seed(url, count, false)
    return yield* timed(write)
  }).pipe(Effect.provide(stopline(url, providers, { azure: [sender] })))
})
