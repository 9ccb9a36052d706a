/**
 * Accounting for when events could be heard. What people texted since the last look is
 * read with each look. In a gap events may have been lost: then the list has to be
 * walked, too (L10).
 */
import {
  beginHearing,
  type Connection,
  gapsOf,
  ingest,
  lastHearing,
  type LedgerError,
  stillHeard,
  walkedBefore
} from "@stopline/ledger"
import { ProviderError, type Span, type Subscription, type SubscriptionPort, Unreadable } from "@stopline/provider"
import { Clock, Effect } from "effect"
import { Fleet, type Station } from "./fleet.ts"
import { paced } from "./pace.ts"

export interface ListenReport {
  readonly account: string
  /** Events that the provider will not send. */
  readonly missing: Subscription["missing"]
  /** Events of this time may have been lost. It is told once. */
  readonly gap: Span | undefined
  /** What people had texted, and nobody knew. */
  readonly news: number
  /** A gap is there that no finished walk has followed yet. */
  readonly unread: boolean
}

export interface Heard {
  readonly subscription: Subscription
  /** When it was asked for, and worked. */
  readonly beganAt: number
  /** Nothing is known to have been lost since the last time: this process made it, and refused no event since. */
  readonly unbroken: boolean
  /** How long after a moment of which something is known the next one can vouch for the time between (ms). */
  readonly patienceMs: number
}

/** Reads the texts that the provider kept. */
type Missed = SubscriptionPort["missed"]

export const accountFor = Effect.fn("accountFor")(function* (
  station: Station,
  missed: Missed,
  heard: Heard
): Effect.fn.Return<ListenReport, ProviderError | LedgerError, Connection | Fleet> {
  const { id, name } = station.account
  const { missing } = heard.subscription
  // Whoever does not hear everything is not listening; what is lost meanwhile is read when that has been mended.
  const account = missing.length > 0 ? nothingLost : yield* note(station, missed, heard)
  const unread = (yield* gapsOf(id)).some(({ readAt }) => readAt === undefined)
  return { account: name, missing, ...account, unread }
})

const nothingLost = { gap: undefined, news: 0 }

const note = Effect.fnUntraced(function* (station: Station, missed: Missed, heard: Heard) {
  const { beganAt, patienceMs, subscription, unbroken } = heard
  const accountId = station.account.id
  const last = yield* lastHearing(accountId)
  if (last?.subscription === subscription.id && unbroken && beganAt - last.until <= patienceMs) {
    // One event can be lost without anybody's knowing: a worker froze with it, or whatever stands before the workers
    // gave it up. In words that the provider does not know, no list would ever tell of it (L1).
    const news = yield* readMissed(station, missed, { since: last.until, until: beganAt })
    yield* stillHeard(last.runId, beganAt)
    return { gap: undefined, news }
  }
  const now = yield* Clock.currentTimeMillis
  // Where nobody has listened yet, a walk may be on its way, and past the rows that change now.
  const since = last === undefined ? yield* walkedBefore(accountId, now) : last.until
  const gap = since === undefined ? undefined : { since, until: now }
  // Before the gap is written down: who dies here leaves it to the next one.
  const news = gap === undefined ? 0 : yield* readMissed(station, missed, gap)
  const { owner } = yield* Fleet
  yield* beginHearing({ accountId, subscription: subscription.id, startedBy: owner }, now)
  return { gap, news }
})

/** Their clock may be behind ours by so much; what is read twice is known by its key (ms). */
const marginMs = 5 * 60_000

const readMissed = Effect.fnUntraced(function* (station: Station, missed: Missed, gap: Span) {
  const { settings } = yield* Fleet
  const span = { since: gap.since - marginMs, until: gap.until + marginMs }
  const cursors = new Set<string>()
  let cursor: string | undefined
  let news = 0
  do {
    const page = yield* paced(station.adapter, "subscribe", missed(span, cursor))
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
    if (cursor !== undefined && cursors.has(cursor)) {
      // What stands on the pages that were never shown is still to be read, by the next one.
      return yield* new ProviderError({
        account: station.account.name,
        operation: "subscribe",
        reason: new Unreadable({ mayHaveApplied: false }),
        detail: "the texts that were kept go in a circle: a page names a token that came before"
      })
    }
    if (cursor !== undefined) cursors.add(cursor)
  } while (cursor !== undefined)
  return news
})
