/**
 * Looking after a subscription, and accounting for the times when events may have
 * been lost: then what people texted is read, and the list has to be walked (L10).
 */
import {
  beginHearing,
  type Connection,
  gapsOf,
  ingest,
  lastHearing,
  type LedgerError,
  stillHeard
} from "@stopline/ledger"
import type { ProviderError, Span, Subscription, SubscriptionPort } from "@stopline/provider"
import { Clock, Effect } from "effect"
import { Fleet, type Station } from "./fleet.ts"
import { type LaneBusy, withLane } from "./lane.ts"
import { paced } from "./pace.ts"

export interface ListenReport {
  readonly account: string
  /** Events that the provider will not send. */
  readonly missing: Subscription["missing"]
  /** Events of this time may have been lost. It is told once. */
  readonly gap: Span | undefined
  /** What people had texted in that time, and nobody knew. */
  readonly news: number
  /** A gap is there that no finished walk has followed yet. */
  readonly unread: boolean
}

export interface Looking {
  /** Where the provider is to send its events. */
  readonly url: string
  /** Nothing is known to have been lost since the last look: this process made it, and refused no event since. */
  readonly unbroken: boolean
  /** How long after a look the next one can still vouch for the time between (ms). */
  readonly patienceMs: number
}

/** One look: afterwards the subscription works, or it is said why not. */
export const listen = Effect.fn("listen")(function* (
  station: Station,
  port: SubscriptionPort,
  looking: Looking
): Effect.fn.Return<ListenReport, ProviderError | LedgerError | LaneBusy, Connection | Fleet> {
  const { account, adapter } = station
  // Two processes that look at once would each find none, and make two.
  return yield* withLane(`listen:${account.name}`, () =>
    Effect.gen(function* () {
      const beganAt = yield* Clock.currentTimeMillis
      const subscription = yield* paced(adapter, "subscribe", port.ensure(looking.url))
      const heard = yield* accountFor(station, port, looking, subscription, beganAt)
      const unread = (yield* gapsOf(account.id)).some(({ readAt }) => readAt === undefined)
      return { account: account.name, missing: subscription.missing, ...heard, unread }
    })
  )
})

const nothingLost = { gap: undefined, news: 0 }

const accountFor = Effect.fnUntraced(function* (
  station: Station,
  port: SubscriptionPort,
  { patienceMs, unbroken }: Looking,
  subscription: Subscription,
  beganAt: number
) {
  const accountId = station.account.id
  // Whoever does not hear everything is not listening; what is lost meanwhile is read when that has been mended.
  if (subscription.missing.length > 0) return nothingLost
  const last = yield* lastHearing(accountId)
  if (last?.subscription === subscription.id && unbroken && beganAt - last.until <= patienceMs) {
    yield* stillHeard(last.runId, beganAt)
    return nothingLost
  }
  const now = yield* Clock.currentTimeMillis
  const gap = last === undefined ? undefined : { since: last.until, until: now }
  // Before the gap is written down: a look that dies here leaves it to the next one.
  const news = gap === undefined ? 0 : yield* readMissed(station, port, gap)
  const { owner } = yield* Fleet
  yield* beginHearing({ accountId, subscription: subscription.id, startedBy: owner }, now)
  return { gap, news }
})

/** Their clock may be behind ours by so much; what is read twice is known by its key (ms). */
const marginMs = 5 * 60_000

const readMissed = Effect.fnUntraced(function* (station: Station, port: SubscriptionPort, gap: Span) {
  const { settings } = yield* Fleet
  const span = { since: gap.since - marginMs, until: gap.until + marginMs }
  const cursors = new Set<string>()
  let cursor: string | undefined
  let news = 0
  do {
    const page = yield* paced(station.adapter, "subscribe", port.missed(span, cursor))
    const { recorded } = yield* ingest(
      station.account,
      page.observations,
      yield* Clock.currentTimeMillis,
      settings.echoMs
    )
    news += recorded.length
    for (const { reason, row } of page.problems) {
      yield* Effect.logWarning("a text could not be understood", { account: station.account.name, row, reason })
    }
    cursor = page.next._tag === "More" ? page.next.cursor : undefined
    // The rest of a list that goes in a circle is left to the walk.
    if (cursor !== undefined && cursors.has(cursor)) return news
    if (cursor !== undefined) cursors.add(cursor)
  } while (cursor !== undefined)
  return news
})
