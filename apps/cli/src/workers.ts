/** A backfill that the workers do: put on their queue, one job for each account, and followed if that is wished. */
import type { SenderAddress } from "@stopline/consent"
import { Progress, type Station } from "@stopline/engine"
import { openHalts, unfinishedWalk } from "@stopline/ledger"
import { Jobs, type LastJob } from "@stopline/worker"
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
        Effect.map(until(station, jobs.lastOf("backfill", payload)), (last) => ({ account: payload.account, ...last })),
      { concurrency: "unbounded" }
    )
    const halts = (yield* openHalts()).map((halt) => halt.message)
    const lines = ended.map(({ account, nothing, state }) =>
      state !== "completed"
        ? `${account}: given up; the log of the workers says why`
        : nothing === undefined
          ? `${account}: read by the workers`
          : `${account}: not read: ${nothing}`
    )
    yield* say(json, { ended, halts }, [...lines, ...halts])
    if (ended.some(({ nothing, state }) => state !== "completed" || nothing !== undefined))
      return yield* new Ends({ code: 1 })
    if (halts.length > 0) return yield* new Ends({ code: 2 })
  },
  Effect.provide(Jobs.layer({ works: false }))
)

const over: ReadonlySet<LastJob["state"]> = new Set(["completed", "failed", "cancelled"])

/** Looks again and again until the job has ended, and tells how many rows have been read. */
const until = Effect.fnUntraced(function* <E, R>(station: Station, lastOf: Effect.Effect<LastJob | undefined, E, R>) {
  const report = yield* Progress
  for (;;) {
    const last = yield* lastOf
    if (last === undefined || over.has(last.state)) return last
    const walk = yield* unfinishedWalk(station.account, undefined)
    if (walk !== undefined) {
      yield* report({ kind: "walk", account: station.account.name, done: walk.rows, unit: "rows" })
    }
    yield* Effect.sleep("1 second")
  }
})
