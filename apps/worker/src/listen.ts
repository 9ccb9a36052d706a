/**
 * Keeps the providers talking: looks at every subscription when the worker
 * starts, then again and again, and at once when the provider says that it ends.
 * Whatever may have been lost meanwhile is told, and read.
 */
import type { AccountName } from "@stopline/consent"
import { Fleet, listen, type ListenReport, type Station } from "@stopline/engine"
import { Connection } from "@stopline/ledger"
import type { SubscriptionPort } from "@stopline/provider"
import { Context, Effect, Layer, Queue, type Scope } from "effect"

/** RingCentral blacklists a webhook for at least a quarter of an hour before it may try again: no look misses that. */
export const defaultLookMs = 5 * 60_000
/** After a look that failed. */
const soonMs = 60_000

export interface Listening {
  /** How providers reach this worker. */
  readonly url: string
  readonly everyMs: number
  readonly onReport: (report: ListenReport) => Effect.Effect<void>
}

export class Listener extends Context.Service<
  Listener,
  {
    /** Looks once at every subscription, and goes on in the background. */
    readonly start: (listening: Listening) => Effect.Effect<void, never, Scope.Scope>
    /** The provider says that the subscription of this account is about to end. */
    readonly ending: (account: AccountName) => Effect.Effect<void>
    /** An event of this account could not be stored, and may not come again. */
    readonly refused: (account: AccountName) => Effect.Effect<void>
    /** Events may have been lost: everything has to be read. */
    readonly reads: Queue.Dequeue<void>
  }
>()("@stopline/worker/Listener") {
  static readonly layer: Layer.Layer<Listener, never, Fleet | Connection> = Layer.effect(
    Listener,
    Effect.gen(function* () {
      const context = yield* Effect.context<Fleet | Connection>()
      const { stations } = yield* Fleet
      const reads = yield* Queue.sliding<void>(1)
      /** The accounts of which this process knows that nothing was lost since its last look. */
      const unbroken = new Set<AccountName>()
      /** What a person has been told already. */
      const told = new Map<AccountName, string>()
      const endings = new Map<AccountName, Queue.Queue<void>>()
      for (const { account } of stations) endings.set(account.name, yield* Queue.sliding<void>(1))

      const look = Effect.fn("Listener.look")(function* (
        station: Station,
        port: SubscriptionPort,
        { everyMs, onReport, url }: Listening
      ) {
        const { name } = station.account
        const trusted = unbroken.has(name)
        // An event that is refused while this look goes on breaks it again.
        unbroken.add(name)
        const looking = { url: `${url}/webhooks/${name}`, unbroken: trusted, patienceMs: 3 * everyMs }
        return yield* listen(station, port, looking).pipe(
          Effect.tap((report) => {
            const missing = JSON.stringify(report.missing)
            const known = told.get(name) === missing
            told.set(name, missing)
            return onReport(known ? { ...report, missing: [] } : report)
          }),
          Effect.tap(({ unread }) => (unread ? Queue.offer(reads, undefined) : Effect.void)),
          Effect.as(everyMs),
          Effect.catch((error) => {
            if (!trusted) unbroken.delete(name)
            const next = Math.min(soonMs, everyMs)
            return Effect.as(Effect.logError(`events may not come: ${error.message}`), next)
          }),
          Effect.provideContext(context)
        )
      })

      const start = Effect.fn("Listener.start")(function* (listening: Listening) {
        for (const station of stations) {
          const { subscription } = station.adapter
          const ending = endings.get(station.account.name)
          if (subscription._tag !== "Can" || ending === undefined) continue
          const { port } = subscription
          let pause = yield* look(station, port, listening)
          yield* Effect.forkScoped(
            Effect.forever(
              Effect.gen(function* () {
                yield* Effect.raceFirst(Effect.sleep(pause), Queue.take(ending))
                pause = yield* look(station, port, listening)
              })
            )
          )
        }
      })

      return Listener.of({
        start,
        ending: (account) => Effect.asVoid(offerTo(endings.get(account))),
        refused: (account) => Effect.sync(() => void unbroken.delete(account)),
        reads
      })
    })
  )
}

const offerTo = (queue: Queue.Queue<void> | undefined): Effect.Effect<unknown> =>
  queue === undefined ? Effect.void : Queue.offer(queue, undefined)
