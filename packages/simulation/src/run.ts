/** One universe from one seed: its script played against the real engine, and the laws checked. */
import { createHash } from "node:crypto"
import type { Group } from "@stopline/consent"
import type { Fleet } from "@stopline/engine"
import { clearHalts, Connection, openHalts } from "@stopline/ledger"
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
import { makeChance } from "./chance.ts"
import { Crew, type Employer } from "./crew.ts"
import { describe } from "./describe.ts"
import { Excuses } from "./excuses.ts"
import { forged } from "./forge.ts"
import { Laws } from "./laws.ts"
import { Mail } from "./mail.ts"
import { attesting, importing, planning } from "./operator.ts"
import { Oracle, type Said } from "./oracle.ts"
import { emptyLedger, type Processes } from "./processes.ts"
import { checkQuiet } from "./quiet.ts"
import { rebuild } from "./rebuild.ts"
import type { Broken, RunResult } from "./result.ts"
import type { Action } from "./script.ts"
import { type Actor, Conductor } from "./time.ts"
import { Truth } from "./truth.ts"
import { mostSkew, type SimAccount, type Universe, worldOf } from "./universe.ts"
import { Watch } from "./watch.ts"
import { settings, webhookSecret, type Worker } from "./worker.ts"

/** Breaks an adapter on purpose, to see whether the laws notice. */
export type Sabotage = (adapter: ProviderAdapter) => ProviderAdapter

const startAt = Date.UTC(2026, 0, 5, 9)

/** One universe being played: opened, acted in, made quiet, and closed. */
export class Run {
  readonly universe: Universe
  readonly broken: Array<Broken> = []
  readonly #processes: Processes
  readonly #sabotage: Sabotage
  readonly #conductor: Conductor
  readonly #oracle: Oracle
  readonly #truth = new Truth()
  readonly #laws: Laws
  readonly #watch: Watch
  readonly #log: Array<string> = []
  readonly #hash = createHash("sha256")
  readonly #faults: Record<string, number> = {}
  readonly #scope = Scope.makeUnsafe()
  readonly #nature: Actor = { name: "world", state: "running", skew: 0 }
  readonly #crew: Crew
  readonly #mail: Mail
  #groups: ReadonlyArray<Group>
  #world: World | undefined

  constructor(processes: Processes, universe: Universe, sabotage: Sabotage) {
    const breaks = (law: string, what: string) => this.breaks(law, what)
    const accounts = () => this.#accounts
    this.#processes = processes
    this.#sabotage = sabotage
    this.universe = universe
    this.#groups = universe.groups
    this.#conductor = new Conductor(makeChance(universe.seed, "order"), startAt)
    this.#oracle = new Oracle(universe.groups, universe.skewed ? 4 * mostSkew : 0)
    const excuses = new Excuses(universe.skewed ? 2 * mostSkew : 0)
    const book = { oracle: this.#oracle, truth: this.#truth, excuses, now: () => this.#conductor.now, accounts, breaks }
    this.#laws = new Laws(book)
    this.#watch = new Watch(book)
    this.#crew = new Crew({
      universe,
      processes,
      conductor: this.#conductor,
      equip: (index) => this.#equip(index),
      begins: (index, approved) => this.#asked(this.#watch.begin(index, approved))
    })
    this.#mail = new Mail(this.#crew.workers, (person) => this.#laws.touch(person))
    this.#conductor.onTurn = (actor, label) => this.note(`${actor.name} ${label}`)
  }

  note(line: string): void {
    const text = `${this.#conductor.now - startAt} ${line}`
    this.#log.push(text)
    this.#hash.update(`${text}\n`)
  }

  breaks(law: string, what: string): void {
    this.note(`BROKEN ${law}: ${what}`)
    this.broken.push({ law, what, round: this.#crew.rounds.begun })
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
    return Effect.runPromise(Effect.provideService(self, Clock.Clock, this.#conductor.clockOf(this.#nature)))
  }

  #asked<A, E>(self: Effect.Effect<A, E, Connection>): Promise<A> {
    return Effect.runPromise(Effect.provideService(self, Connection, this.#processes.ledger))
  }

  async open(): Promise<void> {
    const { accounts } = this.universe
    this.#world = await this.#natural(makeWorld(worldOf(this.universe)))
    const { world } = this
    const courier = startCourier(world, (request) => this.#mail.bring(request))
    await this.#natural(Scope.provide(courier, this.#scope))
    await this.#crew.hire(0)
    await this.#crew.hire(1)
    for (const { name, vendor } of accounts) {
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
      groups: this.#groups,
      accounts: this.#accounts,
      witness: this.#watch.witness(index),
      committed: (owner, operation) => {
        this.#watch.committed(operation)
        return Effect.orDie(
          Effect.provideService(this.#laws.committed(owner, operation), Connection, this.#processes.ledger)
        )
      },
      logged: (line) => this.#laws.logged(line),
      sabotage: this.#sabotage
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
    this.note(describe(action))
    await this.#do(action)
  }

  /** Holds what the ledger says to the laws, unless somebody is in the middle of a round. */
  async look(): Promise<void> {
    if (this.#crew.idle && this.broken.length === 0) await this.#asked(this.#laws.check())
  }

  async #do(action: Action): Promise<void> {
    const { world } = this
    switch (action.do) {
      case "text": {
        const { account, person, sender, words } = action
        const said = this.#oracle.texts(person, `${account}/${sender}`, words, this.#conductor.now)
        if (said !== undefined) this.#mail.expect(said)
        await this.#natural(world.text({ from: person, to: sender, text: words }))
        return this.#watch.look(account, [sender], [person], true)
      }
      case "edit": {
        const { account, person, sender, to } = action
        const senders = sender === "*" ? this.#sendersOf(account) : [sender]
        if (sender === "*") for (const one of senders) this.#truth.blur(`${account}/${one} ${person}`)
        if (to === "opt-out") for (const one of senders) this.#oracle.edits(person, `${account}/${one}`)
        await this.#natural(world.edit({ account, sender, action: to, recipients: [person] }))
        return this.#watch.look(account, senders, [person])
      }
      case "attest": {
        const { account, person, sender, to } = action
        const means = to === "opted-out" ? "out" : "in"
        return this.#told(attesting(account, sender, person, to), [person], account, sender, means, "attested")
      }
      case "import": {
        const { account, people, sender } = action
        const file = importing(account, sender, people, this.#conductor.now)
        return this.#told(file, people, account, sender, "out", "imported")
      }
      case "approve":
        return this.#crew.idle ? this.#approve() : undefined
      case "resume":
        return this.#crew.idle ? this.#resume() : undefined
      case "late":
        this.#mail.late = { times: action.times, ms: action.ms }
        return this.#count("late events")
      case "forge":
        return this.#forge(action.person)
      case "skew":
        this.#crew.skew(action.worker, action.ms)
        return this.#count("clock skew")
      case "fault":
        this.#count(action.fault.kind)
        return this.#natural(world.fault(action.fault))
      case "clear":
        await this.#natural(world.clearFaults())
        return this.#refuse()
      case "ledger":
        this.#count(`ledger ${action.when}`)
        Object.assign(this.worker(action.worker).ledgerFault, { when: action.when, left: action.times })
        return
      case "stir":
        return this.#conductor.stir(action.turns)
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
        return this.#crew.replace(action.worker)
      case "freeze":
        this.#count("frozen")
        return this.#crew.freeze(action.worker, action.after, action.ms)
      case "join": {
        const { spare } = this.universe
        if (this.#groups.some(({ members }) => members.some((one) => one.sender === spare.sender))) return
        this.#groups = this.#groups.map((group, i) =>
          i === 0 ? { ...group, members: [...group.members, spare] } : group
        )
        this.#oracle.regroup(this.#groups)
        for (const person of this.#oracle.people) this.#laws.touch(person)
        // A new configuration is a new start.
        await this.#crew.replace(0)
        await this.#crew.replace(1)
      }
    }
  }

  #count(kind: string): void {
    this.#faults[kind] = (this.#faults[kind] ?? 0) + 1
  }

  #sendersOf(account: SimAccount["name"]): SimAccount["senders"] {
    return this.universe.accounts.find(({ name }) => name === account)?.senders ?? []
  }

  /** A command of an operator, of which the people in it are known when it ended well. */
  async #told<A, E>(
    command: Effect.Effect<A, E, Fleet | Connection>,
    people: ReadonlyArray<string>,
    account: string,
    sender: string,
    means: Said["means"],
    words: string
  ): Promise<void> {
    const at = this.#conductor.now
    const said = people.map((person) => this.#oracle.says(person, `${account}/${sender}`, words, means, at))
    const state: { exit?: Exit.Exit<A, E> } = {}
    void this.worker(0)
      .command(command)
      .then((exit) => Object.assign(state, { exit }))
    await this.#conductor.drive(() => state.exit !== undefined)
    if (state.exit?._tag !== "Success") return
    for (const one of said) {
      one.known = true
      this.#laws.touch(one.person)
    }
  }

  async #forge(person: string): Promise<void> {
    const genuine = this.#mail.last
    if (genuine === undefined) return
    this.#count("forged events")
    const request = forged(genuine, person)
    const state: { answer?: OutgoingAnswer } = {}
    void this.#natural(this.worker(0).receive(request)).then((answer) => Object.assign(state, { answer }))
    await this.#conductor.drive(() => state.answer !== undefined)
    if (state.answer?._tag === "Answered" && state.answer.status < 300) {
      this.breaks("L1", `a forged webhook was answered ${state.answer.status}`)
    }
  }

  /** An operator looks at the plan and approves it. */
  async #approve(): Promise<void> {
    const digest = (await this.worker(0).inspect(planning(settings.confirmMs))).digest
    await this.#crew.begin(0, false, digest)
    await this.#crew.finish()
  }

  async #resume(): Promise<void> {
    await this.worker(0).inspect(clearHalts({}, "operator", this.#conductor.now))
    this.#watch.committed("clear halts")
  }

  /** The world goes quiet: no more faults, all that is on its way arrives, and rounds are given time to repair. */
  async quieten(): Promise<void> {
    this.note("the world goes quiet")
    await this.#crew.finish()
    await this.#do({ do: "clear" })
    this.#mail.late.times = 0
    for (const one of this.#crew.workers) one.ledgerFault.left = 0
    await this.#conductor.pass(3_600_000)
    for (let i = 0; i < 5; i++) {
      await this.#resume()
      await this.#crew.begin(0, true)
      await this.#crew.finish()
      if ((await this.#asked(openHalts())).length > 0) await this.#approve()
      // Longer than an item that was refused is left alone.
      await this.#conductor.pass(25 * 3_600_000)
    }
    await this.#crew.begin(0, true)
    await this.#crew.finish()
    await this.#asked(this.#laws.check())
    await this.#checkQuiet()
  }

  async #checkQuiet(): Promise<void> {
    const { people, refused } = this.universe
    const left = await this.worker(0).inspect(planning(0))
    const quiet = { oracle: this.#oracle, truth: this.#truth, accounts: this.#accounts, refused }
    checkQuiet(quiet, left, (law, what) => this.breaks(law, what))
    for (const what of (await this.#asked(rebuild(people, settings.policy))).problems) this.breaks("L13", what)
  }

  async close(): Promise<void> {
    for (const one of this.#crew.workers) await one.kill()
    this.#conductor.bury(this.#nature)
    await Effect.runPromise(Scope.close(this.#scope, Exit.void))
    await this.#asked(emptyLedger)
  }

  result(): RunResult {
    const { begun, kills, reads } = this.#crew.rounds
    return {
      seed: this.universe.seed,
      rounds: begun,
      reads,
      kills,
      faults: this.#faults,
      digest: this.#hash.copy().digest("hex").slice(0, 16),
      log: this.#log,
      broken: this.broken
    }
  }
}
