/**
 * Storing what is heard of one account. What arrives while something is being
 * stored is stored together in one transaction: they would wait for each other
 * anyway, and each with a connection of its own.
 */
import { type Observation, toldOf } from "@stopline/consent"
import { type Connection, digits, ingest, type LedgerError, type RegisteredAccount } from "@stopline/ledger"
import { Effect, Exit, Result, type Scope } from "effect"
import { makeCrowd } from "./crowd.ts"
import { Fleet } from "./fleet.ts"
import type { Keep, Kept } from "./hear.ts"

interface Told {
  readonly observations: ReadonlyArray<Observation>
  readonly receivedAt: number
}

/** Stores each with what else came while the one before was being stored. */
export const keeping = Effect.fnUntraced(function* (
  account: RegisteredAccount
): Effect.fn.Return<Keep, never, Connection | Fleet | Scope.Scope> {
  const { settings } = yield* Fleet
  const store = ({ observations, receivedAt }: Told) => ingest(account, observations, receivedAt, settings.echoMs)
  const crowd = yield* makeCrowd(
    Effect.fnUntraced(function* (
      told: ReadonlyArray<Told>
    ): Effect.fn.Return<ReadonlyArray<Exit.Exit<Kept, LedgerError>>, LedgerError, Connection> {
      const [alone, ...others] = told
      if (alone !== undefined && others.length === 0) return [yield* Effect.exit(store(alone))]
      const receivedAt = Math.max(...told.map((one) => one.receivedAt))
      const all = yield* Effect.result(store({ observations: told.flatMap(asHeard), receivedAt }))
      if (Result.isSuccess(all)) return shared(all.success, told).map((own) => Exit.succeed(own))
      if (all.failure.kind !== "broken") return yield* all.failure
      // What one of them cannot be stored for is no fault of the others.
      return yield* Effect.forEach(told, (one) => Effect.exit(store(one)))
    })
  )
  return (observations, receivedAt) => Effect.flatten(crowd.join({ observations, receivedAt }))
})

/** Nothing happened after it was heard of, and each was heard of when it came, not when the last one did. */
const asHeard = ({ observations, receivedAt }: Told): ReadonlyArray<Observation> =>
  observations.map((one) => ({ ...one, time: toldOf(one.state, one.time, receivedAt) }))

/** What of it was whose news. A person whom two spoke of is the first one's. */
const shared = ({ recorded }: Kept, told: ReadonlyArray<Told>): ReadonlyArray<Kept> => {
  const left = Map.groupBy(recorded, (row) => row.recipient)
  return told.map(({ observations }) => {
    const people = new Set(observations.map((observation) => digits(observation.recipient)))
    const own = [...people].flatMap((person) => left.get(person) ?? [])
    for (const person of people) left.delete(person)
    return { recorded: own }
  })
}
