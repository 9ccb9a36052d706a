/**
 * Virtual time and one thing at a time.
 *
 * All that reaches outside (a statement to Postgres, a request to a provider, a
 * webhook) asks for a turn, and all that waits sleeps on this clock. Nothing else
 * is asynchronous. So the conductor can let one thing happen, wait until
 * everybody stands still again, and draw by chance what happens next; when all
 * sleep, time jumps. The same seed is the same course of events.
 */
import { setImmediate as tick } from "node:timers/promises"
import { type Clock, Duration, Effect, Scheduler } from "effect"
import type { Chance } from "./chance.ts"

/** Whoever can be stopped as a whole: a worker process, or the world itself. */
export interface Actor {
  readonly name: string
  state: "running" | "frozen" | "dead"
  /** By how much its clock is off (ms). */
  skew: number
}

interface Turn {
  readonly actor: Actor
  readonly label: string
  /** Lets it happen; resolves when it has happened. */
  readonly grant: () => Promise<void>
}

interface Sleeper {
  readonly actor: Actor
  readonly until: number
  readonly order: number
  readonly wake: () => void
}

const quietTicks = 3

/** The turn with which a write begins. */
const writeBegun = "ledger: begin writes"

/** Nobody can ever move again: what should have woken somebody is lost. */
export class Stuck extends Error {}

export class Conductor {
  now: number
  readonly #chance: Chance
  readonly #pause: number
  #turns: Array<Turn> = []
  #sleepers: Array<Sleeper> = []
  #changes = 0
  /** Steps of fibers that are due and have not been taken. */
  #due = 0
  #order = 0
  #last = ""
  /** Told of each turn as it is granted. */
  onTurn: (actor: Actor, label: string) => void = () => undefined

  /** @param pause each turn takes less than so long (ms); 0: no time at all */
  constructor(chance: Chance, startAt: number, pause: number) {
    this.#chance = chance
    this.#pause = pause
    this.now = startAt
  }

  /** Waits for a turn, then runs; nobody else runs meanwhile. */
  turn<A, E, R>(actor: Actor, label: string, self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    return this.turns(actor, label, () => self)
  }

  /** The same for what takes more than one turn: it gives its turn up for `between`, and waits for another one after it. */
  turns<A, E, R>(
    actor: Actor,
    label: string,
    self: (pause: (between: Effect.Effect<void>) => Effect.Effect<void>) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> {
    return Effect.suspend(() => {
      let happened: () => void = () => undefined
      const granted = Effect.callback<void>((resume) => {
        const turn: Turn = {
          actor,
          label,
          grant: () =>
            new Promise<void>((resolve) => {
              happened = resolve
              resume(Effect.void)
            })
        }
        this.#turns.push(turn)
        this.#changes += 1
        return Effect.sync(() => {
          this.#turns = this.#turns.filter((one) => one !== turn)
          this.#changes += 1
        })
      })
      const over = Effect.sync(() => happened())
      const pause = (between: Effect.Effect<void>) => Effect.andThen(over, Effect.andThen(between, granted))
      return Effect.andThen(granted, Effect.ensuring(self(pause), over))
    })
  }

  /** What every actor's fibers run on: while one of them has a step to take, not all stand still. */
  readonly scheduler = new Scheduler.MixedScheduler("async", (step) => {
    this.#due += 1
    const taken = setImmediate(() => {
      this.#due -= 1
      step()
    })
    return () => {
      this.#due -= 1
      clearImmediate(taken)
    }
  })

  /** The clock as an actor sees it. */
  clockOf(actor: Actor): Clock.Clock {
    const millis = () => this.now + actor.skew
    const nanos = () => BigInt(millis()) * 1_000_000n
    const monotonic = () => BigInt(this.now) * 1_000_000n
    return {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos),
      monotonicTimeNanosUnsafe: monotonic,
      monotonicTimeNanos: Effect.sync(monotonic),
      sleep: (duration) =>
        Effect.callback<void>((resume) => {
          const ms = Math.ceil(Duration.toMillis(duration))
          // No time passes, so nobody's turn comes in between: a conflict is tried again within its own turn.
          if (ms <= 0) return resume(Effect.void)
          const sleeper: Sleeper = {
            actor,
            until: this.now + ms,
            order: this.#order++,
            wake: () => resume(Effect.void)
          }
          this.#sleepers.push(sleeper)
          this.#changes += 1
          return Effect.sync(() => {
            this.#sleepers = this.#sleepers.filter((one) => one !== sleeper)
            this.#changes += 1
          })
        })
    }
  }

  /** Lets things happen until `done` says so. */
  async drive(done: () => boolean): Promise<void> {
    for (;;) {
      await this.still()
      if (done()) return
      if (!(await this.#step())) throw new Stuck(`nobody can move at ${this.now}`)
    }
  }

  /** Lets things happen until a promise is kept. */
  async driven<A>(promise: Promise<A>): Promise<A> {
    let kept = false
    const settled = () => {
      kept = true
    }
    void promise.then(settled, settled)
    await this.drive(() => kept)
    return promise
  }

  /** Lets at most so many things happen that are ready now, or no more than until a write has begun; time stands still. */
  async stir(turns: number, toWrite = false): Promise<void> {
    await this.still()
    for (let i = 0; i < turns && (await this.#grant()); i++) {
      await this.still()
      if (toWrite && this.#last === writeBegun) return
    }
  }

  /** Time passes, and what is due happens on the way. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms
    for (;;) {
      await this.still()
      if (await this.#grant()) continue
      if (!this.#wake(until)) break
    }
    this.now = Math.max(this.now, until)
  }

  /** A dead actor's turns and sleeps never end. */
  bury(actor: Actor): void {
    actor.state = "dead"
    this.#turns = this.#turns.filter((turn) => turn.actor !== actor)
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.actor !== actor)
  }

  /**
   * Waits until everybody waits for a turn or sleeps. Whoever does anything outside
   * of all turns does it then: an answer of Postgres would otherwise race with
   * those who are still on their way to their next turn.
   *
   * Vendors' clients take steps of their own, which nobody counts.
   */
  async still(): Promise<void> {
    for (let quiet = 0; quiet < quietTicks; quiet++) {
      const before = this.#changes
      await tick()
      if (this.#changes !== before || this.#due > 0) quiet = -1
    }
  }

  async #step(): Promise<boolean> {
    return (await this.#grant()) || this.#wake(Number.POSITIVE_INFINITY)
  }

  async #grant(): Promise<boolean> {
    const ready = this.#turns.filter((turn) => turn.actor.state === "running")
    if (ready.length === 0) return false
    const turn = this.#chance.pick(ready)
    this.#turns = this.#turns.filter((one) => one !== turn)
    this.#changes += 1
    if (this.#pause > 0) this.now += this.#chance.below(this.#pause)
    this.#last = turn.label
    this.onTurn(turn.actor, turn.label)
    await turn.grant()
    return true
  }

  #wake(until: number): boolean {
    const awake = this.#sleepers.filter((sleeper) => sleeper.actor.state === "running" && sleeper.until <= until)
    const [first] = awake.toSorted((a, b) => a.until - b.until || a.order - b.order)
    if (first === undefined) return false
    this.#sleepers = this.#sleepers.filter((one) => one !== first)
    this.#changes += 1
    this.now = Math.max(this.now, first.until)
    first.wake()
    return true
  }
}
