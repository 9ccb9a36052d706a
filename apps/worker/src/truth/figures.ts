/**
 * What the ledger says of all workers together, the same whichever is asked. It
 * is read when somebody looks, and not again for a few seconds: a storm of
 * scrapes costs nothing, and a reading that took long is done the less often.
 */
import { bucketOf, Fleet, seeking, writabilityOf } from "@stopline/engine"
import {
  type Connection,
  type Flow,
  flows,
  type Halt,
  lately,
  type Lately,
  type LedgerError,
  listened,
  type Listened,
  openHalts,
  unheld,
  type Unheld,
  type Writable
} from "@stopline/ledger"
import { Clock, Context, Deferred, Effect, FiberSet, Layer } from "effect"

export interface Figures {
  /** When they were read (ms). */
  readonly at: number
  readonly unheld: ReadonlyArray<Unheld>
  readonly lately: ReadonlyArray<Lately>
  readonly listened: ReadonlyArray<Listened>
  readonly halts: ReadonlyArray<Halt>
  readonly flows: ReadonlyArray<Flow>
}

export interface Seen {
  /** The last that could be read; absent before the first time. */
  readonly figures: Figures | undefined
  /** Whether the last attempt to read them succeeded. */
  readonly answers: boolean
}

const readFigures = Effect.fn("readFigures")(function* (): Effect.fn.Return<Figures, LedgerError, Fleet | Connection> {
  const { settings, stations } = yield* Fleet
  const at = yield* Clock.currentTimeMillis
  const senders = stations.flatMap(({ account, adapter }) => {
    const seeks = adapter.evidence._tag === "Can" && settings.confirmMs > 0 && { seeking }
    return account.senders.map((sender): Writable => {
      const cannot = writabilityOf(adapter)(sender.address)
      return { account, sender, optOut: cannot.optOut === undefined, optIn: cannot.optIn === undefined, ...seeks }
    })
  })
  const accountIds = stations.map(({ account }) => account.id)
  const buckets = stations.flatMap(({ adapter }) => adapter.limits.map((limit) => bucketOf(adapter.vendor, limit)))
  return {
    at,
    unheld: yield* unheld(senders, { policy: settings.policy, now: at, confirmMs: settings.confirmMs }),
    lately: yield* lately(accountIds),
    listened: yield* listened(accountIds),
    halts: yield* openHalts(),
    flows: yield* flows(buckets, at)
  }
})

const freshMs = 5_000

/** How long whoever looks waits for a reading; then what was read before has to do. */
const patience = "4 seconds"

export class LedgerFigures extends Context.Service<LedgerFigures, { readonly look: Effect.Effect<Seen> }>()(
  "@stopline/worker/LedgerFigures"
) {
  static readonly layer: Layer.Layer<LedgerFigures, never, Fleet | Connection> = Layer.effect(
    LedgerFigures,
    Effect.gen(function* () {
      const context = yield* Effect.context<Fleet | Connection>()
      const readings = yield* FiberSet.make()
      let seen: Seen = { figures: undefined, answers: false }
      let readAt = Number.NEGATIVE_INFINITY
      let staleAt = Number.NEGATIVE_INFINITY
      let underWay: Deferred.Deferred<void> | undefined

      const read = Effect.fnUntraced(function* (done: Deferred.Deferred<void>) {
        const began = yield* Clock.currentTimeMillis
        const result = yield* Effect.result(readFigures())
        const ended = yield* Clock.currentTimeMillis
        seen =
          result._tag === "Success"
            ? { figures: result.success, answers: true }
            : { figures: seen.figures, answers: false }
        readAt = ended
        staleAt = ended + Math.max(freshMs, 10 * (ended - began))
        underWay = undefined
        yield* Deferred.succeed(done, undefined)
      }, Effect.provideContext(context))

      /** One reading at a time, however many look. */
      const reading = Effect.gen(function* () {
        if (underWay !== undefined) return underWay
        const done = yield* Deferred.make<void>()
        underWay = done
        yield* FiberSet.run(readings, read(done))
        return done
      })

      const look = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        // Before the last reading: the clock was ahead, and has been set back.
        if (now >= staleAt || now < readAt) {
          yield* Effect.timeoutOption(Deferred.await(yield* reading), patience)
        }
        return seen
      })

      return LedgerFigures.of({ look })
    })
  )
}
