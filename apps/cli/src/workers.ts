/** A backfill that the workers do: put on their queue, one job for each account, and followed if that is wished. */
import type { SenderAddress } from "@stopline/consent"
import { Progress, type Station } from "@stopline/engine"
import { openHalts, unfinishedWalk } from "@stopline/ledger"
import { Jobs } from "@stopline/worker"
import { Clock, Effect } from "effect"
import { Ends } from "./exit.ts"
import { say } from "./say.ts"

export interface OnWorkers {
  readonly stations: ReadonlyArray<Station>
  readonly sender: SenderAddress | undefined
  readonly startedBy: string
  readonly follow: boolean
  readonly json: boolean
}

export const backfillOnWorkers = Effect.fn("backfillOnWorkers")(
  function* ({ follow, json, sender, startedBy, stations }: OnWorkers) {
    const jobs = yield* Jobs
    const askedAt = yield* Clock.currentTimeMillis
    const orders = stations.map((station) => ({
      station,
      payload: { account: station.account.name, ...(sender !== undefined && { sender }), startedBy, askedAt }
    }))
    for (const { payload } of orders) yield* jobs.put("backfill", payload)
    if (!follow) {
      const queued = orders.map(({ payload }) => payload.account)
      return yield* say(json, { queued }, [
        `The workers read ${queued.join(", ")}. The same command with --follow shows how far they are`
      ])
    }
    const ended = yield* Effect.forEach(
      orders,
      ({ payload, station }) =>
        Effect.map(until(station, jobs.stateOf("backfill", payload)), (state) => ({ account: payload.account, state })),
      { concurrency: "unbounded" }
    )
    const halts = (yield* openHalts()).map((halt) => halt.message)
    const lines = ended.map(({ account, state }) =>
      state === "completed"
        ? `${account}: read by the workers`
        : `${account}: given up; the log of the workers says why`
    )
    yield* say(json, { ended, halts }, [...lines, ...halts])
    if (ended.some(({ state }) => state !== "completed")) return yield* new Ends({ code: 1 })
    if (halts.length > 0) return yield* new Ends({ code: 2 })
  },
  Effect.provide(Jobs.layer({ works: false }))
)

/** Looks again and again until the job has ended, and tells how many rows have been read. */
const until = Effect.fnUntraced(function* <S extends string, E, R>(
  station: Station,
  stateOf: Effect.Effect<S | undefined, E, R>
) {
  const report = yield* Progress
  for (;;) {
    const state = yield* stateOf
    if (state === undefined || state === "completed" || state === "failed" || state === "cancelled") return state
    const walk = yield* unfinishedWalk(station.account, undefined)
    if (walk !== undefined) {
      yield* report({ kind: "walk", account: station.account.name, done: walk.rows, unit: "rows" })
    }
    yield* Effect.sleep("1 second")
  }
})
