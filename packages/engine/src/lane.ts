/** Holding a lane while something is done on it, first within this process and then between processes (L12). */
import {
  claimLane,
  Connection,
  fenced,
  holdLane,
  type Lane,
  laneOwner,
  LedgerError,
  releaseLane,
  wantLane
} from "@stopline/ledger"
import { Clock, Effect, Schedule, Schema } from "effect"
import { Fleet } from "./fleet.ts"

/** Another process is at work on the lane and does not let go. */
export class LaneBusy extends Schema.TaggedError<LaneBusy>()("LaneBusy", {
  lane: Schema.String,
  owner: Schema.String
}) {
  override get message(): string {
    return `${this.lane} is held by ${this.owner}; it goes on there, or try again when that process has ended`
  }
}

type Restore = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/**
 * Claims a lane as soon as it is let go. Whoever waits is woken by that, looks
 * again after a while nevertheless, since a wake-up can be lost and the dead
 * send none, and is let go first by a process that would take it again at once.
 *
 * @param restore makes what it is given as interruptible as our caller is: who only waits has nothing to lose
 */
const claim = Effect.fnUntraced(function* (key: string, patienceMs: number, restore: Restore) {
  const { owner, settings } = yield* Fleet
  const { freed } = yield* Connection
  const wakeUp = yield* freed.hear(key)
  const since = yield* Clock.currentTimeMillis
  for (;;) {
    const now = yield* Clock.currentTimeMillis
    const lane = yield* claimLane(key, owner, now, settings.leaseMs)
    if (lane !== undefined) return lane
    const left = since + patienceMs - now
    if (left <= 0) return yield* new LaneBusy({ lane: key, owner: (yield* laneOwner(key)) ?? "nobody" })
    const pause = Math.min(settings.lookAgainMs, left)
    yield* wantLane(key, now + pause)
    yield* restore(Effect.timeoutOption(wakeUp, pause))
  }
}, Effect.scoped)

/** Prolongs the lease as long as the lane is used: waiting out a provider's penalty can take longer than a lease. Fails when the lane is lost. */
const keep = Effect.fnUntraced(function* (lane: Lane) {
  const { settings } = yield* Fleet
  for (;;) {
    yield* Effect.sleep(settings.leaseMs / 3)
    // A database that does not answer just now takes the lane from nobody.
    yield* Effect.catchIf(
      stillHeld(lane),
      (error) => error.kind !== "fenced",
      () => Effect.void
    )
  }
})

/**
 * Fails `fenced` when the lane is no longer ours, and prolongs its lease otherwise. In a transaction, nobody takes it
 * before the commit. A process that froze before it read the answer reads it too late: by then it may be another's.
 */
const stillHeld = Effect.fnUntraced(function* (lane: Lane) {
  const { settings } = yield* Fleet
  const asked = yield* Clock.currentTimeMillis
  yield* holdLane(lane, asked, settings.leaseMs)
  if ((yield* Clock.currentTimeMillis) - asked >= settings.leaseMs) return yield* fenced(lane)
})

/** Within this time a look at the lane is as good as a new one: a request is under way for longer (ms). */
const lookLasts = 250

/** `stillHeld` for many requests: those that leave at nearly one moment share a look. @param held when it was last known to be ours */
export const keepLooking = Effect.fnUntraced(function* (lane: Lane, held: number) {
  const { settings } = yield* Fleet
  let looked = held
  return Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (now - looked < Math.min(lookLasts, settings.leaseMs)) return
    yield* stillHeld(lane)
    looked = now
  })
})

/** Runs what writes to the ledger only if the lane is ours, and keeps it ours meanwhile. */
export const whileHeld = Effect.fnUntraced(function* <A, E, R>(lane: Lane, self: Effect.Effect<A, E, R>) {
  const { transaction } = yield* Connection
  return yield* transaction("while held", Effect.andThen(stillHeld(lane), self))
})

/**
 * A database that is away for a moment (a restart) must not leave the lane with a process that lives and does not use
 * it: nobody could write there until the lease ends. Where it stays away for longer, that end is what frees it.
 */
const letGo = (lane: Lane) =>
  Effect.ignore(
    Effect.retry(releaseLane(lane), {
      while: (error) => error.kind === "unreachable",
      schedule: Schedule.spaced("250 millis").pipe(Schedule.upTo({ duration: "10 seconds" }))
    })
  )

/** Claims a lane, uses it, and lets go, however the use ends; one that was got is let go as well when we are interrupted. A lane lost on the way is with somebody else, who goes on. */
const claimed = <A, E, R>(
  key: string,
  use: (lane: Lane) => Effect.Effect<A, E, R>,
  patienceMs: number
): Effect.Effect<A, E | LedgerError | LaneBusy, R | Connection | Fleet> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.acquireUseRelease(
      claim(key, patienceMs, restore),
      (lane) => restore(Effect.raceFirst(use(lane), keep(lane))),
      letGo
    )
  ).pipe(
    Effect.catchIf(
      (error) => error instanceof LedgerError && error.kind === "fenced",
      () => Effect.flatMap(laneOwner(key), (owner) => new LaneBusy({ lane: key, owner: owner ?? "nobody" }))
    )
  )

/** Uses a lane when it is its turn in this process, and as soon as no other has it, within the patience of the settings. */
export const withLane = <A, E, R>(
  key: string,
  use: (lane: Lane) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | LedgerError | LaneBusy, R | Connection | Fleet> =>
  Effect.flatMap(Fleet, (fleet) => fleet.gate(key).withPermits(1)(claimed(key, use, fleet.settings.patienceMs)))

/** Uses a lane if nobody has it, here or in another process. Waits for nobody: a burst waits out a penalty with its lane in hand. */
export const withFreeLane = <A, E, R>(
  key: string,
  use: (lane: Lane) => Effect.Effect<A, E, R>
): Effect.Effect<void, E | LedgerError, R | Connection | Fleet> =>
  Effect.flatMap(Fleet, (fleet) => fleet.gate(key).withPermitsIfAvailable(1)(claimed(key, use, 0))).pipe(
    Effect.catchIf(
      (error) => error instanceof LaneBusy,
      () => Effect.void
    ),
    Effect.asVoid
  )
