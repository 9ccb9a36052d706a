/**
 * Keeps the providers talking: holds a connection where one brings the events,
 * and otherwise looks at every subscription when the worker starts, then again
 * and again, and at once when the provider says that it ends. Whatever may have
 * been lost meanwhile is told, and read.
 */
import type { AccountName } from "@stopline/consent"
import { attend, Fleet, type ListenReport, makeLooks, type Station } from "@stopline/engine"
import type { Connection, LedgerError } from "@stopline/ledger"
import type { Received, StreamPort, SubscriptionPort } from "@stopline/provider"
import { Context, Effect, Fiber, Layer, Queue, type Scope } from "effect"
import type { ConfigFile } from "./config.ts"
import { millis } from "./load.ts"

/** Shorter than the quarter of an hour after which RingCentral may try a blacklisted webhook again (docs/providers/ringcentral.md). */
const defaultLookMs = 5 * 60_000

/** How often subscriptions are looked at (ms). */
export const lookMs = ({ schedule }: ConfigFile): number => millis(schedule?.listen, defaultLookMs)

/** As long as a look vouches for the time after it: one that fails is no silence yet (ms). */
export const vouchesMs = (everyMs: number): number => 3 * everyMs

/** After a look that failed. */
const soonMs = 60_000

/** After a connection was lost. */
const againMs = 5_000

/** As long as a start waits for the first looks: a provider that makes us wait for longer keeps nobody else waiting. */
const firstLooksMs = 5_000

export interface Listening {
  /** How providers reach this worker, if they do. */
  readonly url: string | undefined
  readonly everyMs: number
  /** Stores what a connection brought. */
  readonly onEvent: (station: Station, received: Received) => Effect.Effect<void, LedgerError>
  readonly onReport: (report: ListenReport) => Effect.Effect<void>
}

export class Listener extends Context.Service<
  Listener,
  {
    /** Connects, and looks once at every subscription, if the providers answer within some seconds; goes on in the background. */
    readonly start: (listening: Listening) => Effect.Effect<void, never, Scope.Scope>
    /** The provider says that the subscription of this account is about to end. */
    readonly ending: (account: AccountName) => Effect.Effect<void>
    /** An event of this account could not be stored, and may not come again. */
    readonly refused: (account: AccountName) => Effect.Effect<void>
    /** Events of this account may have been lost: all of it has to be read. */
    readonly reads: Queue.Dequeue<AccountName>
  }
>()("@stopline/worker/Listener") {
  static readonly layer: Layer.Layer<Listener, never, Fleet | Connection> = Layer.effect(
    Listener,
    Effect.gen(function* () {
      const context = yield* Effect.context<Fleet | Connection>()
      const { stations } = yield* Fleet
      const reads = yield* Queue.sliding<AccountName>(100)
      const looks = makeLooks()
      /** What a person has been told already. */
      const told = new Map<string, string>()
      const endings = new Map<AccountName, Queue.Queue<void>>()
      for (const { account } of stations) endings.set(account.name, yield* Queue.sliding<void>(1))

      const tell = Effect.fnUntraced(function* (name: AccountName, report: ListenReport, { onReport }: Listening) {
        const missing = JSON.stringify(report.missing)
        const known = told.get(name) === missing
        told.set(name, missing)
        yield* onReport(known ? { ...report, missing: [] } : report)
        if (report.unread || report.news > 0) yield* Queue.offer(reads, name)
      })

      const look = Effect.fn("Listener.look")(function* (
        station: Station,
        port: SubscriptionPort,
        url: string,
        listening: Listening
      ) {
        const { everyMs } = listening
        const { name } = station.account
        const looking = { url: `${url}/webhooks/${name}`, patienceMs: vouchesMs(everyMs) }
        return yield* looks.look(station, port, looking).pipe(
          Effect.tap((report) => tell(name, report, listening)),
          Effect.as(everyMs),
          Effect.catch((error) =>
            Effect.as(Effect.logError(`events may not come: ${error.message}`), Math.min(soonMs, everyMs))
          ),
          Effect.provideContext(context)
        )
      })

      /** Connects, again and again. While another process does, it waits for the lane. */
      const hold = (station: Station, port: StreamPort, listening: Listening) =>
        attend(station, port, {
          everyMs: listening.everyMs,
          onReport: (report) => tell(station.account.name, report, listening),
          onEvent: (received) => listening.onEvent(station, received)
        }).pipe(
          Effect.catchTag("LaneBusy", () =>
            Effect.logDebug("another process listens", { account: station.account.name })
          ),
          Effect.catch((error) => Effect.logWarning(`events do not come: ${error.message}`)),
          Effect.andThen(Effect.sleep(againMs)),
          Effect.forever,
          Effect.provideContext(context)
        )

      const lookOften = Effect.fnUntraced(function* (
        station: Station,
        port: SubscriptionPort,
        url: string,
        listening: Listening
      ) {
        const ending = endings.get(station.account.name)
        const first = yield* Effect.forkScoped(look(station, port, url, listening))
        yield* Effect.gen(function* () {
          let pause = yield* Fiber.join(first)
          for (;;) {
            yield* Effect.raceFirst(Effect.sleep(pause), ending === undefined ? Effect.never : Queue.take(ending))
            pause = yield* look(station, port, url, listening)
          }
        }).pipe(Effect.forkScoped)
        return Fiber.await(first)
      })

      const start = Effect.fn("Listener.start")(function* (listening: Listening) {
        const firstLooks: Array<Effect.Effect<unknown>> = []
        for (const station of stations) {
          const { stream, subscription } = station.adapter
          if (stream._tag === "Can") {
            yield* Effect.forkScoped(hold(station, stream.port, listening))
          } else if (subscription._tag === "Can" && listening.url !== undefined) {
            firstLooks.push(yield* lookOften(station, subscription.port, listening.url, listening))
          }
        }
        yield* Effect.timeoutOption(Effect.all(firstLooks, { discard: true }), firstLooksMs)
      })

      return Listener.of({
        start,
        ending: (account) => Effect.asVoid(offerTo(endings.get(account))),
        refused: looks.refused,
        reads
      })
    })
  )
}

const offerTo = (queue: Queue.Queue<void> | undefined): Effect.Effect<unknown> =>
  queue === undefined ? Effect.void : Queue.offer(queue, undefined)
