/** What came of all seeds together, and how far they are. */
import { Clock, Console, Effect } from "effect"
import type { Broken, RunResult } from "./result.ts"

/** What came of one seed, without its event log. */
export type Played = Omit<RunResult, "log">

export class Tally {
  readonly #rounds: number
  readonly #startedAt: number
  readonly #quiet: boolean
  readonly #faults: Record<string, number> = {}
  readonly #sums = { seeds: 0, rounds: 0, engineRounds: 0, reads: 0, kills: 0, broken: 0 }
  #first: (Broken & { readonly seed: number }) | undefined
  #toldAt: number

  /**
   * @param rounds of the world, in each seed
   * @param quiet no line of progress
   */
  constructor(rounds: number, quiet: boolean, startedAt: number) {
    this.#rounds = rounds
    this.#quiet = quiet
    this.#startedAt = startedAt
    this.#toldAt = startedAt
  }

  get broken(): number {
    return this.#sums.broken
  }

  /** Counts a seed, and says now and then how far it all is. */
  readonly add = Effect.fnUntraced(
    function* (this: Tally, { broken, faults, kills, reads, rounds, seed }: Played) {
      const sums = this.#sums
      sums.seeds += 1
      sums.rounds += this.#rounds
      sums.engineRounds += rounds
      sums.reads += reads
      sums.kills += kills
      for (const [kind, count] of Object.entries(faults)) this.#faults[kind] = (this.#faults[kind] ?? 0) + count
      const [first] = broken
      if (first !== undefined) {
        sums.broken += 1
        if (this.#first === undefined || seed < this.#first.seed) this.#first = { seed, ...first }
      }
      const now = yield* Clock.currentTimeMillis
      if (this.#quiet || now - this.#toldAt < (process.stderr.isTTY ? 500 : 10_000)) return
      this.#toldAt = now
      yield* this.#progress(now)
    }.bind(this)
  )

  #progress(now: number): Effect.Effect<void> {
    const { broken, kills, rounds, seeds } = this.#sums
    const seconds = (now - this.#startedAt) / 1000
    const speed = seconds > 0 ? Math.round(rounds / seconds) : 0
    const line = `${seeds} seeds, ${rounds} rounds, ${kills} kills, ${broken} broken, ${speed} rounds/s`
    return Effect.sync(() => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`))
  }

  /** All of it, as JSON. */
  readonly print = Effect.fnUntraced(
    function* (this: Tally) {
      const ms = (yield* Clock.currentTimeMillis) - this.#startedAt
      const speed = { seconds: ms / 1000, roundsPerSecond: Math.round((this.#sums.rounds / ms) * 1000) }
      const first = this.#first === undefined ? {} : { firstBroken: this.#first }
      yield* Console.log(JSON.stringify({ ...this.#sums, faults: this.#faults, ...speed, ...first }))
    }.bind(this)
  )
}
