/**
 * Writing under a limit: as much as it allows, and nothing beyond it. The
 * provider counts; its log says what it was asked when, and what it refused.
 */
import { applyTo } from "@stopline/engine"
import { Duration, Effect, Schema } from "effect"
import { Bed } from "../bed.ts"
import { type Bench, watching } from "../bench.ts"
import { startProviders } from "../providers.ts"
import { seed } from "../seed.ts"
import { stationOf, stopline } from "../stopline.ts"

const requests = 200
const windowSeconds = 10
/** How long it is looked at, behind the first window, in which some may go at once (s). */
const seconds = 50
const goal = 0.98
/** Small batches, so that requests are many. */
const recipients = 10

export const limitBench: Bench = {
  name: "limit",
  run: Effect.fnUntraced(function* ({ share }) {
    // Shorter than two windows it says nothing, and a test needs no more than to see it go.
    const looked = share < 0.1 ? 0 : Math.max(20, seconds * share)
    const asked = looked === 0 ? 60 : Math.round(requests * (1 + looked / windowSeconds))
    const people = asked * recipients
    const providers = yield* startProviders({
      people: 0,
      accounts: [
        {
          vendor: "ringcentral",
          name: "acme",
          senders: ["+16505550100", "+16505550199"],
          limits: { light: requests, windowSeconds, penaltySeconds: windowSeconds }
        },
        { vendor: "azure", name: "contoso", senders: ["20500"] }
      ]
    })
    const url = yield* (yield* Bed).ledger
    return yield* Effect.gen(function* () {
      yield* seed(url, people, false)
      yield* watching(`limit: ${asked} requests under ${requests} in ${windowSeconds} s`)
      const { optedOut } = yield* applyTo(yield* stationOf("ringcentral"), { heldBack: new Set(), confirmMs: 0 })
      const { log } = readLog(yield* providers.control("GET", "/log?account=acme"))
      const counted = log.filter(({ operation }) => operation !== "token")
      const refused = counted.filter(({ status }) => status === 429).length
      const since = (counted[0]?.at ?? 0) + (looked === 0 ? 0 : windowSeconds * 1000)
      const until = counted.at(-1)?.at ?? 0
      const later = counted.filter(({ at }) => at >= since).length
      const perSecond = (later - 1) / ((until - since) / 1000)
      const ratio = perSecond / (requests / windowSeconds)
      return [
        {
          bench: "limit",
          what: `${counted.length} writes to RingCentral under ${requests} in ${windowSeconds} s`,
          ours: `${perSecond.toFixed(2)} requests/s, ${refused} refused (429)`,
          peer: `the limit: ${requests / windowSeconds} requests/s`,
          ratio,
          goal: `≥ ${goal}, no 429`,
          met: ratio >= goal && refused === 0,
          notes: [],
          work: { ours: optedOut, peer: people }
        }
      ]
    }).pipe(
      Effect.provide(
        stopline(url, providers, {
          recipients,
          limits: { requests, window: Duration.seconds(windowSeconds) }
        })
      )
    )
  })
}

const readLog = Schema.decodeUnknownSync(
  Schema.Struct({
    log: Schema.Array(
      Schema.Struct({
        at: Schema.Number,
        operation: Schema.String,
        status: Schema.Union([Schema.Number, Schema.String])
      })
    )
  })
)
