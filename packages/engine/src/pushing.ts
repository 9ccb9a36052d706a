/**
 * Carrying STOPs together. Where they differ is looked up for all that come
 * while the look before is under way, and what comes for an account while it is
 * being written to is one burst: the more there is to do, the larger the bursts.
 */
import type { Recipient } from "@stopline/consent"
import { Connection, digits, type LedgerError, patiently } from "@stopline/ledger"
import { type Array, Context, Effect, Fiber, FiberSet, type Scope } from "effect"
import { makeCrowd } from "./crowd.ts"
import type { FirstPages } from "./differing.ts"
import { Fleet, type Station } from "./fleet.ts"
import { pushTo, unheld } from "./push.ts"

/** Pairs of each person that were written; whoever takes some leaves none for the next. */
type Counts = Map<number, number>

/** What one look found for one account. */
interface Due {
  readonly recipients: ReadonlyArray<number>
  readonly first: FirstPages
}

/** Carries what these people said. Returns how many senders of each account hold it now that did not before. */
export type Push = (recipients: ReadonlyArray<number>) => Effect.Effect<Readonly<Record<string, number>>, LedgerError>

export const pushing: Effect.Effect<Push, never, Fleet | Connection | Scope.Scope> = Effect.gen(function* () {
  const { stations } = yield* Fleet
  const connection = yield* Connection
  // However much there is to push, there is always a connection for what is received.
  const patient = Context.make(Connection, yield* patiently(connection))
  const pushes = yield* FiberSet.make<Counts>()
  const accounts = yield* Effect.forEach(stations, (station) =>
    Effect.map(Effect.provideContext(makeCrowd(burst(station)), patient), (crowd) => ({ station, crowd }))
  )
  const look = yield* makeCrowd((said: Array.NonEmptyReadonlyArray<ReadonlyArray<number>>) =>
    Effect.gen(function* () {
      const recipients = [...new Set(said.flat())]
      const first = yield* unheld(recipients)
      const concerned = accounts.filter(({ station }) => differs(station, first))
      const under = yield* Effect.forEach(concerned, ({ crowd, station }) =>
        Effect.map(
          FiberSet.run(pushes, crowd.join({ recipients, first })),
          (fiber) => [station.account.name, fiber] as const
        )
      )
      return said.map(() => under)
    }).pipe(Effect.provideContext(patient))
  )
  return Effect.fn("push")(function* (recipients) {
    const under = yield* look.join(recipients)
    const pairs = yield* Effect.forEach(under, ([account, fiber]) =>
      Effect.map(Fiber.join(fiber), (counts) => [account, sum(take(counts, recipients))] as const)
    )
    return Object.fromEntries(pairs.filter(([, count]) => count > 0))
  })
})

const differs = (station: Station, first: FirstPages): boolean =>
  station.account.senders.some(({ id }) => (first.get(id)?.length ?? 0) > 0)

/** Writes to one account what one look found or several. */
const burst = (station: Station) =>
  Effect.fn("burst")(function* (looks: Array.NonEmptyReadonlyArray<Due>) {
    const pairs: Counts = new Map()
    const onHeld = (held: ReadonlyArray<Recipient>) => {
      for (const recipient of held.map(digits)) pairs.set(recipient, (pairs.get(recipient) ?? 0) + 1)
    }
    const recipients = looks.flatMap((one) => one.recipients)
    const [{ first }, ...others] = looks
    yield* pushTo(station, recipients, { onHeld, ...(others.length === 0 && { first }) }).pipe(
      Effect.flatMap(({ errors }) => Effect.forEach(errors, (error) => Effect.logError(error.message))),
      // What could not be pushed now is a difference that the next round finds.
      Effect.catch((error) => Effect.logError(error.message))
    )
    return looks.map((one) => take(pairs, one.recipients))
  })

const take = (counts: Counts, recipients: ReadonlyArray<number>): Counts => {
  const own = new Map(recipients.flatMap((one) => (counts.has(one) ? [[one, counts.get(one) ?? 0] as const] : [])))
  for (const one of own.keys()) counts.delete(one)
  return own
}

const sum = (counts: Counts): number => counts.values().reduce((all, count) => all + count, 0)
