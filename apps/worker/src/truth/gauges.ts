/**
 * From what the ledger says to gauges. Every label is of a closed set: the names
 * in the configuration and words of ours; every series is there from the first
 * reading on, with 0 where there is nothing.
 */
import { kindOf, senderKinds } from "@stopline/consent"
import { bucketOf, type Station } from "@stopline/engine"
import { type Unheld, withheldReasons } from "@stopline/ledger"
import { Effect, Metric } from "effect"
import type { Config } from "../load.ts"
import { blindSince, listeningOf } from "./blind.ts"
import type { Figures } from "./figures.ts"

const gauge = (name: string, description: string) =>
  Metric.gauge(name, { description: `${description} From the ledger: the same from every worker.` })

const oldest = gauge(
  "stopline_oldest_unheld_optout_seconds",
  "Age of the oldest opt-out that a sender which could hold it does not hold: since it was said, its sender joined the group or the provider lifted the block, whichever was last. 0: there is none."
)
const drift = gauge(
  "stopline_drift_pairs",
  "Pairs that are not held as they must be and can be written, by what must be."
)
const withheld = gauge("stopline_withheld_pairs", "Pairs that differ and are left alone, by the reason.")
const halts = gauge("stopline_halts_open", "Halts that wait for a person.")
const roundAttempted = gauge("stopline_round_last_attempt_timestamp_seconds", "When a round was last begun. 0: never.")
const roundCompleted = gauge(
  "stopline_round_last_completed_timestamp_seconds",
  "When the last round was begun that completed. 0: never."
)
const readAttempted = gauge(
  "stopline_read_last_attempt_timestamp_seconds",
  "When an account was last begun to be read. 0: never."
)
const readCompleted = gauge(
  "stopline_read_last_completed_timestamp_seconds",
  "When the last reading of an account was begun that completed. 0: never."
)
const blind = gauge(
  "stopline_blind_seconds",
  "Age of the oldest time in which events may have been lost and which no finished walk has made up for. 0: there is none."
)
const gaps = gauge("stopline_gaps_unread", "Gaps in listening that no finished walk has followed yet.")
const used = gauge(
  "stopline_limit_used_ratio",
  "Share of a provider's limit that is spent; above 1 when turns are reserved ahead."
)
const blocked = gauge(
  "stopline_limit_blocked_seconds",
  "How much longer nothing is sent because the provider throttled us. 0: it is open."
)
const readAt = gauge("stopline_ledger_read_timestamp_seconds", "When these figures were read.")

const haltKinds = [
  "too-many-opt-outs",
  "too-many-opt-ins",
  "opt-ins-without-evidence",
  "listing-emptied",
  "listing-shrank",
  "other"
] as const

const states = ["opted-out", "opted-in"] as const

interface Moment {
  readonly startedAt: number
  readonly now: number
}

const setAll = Effect.fnUntraced(function* (
  metric: Metric.Gauge<number>,
  rows: ReadonlyArray<readonly [labels: Readonly<Record<string, string>>, value: number]>
) {
  for (const [labels, value] of rows) yield* Metric.update(Metric.withAttributes(metric, labels), value)
})

export const setGauges = Effect.fnUntraced(function* (
  figures: Figures,
  config: Config,
  stations: ReadonlyArray<Station>,
  { now, startedAt }: Moment
) {
  const ageOf = (at: number | undefined) => (at === undefined ? 0 : Math.max(0, now - at) / 1000)
  yield* Metric.update(readAt, figures.at / 1000)
  for (const station of stations) yield* setPairs(station, figures.unheld, ageOf)
  yield* setRuns(figures, stations)
  yield* setAll(
    halts,
    stations.flatMap(({ account }) =>
      haltKinds.map((halt) => [
        { account: account.name, halt },
        figures.halts.filter((one) => one.account === account.name && nameOf(one.kind) === halt).length
      ])
    )
  )
  const listening = listeningOf(config, stations)
  for (const { account } of listening.stations) {
    const heard = figures.listened.find(({ accountId }) => accountId === account.id)
    if (heard === undefined) continue
    yield* setAll(blind, [[{ account: account.name }, ageOf(blindSince(heard, listening.patienceMs, startedAt, now))]])
    yield* setAll(gaps, [[{ account: account.name }, heard.gaps]])
  }
  yield* setLimits(figures, stations, now)
})

const nameOf = (kind: string): string => haltKinds.find((known) => known === kind) ?? "other"

/** The kinds of sender that an account has. */
const setPairs = Effect.fnUntraced(function* (
  { account }: Station,
  rows: ReadonlyArray<Unheld>,
  ageOf: (at: number | undefined) => number
) {
  for (const kind of senderKinds) {
    const ids = account.senders.filter(({ address }) => kindOf(address) === kind).map(({ id }) => id)
    if (ids.length === 0) continue
    const ours = rows.filter(({ senderId }) => ids.includes(senderId))
    const labels = { account: account.name, kind }
    const waiting = ours.filter((row) => row.withheld === undefined)
    const ages = waiting.flatMap((row) => (row.state === "opted-out" ? [ageOf(row.since)] : []))
    yield* setAll(oldest, [[labels, Math.max(0, ...ages)]])
    for (const state of states) {
      const count = (of: ReadonlyArray<Unheld>) =>
        of.reduce((sum, row) => (row.state === state ? sum + row.pairs : sum), 0)
      yield* setAll(drift, [[{ ...labels, state }, count(waiting)]])
      yield* setAll(
        withheld,
        withheldReasons.map((reason) => [
          { ...labels, state, reason },
          count(ours.filter((row) => row.withheld === reason))
        ])
      )
    }
  }
})

const setRuns = Effect.fnUntraced(function* (figures: Figures, stations: ReadonlyArray<Station>) {
  const seconds = (at: number | undefined) => (at ?? 0) / 1000
  const round = figures.lately.find(({ kind }) => kind === "round")
  yield* Metric.update(roundAttempted, seconds(round?.attemptedAt))
  yield* Metric.update(roundCompleted, seconds(round?.completedAt))
  for (const { account, adapter } of stations) {
    const reading = adapter.list._tag === "Can" ? "walk" : adapter.check._tag === "Can" ? "sweep" : undefined
    const last = figures.lately.find(({ accountId, kind }) => accountId === account.id && kind === reading)
    if (last === undefined || reading === undefined) continue
    const labels = { account: account.name, reading }
    yield* setAll(readAttempted, [[labels, seconds(last.attemptedAt)]])
    yield* setAll(readCompleted, [[labels, seconds(last.completedAt)]])
  }
})

/** A provider's answer may name a limit of its own. What is no plain word is not repeated. */
const limitName = (name: string): string => (/^[a-z]{1,20}(-[a-z]{1,20}){0,3}$/.test(name) ? name : "other")

const setLimits = Effect.fnUntraced(function* (figures: Figures, stations: ReadonlyArray<Station>, now: number) {
  for (const { account, adapter } of stations) {
    for (const limit of adapter.limits) {
      const found = figures.flows.find(({ key }) => key === bucketOf(adapter.vendor, limit).key)
      const labels = { account: account.name, limit: limitName(limit.name) }
      yield* setAll(used, [[labels, found?.used ?? 0]])
      yield* setAll(blocked, [[labels, Math.max(0, (found?.blockedUntil ?? now) - now) / 1000]])
    }
  }
})
