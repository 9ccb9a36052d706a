/** One universe from one seed: its script played against the real engine, and the laws checked. */
import { Connection, openHalts } from "@stopline/ledger"
import {
  type AnyAccount,
  makeWorld,
  type OutgoingAnswer,
  type OutgoingRequest,
  startCourier,
  type World
} from "@stopline/sandbox"
import type { ProviderAdapter } from "@stopline/provider"
import { Clock, Effect, Exit, Scope } from "effect"
import { beCalm, type Stage } from "./calm.ts"
import { makeChance } from "./chance.ts"
import { Crew, type Employer } from "./crew.ts"
import { Deeds } from "./deeds.ts"
import { describe } from "./describe.ts"
import { Excuses } from "./excuses.ts"
import { forged } from "./forge.ts"
import { Journal } from "./journal.ts"
import { Laws } from "./laws.ts"
import { Mail } from "./mail.ts"
import { Desk } from "./desk.ts"
import { planning } from "./operator.ts"
import { Oracle } from "./oracle.ts"
import type { Processes } from "./processes.ts"
import { Penalties } from "./penalties.ts"
import { checkQuiet, openWrites, unasked } from "./quiet.ts"
import { rebuild } from "./rebuild.ts"
import { type Configuration, type Reform, reformOf } from "./reform.ts"
import { Receipts } from "./receipts.ts"
import type { Broken, RunResult } from "./result.ts"
import type { Action } from "./action.ts"
import { type Actor, Conductor } from "./time.ts"
import { Truth } from "./truth.ts"
import { mostSkew, type Universe, worldOf } from "./universe.ts"
import { Watch } from "./watch.ts"
import { webhookSecret, type Worker } from "./worker.ts"
import { Written } from "./written.ts"

/** Breaks an adapter on purpose, to see whether the laws notice. */
export type Sabotage = (adapter: ProviderAdapter) => ProviderAdapter

const startAt = Date.UTC(2026, 0, 5, 9)

/** One universe being played: opened, acted in, made quiet, and closed. */
export class Run {
  readonly universe: Universe
  readonly #processes: Processes
  readonly #sabotage: Sabotage
  readonly #conductor: Conductor
  readonly #oracle: Oracle
  readonly #truth = new Truth()
  readonly #laws: Laws
  readonly #watch: Watch
  readonly #written: Written
  readonly #penalties: Penalties
  readonly #journal = new Journal()
  readonly #scope = Scope.makeUnsafe()
  readonly #nature: Actor = { name: "world", state: "running", skew: 0 }
  readonly #crew: Crew
  readonly #desk: Desk
  readonly #mail: Mail
  readonly #deeds: Deeds
  #configuration: Configuration
  #world: World | undefined

  constructor(processes: Processes, universe: Universe, sabotage: Sabotage) {
    const breaks = (law: string, what: string) => this.breaks(law, what)
    const accounts = () => this.#accounts
    this.#processes = processes
    this.#sabotage = sabotage
    this.universe = universe
    this.#configuration = { groups: universe.groups, renamed: new Set(), policy: universe.policy }
    this.#conductor = new Conductor(makeChance(universe.seed, "order"), startAt, universe.turnMs)
    this.#oracle = new Oracle(this.#configuration, universe.skewed ? 4 * mostSkew : 0)
    const skew = universe.skewed ? 2 * mostSkew : 0
    const now = () => this.#conductor.now
    const receipts = new Receipts(now, breaks)
    this.#written = new Written(skew, breaks)
    this.#penalties = new Penalties(skew, now, breaks)
    const book = {
      oracle: this.#oracle,
      truth: this.#truth,
      excuses: new Excuses(skew),
      written: this.#written,
      receipts,
      policy: () => this.policy,
      skew,
      now,
      accounts,
      workers: () => this.#crew.workers,
      awakeSince: (worker: number) => this.#crew.awakeSince(worker),
      breaks
    }
    this.#laws = new Laws(book)
    this.#watch = new Watch(book)
    this.#crew = new Crew({
      universe,
      processes,
      conductor: this.#conductor,
      equip: (index) => this.#equip(index),
      begins: (index, approved) => this.#asked(this.#watch.begin(index, approved)),
      froze: () => this.#penalties.forget()
    })
    const known = (person: string) => this.#laws.touch(person)
    this.#desk = new Desk({ ...book, crew: this.#crew, conductor: this.#conductor, watch: this.#watch, known })
    this.#mail = new Mail(this.#crew.workers, known, receipts, now)
    this.#deeds = new Deeds({
      ...book,
      universe,
      conductor: this.#conductor,
      watch: this.#watch,
      mail: this.#mail,
      world: () => this.world,
      natural: (self) => this.#natural(self)
    })
    this.#conductor.onTurn = (actor, label) => this.note(`${actor.name} ${label}`)
  }

  get broken(): ReadonlyArray<Broken> {
    return this.#journal.broken
  }

  note(line: string): void {
    this.#journal.note(this.#conductor.now - startAt, line)
  }

  breaks(law: string, what: string): void {
    this.note(`BROKEN ${law}: ${what}`)
    this.#journal.broken.push({ law, what, round: this.#crew.rounds.begun })
  }

  /** What an opt-in is worth, as it is configured now. */
  get policy(): Configuration["policy"] {
    return this.#configuration.policy
  }

  get #accounts(): ReadonlyArray<AnyAccount> {
    return this.#world?.accounts ?? []
  }

  /** The providers as they are; throws before the run was opened. */
  get world(): World {
    if (this.#world === undefined) throw new Error("the run is not open")
    return this.#world
  }

  worker(index: number): Worker {
    return this.#crew.worker(index)
  }

  #natural<A, E>(self: Effect.Effect<A, E>): Promise<A> {
    const conductor = this.#conductor
    const timed = Effect.provideService(self, Clock.Clock, conductor.clockOf(this.#nature))
    return Effect.runPromise(timed, { scheduler: conductor.scheduler })
  }

  #asked<A, E>(self: Effect.Effect<A, E, Connection>): Promise<A> {
    return Effect.runPromise(Effect.provideService(self, Connection, this.#processes.ledger))
  }

  async open(): Promise<void> {
    this.#world = await this.#natural(makeWorld(worldOf(this.universe)))
    const { world } = this
    const courier = startCourier(world, (request) => this.#mail.bring(request))
    await this.#natural(Scope.provide(courier, this.#scope))
    for (const index of [0, 1]) {
      await this.#crew.hire(index)
      await this.#crew.looked(index)
    }
    for (const { name, vendor } of this.universe.accounts) {
      if (vendor !== "azure") continue
      const wish = { account: name, url: `http://127.0.0.1:1/${name}?code=${webhookSecret}` }
      // The handshake is nobody's turn: it is over before anything begins.
      await this.#natural(world.subscribe(wish, (request) => Effect.promise(() => this.#shake(request))))
    }
    await this.#refuse()
  }

  async #shake(request: OutgoingRequest): Promise<OutgoingAnswer> {
    const done = Effect.runPromise(this.worker(0).receive(request))
    await this.#conductor.stir(100)
    return done
  }

  /** What a worker is given when it is hired. */
  #equip(index: number): ReturnType<Employer["equip"]> {
    return {
      configuration: this.#configuration,
      accounts: this.#accounts,
      witness: this.#watch.witness(index),
      committed: (owner, operation) => {
        this.#watch.committed(operation)
        return Effect.orDie(
          Effect.provideService(this.#laws.committed(owner, operation), Connection, this.#processes.ledger)
        )
      },
      accounted: (account, before) => this.#mail.accounted(account, before),
      logged: (line) => this.#laws.logged(line),
      sabotage: this.#sabotage,
      penalties: this.#penalties
    }
  }

  /** A person whom an account never takes, whatever else is repaired. */
  async #refuse(): Promise<void> {
    const { refused } = this.universe
    if (refused === undefined) return
    const { account, person } = refused
    await this.#natural(this.world.fault({ kind: "item-refused", account, recipient: person }))
  }

  async act(action: Action): Promise<void> {
    await this.#conductor.still()
    this.note(describe(action))
    await this.#do(action)
  }

  /** Holds what the ledger says to the laws, unless somebody is in the middle of a round. */
  async look(): Promise<void> {
    if (!this.#crew.idle || this.broken.length > 0) return
    await this.#asked(this.#laws.check())
    this.#written.recover([0, 1].filter((index) => this.worker(index).ledgerFault.left === 0))
  }

  async #do(action: Action): Promise<void> {
    const { world } = this
    switch (action.do) {
      case "text":
      case "edit":
      case "send":
        return this.#deeds.do(action)
      case "attest":
        return this.#desk.attest(action)
      case "import":
        return this.#desk.import(action)
      case "approve":
        return this.#crew.idle ? this.#desk.approve() : undefined
      case "resume":
        return this.#crew.idle ? this.#desk.resume() : undefined
      case "late":
        this.#mail.late = { times: action.times, ms: action.ms }
        return this.#journal.count("late events")
      case "forge":
        return this.#forge(action.person)
      case "skew":
        this.#crew.skew(action.worker, action.ms)
        return this.#journal.count("clock skew")
      case "fault":
        this.#journal.count(action.fault.kind)
        return this.#natural(world.fault(action.fault))
      case "clear":
        await this.#natural(world.clearFaults())
        return this.#refuse()
      case "ledger":
        this.#journal.count(`ledger ${action.when}`)
        Object.assign(this.worker(action.worker).ledgerFault, { when: action.when, left: action.times })
        this.#penalties.forget()
        return this.#written.sicken(action.worker)
      case "calm":
        return this.#crew.idle ? beCalm(this.#stage(), action) : undefined
      case "stir":
        return this.#conductor.stir(action.turns, action.toWrite)
      case "pass":
        return this.#conductor.pass(action.ms)
      case "begin":
        return this.#crew.begin(action.worker, action.read)
      case "finish":
        return this.#crew.finish()
      case "round":
        await this.#crew.begin(action.worker, action.read)
        return this.#crew.finish()
      case "both":
        await this.#crew.begin(0, true)
        await this.#crew.begin(1, true)
        return this.#crew.finish()
      case "kill":
        await this.#crew.begin(action.worker, true)
        await this.#conductor.stir(action.after)
        await this.#crew.replace(action.worker)
        return this.#forgive(action.worker)
      case "freeze":
        this.#journal.count("frozen")
        await this.#crew.freeze(action.worker, action.after, action.ms)
        return this.#forgive(action.worker)
      case "look":
        return this.#crew.look(action.worker)
      case "join":
      case "move":
      case "rename":
      case "reform":
        return this.#reform(reformOf(this.#configuration, this.universe.spare, action))
    }
  }

  async #reform({ isRolling = false, ...anew }: Reform): Promise<void> {
    if (anew.groups === this.#configuration.groups) return
    this.#configuration = { ...this.#configuration, ...anew }
    this.#oracle.reform(this.#configuration, this.#conductor.now)
    for (const person of this.#oracle.people) this.#laws.touch(person)
    await this.#crew.reform(isRolling)
    this.#forgive(0)
    if (!isRolling) this.#forgive(1)
  }

  /** A worker was stopped on its way: nobody may know what it did, or was told. */
  #forgive(worker: number): void {
    this.#written.forgive(worker)
    this.#penalties.forget()
  }

  #stage(): Stage {
    return {
      universe: this.universe,
      oracle: this.#oracle,
      truth: this.#truth,
      conductor: this.#conductor,
      accounts: this.#accounts,
      repair: () => this.#repair(),
      act: (action) => this.#do(action),
      asked: (self) => this.#asked(self),
      breaks: (law, what) => this.breaks(law, what)
    }
  }

  async #forge(person: string): Promise<void> {
    const genuine = this.#mail.last
    if (genuine === undefined) return
    this.#journal.count("forged events")
    const answer = await this.#conductor.driven(this.#natural(this.worker(0).receive(forged(genuine, person))))
    if (answer._tag === "Answered" && answer.status < 300) {
      this.breaks("L1", `a forged webhook was answered ${answer.status}`)
    }
  }

  /** Whatever was to go wrong goes wrong no more, and no worker is behind. */
  async #repair(): Promise<void> {
    await this.#do({ do: "clear" })
    this.#mail.late.times = 0
    for (const one of this.#crew.workers) one.ledgerFault.left = 0
    if (await this.#crew.catchUp()) this.#forgive(1)
    // The other one may be at it, and made to wait.
    await this.#crew.looked(0)
  }

  /** The world goes quiet: no more faults, all that is on its way arrives, and rounds are given time to repair. */
  async quieten(): Promise<void> {
    this.note("the world goes quiet")
    const quietSince = this.#conductor.now + mostSkew
    await this.#crew.finish()
    this.#crew.forgetJobs()
    await this.#repair()
    await this.#conductor.pass(3_600_000)
    if (!(await this.#crew.looked(0))) this.breaks("L1", "nothing is wrong, and nobody can say what was texted")
    for (let i = 0; i < 5; i++) {
      await this.#desk.resume()
      await this.#crew.begin(0, true)
      await this.#crew.finish()
      if ((await this.#asked(openHalts())).length > 0) await this.#desk.approve()
      // Longer than an item that was refused is left alone.
      await this.#conductor.pass(25 * 3_600_000)
    }
    await this.#crew.begin(0, true)
    await this.#crew.finish()
    await this.#asked(this.#laws.check())
    await this.#checkQuiet(quietSince)
  }

  async #checkQuiet(quietSince: number): Promise<void> {
    const { people, refused } = this.universe
    const unaskedPairs = await this.#desk.askAll(this.universe.sweepBudget, () => this.#asked(unasked(quietSince)))
    if (unaskedPairs > 0) this.breaks("L10", `${unaskedPairs} pairs are never asked about`)
    const left = await this.worker(0).inspect(planning(0))
    const found = (person: string) => this.#laws.found(person)
    const quiet = { oracle: this.#oracle, truth: this.#truth, found, accounts: this.#accounts, refused }
    checkQuiet(quiet, left, (law, what) => this.breaks(law, what))
    const open = await this.#asked(openWrites())
    if (open > 0) this.breaks("L12", `${open} writes have no outcome, and nobody is at work on them`)
    for (const what of (await this.#asked(rebuild(people, this.policy))).problems) this.breaks("L13", what)
  }

  async close(): Promise<void> {
    for (const one of this.#crew.workers) await one.kill()
    this.#conductor.bury(this.#nature)
    await Effect.runPromise(Scope.close(this.#scope, Exit.void))
  }

  result(): RunResult {
    const { begun, kills, reads } = this.#crew.rounds
    const { broken, digest, faults, lines } = this.#journal
    return { seed: this.universe.seed, rounds: begun, reads, kills, faults, digest, log: lines, broken }
  }
}
