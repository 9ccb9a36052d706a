/** What a worker does job by job, as it does in earnest: it reads one account, decides, or carries out what somebody decided before. */
import type { AccountName } from "@stopline/consent"
import { adoptAll, applyPlanned, decide, Fleet, type Order, ordersOf, readAccount } from "@stopline/engine"
import { type Connection, type LedgerError, openHalts } from "@stopline/ledger"
import { Effect } from "effect"

/** The queue of what was decided: of an account at most one, waiting or under way. */
export class Orders {
  readonly #all = new Map<string, { readonly order: Order; takenBy: number | undefined }>()

  /** One that is there already stays the only one. */
  put(order: Order): void {
    if (!this.#all.has(order.account)) this.#all.set(order.account, { order, takenBy: undefined })
  }

  /** A worker takes all that wait. */
  take(worker: number): ReadonlyArray<Order> {
    const waiting = [...this.#all.values()].filter(({ takenBy }) => takenBy === undefined)
    for (const one of waiting) one.takenBy = worker
    return waiting.map(({ order }) => order)
  }

  done(order: Order): void {
    if (this.#all.get(order.account)?.order === order) this.#all.delete(order.account)
  }

  /** A worker gave no sign of life for long, and may still be at it: what it took is never given to another. */
  lose(worker: number): void {
    for (const [account, { takenBy }] of this.#all) if (takenBy === worker) this.#all.delete(account)
  }
}

interface Toil {
  readonly worker: number
  /** The account to be read; absent: what waits is carried out, or decided first. */
  readonly read: AccountName | undefined
  readonly sweepBudget: number
}

export const toil = Effect.fnUntraced(function* (
  orders: Orders,
  { read, sweepBudget, worker }: Toil
): Effect.fn.Return<void, LedgerError, Fleet | Connection> {
  const { owner, settings, stations } = yield* Fleet
  const { confirmMs } = settings
  const stationOf = (name: string) => stations.filter(({ account }) => account.name === name)
  const reconcile = Effect.gen(function* () {
    yield* adoptAll(stations)
    const decided = yield* decide({ confirmMs, write: true, startedBy: owner })
    for (const order of ordersOf(decided)) orders.put(order)
  })
  if (read !== undefined) {
    const budget = { perSender: sweepBudget, perHour: Number.POSITIVE_INFINITY }
    for (const station of stationOf(read)) yield* readAccount(station, budget, owner)
    return yield* reconcile
  }
  const waiting = orders.take(worker)
  if (waiting.length === 0) yield* reconcile
  const due = waiting.length === 0 ? orders.take(worker) : waiting
  const carryOut = Effect.fnUntraced(
    function* (order: Order) {
      for (const station of stationOf(order.account)) {
        yield* applyPlanned(station, order, yield* openHalts(), confirmMs)
      }
    },
    // However it ends it is not tried again: the guards have to look at what is left.
    (self, order) =>
      Effect.ensuring(
        self,
        Effect.sync(() => orders.done(order))
      )
  )
  yield* Effect.forEach(due, carryOut, { concurrency: "unbounded", discard: true })
})
