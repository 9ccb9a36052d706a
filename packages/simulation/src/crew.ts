/** The two workers of a run: hired, killed and hired again, and the rounds that they are at. */
import { makeChance } from "./chance.ts"
import type { Processes } from "./processes.ts"
import type { Conductor } from "./time.ts"
import { Orders, toil } from "./toil.ts"
import type { Universe } from "./universe.ts"
import { startWorker, type Worker, type WorkerSetup } from "./worker.ts"

type Given = "configuration" | "accounts" | "witness" | "committed" | "accounted" | "logged" | "sabotage" | "penalties"

export interface Employer {
  readonly universe: Universe
  readonly conductor: Conductor
  readonly processes: Processes
  /** What a worker is given when it is hired. */
  readonly equip: (index: number) => Pick<WorkerSetup, Given>
  /** Told before a worker begins a round. */
  readonly begins: (index: number, approved: boolean) => Promise<void>
  /** Told when a worker has been frozen: what it was just told it cannot pass on. */
  readonly froze: () => void
}

export class Crew {
  readonly workers: Array<Worker> = []
  readonly rounds = { begun: 0, reads: 0, kills: 0 }
  readonly #employer: Employer
  readonly #skews = [0, 0]
  readonly #awakeSince = new Map<number, number>()
  /** Rounds that were begun and have not ended, by worker. */
  readonly #under = new Map<number, { over: boolean }>()
  readonly #orders = new Orders()
  #byJobs: boolean
  #born = 0
  /** How many accounts have been read by themselves. */
  #read = 0
  /** The second worker still runs by the configuration of before. */
  #isBehind = false

  constructor(employer: Employer) {
    this.#employer = employer
    this.#byJobs = employer.universe.byJobs
  }

  worker(index: number): Worker {
    const worker = this.workers[index]
    if (worker === undefined) throw new Error(`there is no worker ${index}`)
    return worker
  }

  /** Since when a worker has not stood still. */
  awakeSince(index: number): number {
    return this.#awakeSince.get(index) ?? Number.NEGATIVE_INFINITY
  }

  /** Nobody is at a round. */
  get idle(): boolean {
    return this.#under.size === 0
  }

  async hire(index: number): Promise<void> {
    const { conductor, equip, processes, universe } = this.#employer
    this.#born += 1
    this.workers[index] = await startWorker({
      ...equip(index),
      name: `worker-${index}.${this.#born}`,
      universe,
      conductor,
      processes,
      chance: makeChance(universe.seed, `worker ${this.#born}`),
      skew: this.#skews[index] ?? 0
    })
    await this.look(index)
  }

  /** A worker begins to look whether all was heard. */
  async look(index: number): Promise<void> {
    void this.worker(index).look()
    await this.#employer.conductor.still()
  }

  /** A worker looks whether all was heard, to the end. Returns whether it could. */
  looked(index: number): Promise<boolean> {
    return this.#employer.conductor.driven(this.worker(index).look())
  }

  skew(index: number, ms: number): void {
    this.#skews[index] = ms
    this.worker(index).actor.skew = ms
  }

  async begin(index: number, read: boolean, approve?: string): Promise<void> {
    if (this.#under.has(index)) return
    const state = { over: false }
    this.#under.set(index, state)
    this.rounds.begun += 1
    if (read) this.rounds.reads += 1
    await this.#employer.begins(index, approve !== undefined)
    const work =
      this.#byJobs && approve === undefined ? this.#toil(index, read) : this.worker(index).round(read, approve)
    void work.finally(() => {
      state.over = true
    })
    await this.#employer.conductor.still()
  }

  #toil(index: number, read: boolean): Promise<unknown> {
    const { accounts, sweepBudget } = this.#employer.universe
    const account = read ? accounts[this.#read++ % accounts.length]?.name : undefined
    return this.worker(index).command(toil(this.#orders, { worker: index, read: account, sweepBudget }))
  }

  /** From now on whole rounds are worked, and nothing waits for anybody. */
  forgetJobs(): void {
    this.#byJobs = false
  }

  /** Lets these workers' rounds come to their end: all of them, if none is named. */
  async finish(indexes: ReadonlyArray<number> = [...this.#under.keys()]): Promise<void> {
    await this.#employer.conductor.drive(() => indexes.every((index) => this.#under.get(index)?.over ?? true))
    for (const index of indexes) this.#under.delete(index)
  }

  /** A worker stands still in the middle of a round, and the other goes on. */
  async freeze(index: number, after: number, ms: number): Promise<void> {
    const { conductor } = this.#employer
    const { actor } = this.worker(index)
    await this.begin(index, true)
    await conductor.stir(after)
    actor.state = "frozen"
    this.#employer.froze()
    await conductor.pass(ms)
    this.#orders.lose(index)
    await this.begin(1 - index, true)
    await this.finish([1 - index])
    actor.state = "running"
    this.#awakeSince.set(index, conductor.now)
    await this.finish()
    // What an event had begun is no part of its round, and goes on where it stood.
    await conductor.pass(0)
  }

  /** A worker is killed, and started again. */
  async replace(index: number): Promise<void> {
    this.rounds.kills += 1
    await this.worker(index).kill()
    this.#orders.lose(index)
    await this.#employer.conductor.still()
    this.#under.delete(index)
    if (index === 1) this.#isBehind = false
    await this.hire(index)
  }

  /** A new configuration is a new start. Where it is rolled out the second worker goes on by the old one for a while. */
  async reform(isRolling: boolean): Promise<void> {
    await this.replace(0)
    this.#isBehind = true
    if (!isRolling) await this.catchUp()
  }

  /** Whoever runs by the configuration of before is started again. Returns whether anybody was. */
  async catchUp(): Promise<boolean> {
    const isBehind = this.#isBehind
    if (isBehind) await this.replace(1)
    return isBehind
  }
}
