/** What is done to the world, one thing in each trial. Every fault has an end; what comes after it is measured. */
import { Effect } from "effect"
import { azure, ringcentral } from "./accounts.ts"
import type { Dice } from "./dice.ts"
import type { Owned } from "./database.ts"
import { ready, type Worker, type World } from "./world.ts"

export interface Kind {
  readonly name: string
  /** Does it, waits, and undoes it. */
  readonly strike: (world: World, dice: Dice) => Effect.Effect<void>
  /** Why it cannot be tried in this world. */
  readonly impossible: (world: World) => string | undefined
  /** It takes longer than a minute. */
  readonly long?: boolean
}

const possible = () => undefined

const seconds = (least: number, most: number, dice: Dice) => Effect.sleep(dice.between(least * 1000, most * 1000))

const restart = Effect.fnUntraced(function* (worker: Worker) {
  yield* worker.process.start
  yield* ready(worker)
})

const doors = ({ workers }: World) => workers.flatMap(({ toDatabase, toProviders }) => [toDatabase, ...toProviders])

/** What a whole request can meet, at either provider. */
const both = (world: World, fault: { readonly kind: string; readonly [field: string]: unknown }) =>
  Effect.forEach([azure, ringcentral], (account) => world.control.fault({ ...fault, account }), { discard: true })

const ownedBy = (world: World, strike: (owned: Owned) => Effect.Effect<void>) =>
  world.database.owned === undefined ? Effect.void : strike(world.database.owned)

const notOurs = ({ database }: World) =>
  database.owned === undefined ? "the server of DATABASE_URL is not ours to break" : undefined

/** Longer than the lease of a lane, a minute: the other worker takes over, and then this one wakes. */
const leaseMs = 60_000

const provider = (
  name: string,
  fault: (dice: Dice) => { readonly kind: string; readonly [field: string]: unknown }
): Kind => ({
  name,
  impossible: possible,
  strike: (world, dice) =>
    both(world, fault(dice)).pipe(Effect.andThen(seconds(2, 5, dice)), Effect.andThen(world.control.clearFaults))
})

export const kinds: ReadonlyArray<Kind> = [
  {
    name: "one worker killed",
    impossible: possible,
    strike: Effect.fnUntraced(function* (world, dice) {
      const worker = dice.pick(world.workers)
      yield* worker.process.kill
      yield* seconds(0.5, 4, dice)
      yield* restart(worker)
    })
  },
  {
    name: "both workers killed",
    impossible: possible,
    strike: Effect.fnUntraced(function* (world, dice) {
      yield* Effect.forEach(world.workers, (worker) => worker.process.kill, { concurrency: "unbounded", discard: true })
      yield* seconds(0.5, 4, dice)
      yield* Effect.forEach(world.workers, restart, { concurrency: "unbounded", discard: true })
    })
  },
  {
    name: "one worker frozen, longer than its lease",
    long: true,
    impossible: possible,
    strike: Effect.fnUntraced(function* (world, dice) {
      const worker = dice.pick(world.workers)
      yield* worker.process.signal("SIGSTOP")
      yield* Effect.sleep(leaseMs + dice.between(2_000, 8_000))
      yield* worker.process.signal("SIGCONT")
    })
  },
  {
    name: "one worker frozen for a moment",
    impossible: possible,
    strike: Effect.fnUntraced(function* (world, dice) {
      const worker = dice.pick(world.workers)
      yield* worker.process.signal("SIGSTOP")
      yield* seconds(2, 6, dice)
      yield* worker.process.signal("SIGCONT")
    })
  },
  {
    name: "Postgres restarted",
    impossible: notOurs,
    strike: (world, dice) =>
      ownedBy(world, (owned) => owned.stop.pipe(Effect.andThen(seconds(0, 2, dice)), Effect.andThen(owned.start)))
  },
  {
    name: "Postgres killed",
    impossible: notOurs,
    strike: (world, dice) =>
      ownedBy(world, (owned) => owned.crash.pipe(Effect.andThen(seconds(0, 2, dice)), Effect.andThen(owned.start)))
  },
  {
    name: "way to Postgres swallows",
    impossible: possible,
    strike: Effect.fnUntraced(function* (world, dice) {
      const struck = dice.chance(0.5) ? world.workers : [dice.pick(world.workers)]
      yield* Effect.forEach(struck, ({ toDatabase }) => toDatabase.swallow, { discard: true })
      yield* seconds(2, 6, dice)
      yield* Effect.forEach(struck, ({ toDatabase }) => toDatabase.open, { discard: true })
    })
  },
  {
    name: "way to the providers swallows",
    impossible: possible,
    strike: Effect.fnUntraced(function* (world, dice) {
      const struck = dice.chance(0.5) ? world.workers : [dice.pick(world.workers)]
      const ways = struck.flatMap(({ toProviders }) => toProviders)
      yield* Effect.forEach(ways, (way) => way.swallow, { discard: true })
      yield* seconds(2, 6, dice)
      yield* Effect.forEach(ways, (way) => way.open, { discard: true })
    })
  },
  {
    name: "every connection broken",
    impossible: possible,
    strike: Effect.fnUntraced(function* (world, dice) {
      yield* Effect.forEach(doors(world), (door) => door.shut, { concurrency: "unbounded", discard: true })
      yield* seconds(0.2, 3, dice)
      yield* Effect.forEach(doors(world), (door) => door.open, { discard: true })
    })
  },
  {
    name: "providers gone",
    impossible: possible,
    strike: Effect.fnUntraced(function* (world, dice) {
      const ways = world.workers.flatMap(({ toProviders }) => toProviders)
      yield* Effect.forEach(ways, (way) => way.shut, { concurrency: "unbounded", discard: true })
      yield* seconds(2, 5, dice)
      yield* Effect.forEach(ways, (way) => way.open, { discard: true })
    })
  },
  {
    name: "providers frozen",
    impossible: possible,
    strike: Effect.fnUntraced(function* (world, dice) {
      yield* world.providers.signal("SIGSTOP")
      yield* seconds(2, 8, dice)
      yield* world.providers.signal("SIGCONT")
    })
  },
  provider("providers slow", (dice) => ({ kind: "slow", ms: dice.between(1_000, 4_000) })),
  provider("providers answer 5xx", (dice) => ({
    kind: "unavailable",
    status: dice.pick([500, 502, 503, 504]),
    applied: dice.chance(0.5)
  })),
  provider("providers answer 429", () => ({ kind: "throttle", retryAfter: 1 })),
  provider("answers lost on the way", () => ({ kind: "drop-after-apply" })),
  {
    name: "disk of Postgres full",
    impossible: ({ database: { owned } }) =>
      owned === undefined
        ? "the server of DATABASE_URL is not ours to break"
        : typeof owned.disk === "string"
          ? owned.disk
          : undefined,
    strike: (world, dice) =>
      ownedBy(world, ({ disk }) =>
        typeof disk === "string"
          ? Effect.void
          : disk.fill.pipe(Effect.andThen(seconds(2, 5, dice)), Effect.andThen(disk.free))
      )
  }
]

/** Ends every fault that may still be on. */
export const heal = Effect.fn("heal")(function* (world: World) {
  for (const child of [world.providers, ...world.workers.map(({ process }) => process)]) yield* child.signal("SIGCONT")
  yield* Effect.forEach(doors(world), (door) => door.open, { discard: true })
  yield* world.control.clearFaults
})
