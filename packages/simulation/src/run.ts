/** One universe from one seed: its script played against the real engine, and the laws checked. */
import { createHash } from "node:crypto"
import { type Group, mask } from "@stopline/consent"
import { Fleet, plan, writabilityOf } from "@stopline/engine"
import { clearHalts, Connection } from "@stopline/ledger"
import { type AnyAccount, makeWorld, startCourier, type World } from "@stopline/sandbox"
import type { ProviderAdapter } from "@stopline/provider"
import { Clock, Effect, Exit, Scope } from "effect"
import { sql } from "kysely"
import { makeChance } from "./chance.ts"
import { checkRebuild } from "./rebuild.ts"
import { Oracle } from "./oracle.ts"
import { type Action, makeScript } from "./script.ts"
import type { Processes } from "./processes.ts"
import { type Actor, Conductor, Stuck } from "./time.ts"
import { makeUniverse, type Universe } from "./universe.ts"
import { startWorker, webhookSecret, type Worker } from "./worker.ts"
import type { Witness } from "./network.ts"

export interface Broken {
  readonly law: string
  readonly what: string
  /** The round during or after which it was seen. */
  readonly round: number
}

export interface RunResult {
  readonly seed: number
  readonly rounds: number
  readonly kills: number
  readonly faults: Readonly<Record<string, number>>
  /** sha256 of the event log: the same seed has the same one. */
  readonly digest: string
  readonly log: ReadonlyArray<string>
  readonly broken: ReadonlyArray<Broken>
}

const startAt = Date.UTC(2026, 0, 5, 9)

export interface RunOptions {
  /** Actions to play instead of the seed's own. */
  readonly script?: ReadonlyArray<Action>
  /** Breaks an adapter on purpose, to see whether the laws notice. */
  readonly sabotage?: (adapter: ProviderAdapter) => ProviderAdapter
}

/** Plays a seed against an empty ledger, which is emptied afterwards. */
export const runSeed = async (
  processes: Processes,
  seed: number,
  rounds: number,
  { sabotage = (adapter) => adapter, script }: RunOptions = {}
): Promise<RunResult> => {
  const run = new Run(processes, makeUniverse(seed), sabotage)
  await run.open()
  try {
    for (const action of script ?? makeScript(run.universe, rounds)) {
      await run.act(action)
      if (run.broken.length > 0) break
    }
    if (run.broken.length === 0) await run.quieten()
  } catch (cause) {
    if (!(cause instanceof Stuck)) throw cause
    run.breaks("L12", cause.message)
  } finally {
    await run.close()
  }
  return run.result()
}

/** One universe being played: opened, acted in, made quiet, and closed. */
export class Run {
  readonly universe: Universe
  readonly broken: Array<Broken> = []
  readonly #processes: Processes
  readonly #sabotage: Required<RunOptions>["sabotage"]
  readonly #conductor: Conductor
  readonly #oracle: Oracle
  readonly #log: Array<string> = []
  readonly #hash = createHash("sha256")
  readonly #faults: Record<string, number> = {}
  readonly #scope = Scope.makeUnsafe()
  readonly #nature: Actor = { name: "world", state: "running" }
  readonly #workers: Array<Worker> = []
  #groups: ReadonlyArray<Group>
  #world: World | undefined
  #rounds = 0
  #kills = 0
  #born = 0
  #lossy = false

  constructor(processes: Processes, universe: Universe, sabotage: Required<RunOptions>["sabotage"]) {
    this.#processes = processes
    this.#sabotage = sabotage
    this.universe = universe
    this.#groups = universe.groups
    this.#conductor = new Conductor(makeChance(universe.seed, "order"), startAt)
    this.#oracle = new Oracle(universe.groups)
    this.#conductor.onTurn = (actor, label) => this.note(`${actor.name} ${label}`)
  }

  note(line: string): void {
    const text = `${this.#conductor.now - startAt} ${line}`
    this.#log.push(text)
    this.#hash.update(`${text}\n`)
  }

  breaks(law: string, what: string): void {
    this.note(`BROKEN ${law}: ${what}`)
    this.broken.push({ law, what, round: this.#rounds })
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
    const worker = this.#workers[index]
    if (worker === undefined) throw new Error(`there is no worker ${index}`)
    return worker
  }

  #natural<A, E>(self: Effect.Effect<A, E>): Promise<A> {
    return Effect.runPromise(Effect.provideService(self, Clock.Clock, this.#conductor.clockOf(this.#nature)))
  }

  async open(): Promise<void> {
    const { accounts, seed } = this.universe
    this.#world = await this.#natural(
      makeWorld({
        seed,
        people: 0,
        optedOut: 0,
        accounts: accounts.map(({ name, senders, vendor }) =>
          vendor === "azure"
            ? {
                vendor,
                name,
                senders,
                dateTolerance: Number.MAX_SAFE_INTEGER,
                retryDelays: Array.from({ length: 200 }, () => 20_000)
              }
            : { vendor, name, senders, blacklistAfter: 1_000 }
        )
      })
    )
    const world = this.#world
    await this.#natural(
      Scope.provide(
        startCourier(world, (request) =>
          Effect.suspend(() => {
            const worker = this.#workers.find((one) => one.actor.state === "running")
            return worker === undefined
              ? Effect.succeed({ _tag: "Unreachable", reason: "nobody listens" } as const)
              : worker.receive(request)
          })
        ),
        this.#scope
      )
    )
    await this.#hire(0)
    await this.#hire(1)
    for (const { name, vendor } of accounts) {
      if (vendor !== "azure") continue
      const wish = { account: name, url: `http://127.0.0.1:1/${name}?code=${webhookSecret}` }
      // The handshake is nobody's turn: it is over before anything begins.
      await this.#natural(world.subscribe(wish, (request) => Effect.promise(() => this.#shake(request))))
    }
  }

  async #shake(request: Parameters<Worker["receive"]>[0]) {
    const worker = this.#workers[0]
    if (worker === undefined) return { _tag: "Unreachable", reason: "nobody listens" } as const
    const done = Effect.runPromise(worker.receive(request))
    await this.#conductor.stir(100)
    return done
  }

  async #hire(index: number): Promise<void> {
    this.#born += 1
    this.#workers[index] = await startWorker({
      name: `worker-${index}.${this.#born}`,
      universe: this.universe,
      groups: this.#groups,
      accounts: this.#accounts,
      conductor: this.#conductor,
      chance: makeChance(this.universe.seed, `worker ${this.#born}`),
      witness: this.#witness,
      sabotage: this.#sabotage,
      processes: this.#processes
    })
  }

  /** Sees every request we make, and holds it to the law that the person made (L2, L3). */
  readonly #witness: Witness = (account, { body, path }) => {
    const check = (sender: string, people: ReadonlyArray<string>, to: "opt-out" | "opt-in") => {
      for (const person of people) {
        const may =
          to === "opt-in"
            ? this.#oracle.mayUnblock(person, account, sender)
            : this.#oracle.mayBlock(person, account, sender)
        if (!may)
          this.breaks(
            to === "opt-in" ? "L3" : "L13",
            `${account}/${sender}: ${to} of ${mask(person)} was written, and nobody asked for it`
          )
      }
    }
    const json = body.startsWith("{") ? JSON.parse(body) : {}
    if (path.endsWith(":add"))
      check(
        json.from,
        json.recipients.map((one: { to: string }) => one.to),
        "opt-out"
      )
    if (path.endsWith(":remove"))
      check(
        json.from,
        json.recipients.map((one: { to: string }) => one.to),
        "opt-in"
      )
    if (path.endsWith("/bulk-assign")) {
      check(json.from, json.optOuts ?? [], "opt-out")
      check(json.from, json.optIns ?? [], "opt-in")
    }
  }

  async act(action: Action): Promise<void> {
    this.note(describe(action))
    const world = this.#world
    if (world === undefined) return
    switch (action.do) {
      case "text": {
        const { account, person, sender, words } = action
        const vendor = this.#accounts.find((one) => one.name === account)?.vendor
        this.#oracle.texts(person, account, sender, words, this.#conductor.now, vendor === "azure" && !this.#lossy)
        await this.#natural(world.text({ from: person, to: sender, text: words }))
        return
      }
      case "edit": {
        const { account, person, sender, to } = action
        if (to === "opt-out") this.#oracle.blocks(person, account, sender)
        await this.#natural(world.edit({ account, sender, action: to, recipients: [person] }))
        return
      }
      case "fault":
        this.#faults[action.fault.kind] = (this.#faults[action.fault.kind] ?? 0) + 1
        await this.#natural(world.fault(action.fault))
        return
      case "clear":
        await this.#natural(world.clearFaults())
        return
      case "ledger": {
        const worker = this.#workers[action.worker]
        const name = `ledger lost ${action.when}`
        this.#faults[name] = (this.#faults[name] ?? 0) + 1
        if (worker !== undefined) Object.assign(worker.ledgerFault, { when: action.when, left: action.times })
        return
      }
      case "stir":
        await this.#conductor.stir(action.turns)
        return
      case "pass":
        await this.#conductor.pass(action.ms)
        return
      case "round":
        await this.#finish([this.#begin(action.worker, action.read)])
        return
      case "both":
        await this.#finish([this.#begin(0, true), this.#begin(1, true)])
        return
      case "kill": {
        this.#begin(action.worker, true)
        await this.#conductor.stir(action.after)
        await this.#fire(action.worker)
        return
      }
      case "freeze": {
        const frozen = this.#workers[action.worker]
        const first = this.#begin(action.worker, true)
        await this.#conductor.stir(action.after)
        if (frozen === undefined) return
        frozen.actor.state = "frozen"
        await this.#conductor.pass(action.ms)
        await this.#finish([this.#begin(1 - action.worker, true)])
        frozen.actor.state = "running"
        await this.#finish([first])
        return
      }
      case "join": {
        const { spare } = this.universe
        if (this.#groups.some(({ members }) => members.some((one) => one.sender === spare.sender))) return
        this.#groups = this.#groups.map((group, i) =>
          i === 0 ? { ...group, members: [...group.members, spare] } : group
        )
        this.#oracle.regroup(this.#groups)
        // A new configuration is a new start.
        await this.#fire(0)
        await this.#fire(1)
      }
    }
  }

  #begin(index: number, read: boolean): { over: boolean } {
    const state = { over: false }
    this.#rounds += 1
    void this.#workers[index]?.round(read).finally(() => {
      state.over = true
    })
    return state
  }

  #finish(rounds: ReadonlyArray<{ readonly over: boolean }>): Promise<void> {
    return this.#conductor.drive(() => rounds.every((one) => one.over))
  }

  async #fire(index: number): Promise<void> {
    this.#kills += 1
    await this.#workers[index]?.kill()
    await this.#hire(index)
  }

  /** The world goes quiet: no more faults, all that is on its way arrives, and rounds are given time to repair. */
  async quieten(): Promise<void> {
    const world = this.#world
    const [worker] = this.#workers
    if (world === undefined || worker === undefined) return
    this.note("the world goes quiet")
    await this.#natural(world.clearFaults())
    for (const one of this.#workers) one.ledgerFault.left = 0
    await this.#conductor.pass(3_600_000)
    for (let i = 0; i < 5; i++) {
      await worker.inspect(clearHalts({}, "operator", this.#conductor.now))
      await this.#finish([this.#begin(0, true)])
      // Longer than an item that was refused is left alone.
      await this.#conductor.pass(25 * 3_600_000)
    }
    await this.#check(worker)
  }

  async #check(worker: Worker): Promise<void> {
    for (const { person, sender } of this.#oracle.mustBeBlocked()) {
      const [account = "", address = ""] = sender.split("/")
      const blocked = this.#accounts.find((one) => one.name === account)?.isOptedOut(address, person)
      if (blocked !== true) this.breaks("L1", `${sender} does not block ${mask(person)}, who asked its brand to stop`)
    }
    const left = await worker.inspect(
      Effect.gen(function* () {
        const { settings, stations } = yield* Fleet
        const accounts = stations.map(({ account, adapter }) => ({ account, writability: writabilityOf(adapter) }))
        return yield* plan(accounts, settings, { examples: 3, confirmMs: 0 }, yield* Clock.currentTimeMillis)
      })
    )
    if (left.changes > 0) {
      this.breaks(
        "L10",
        `${left.changes} changes are left when all is quiet: ${JSON.stringify(left.accounts.map((one) => one.byReason))}`
      )
    }
    for (const what of await worker.inspect(checkRebuild)) this.breaks("L13", what)
  }

  async close(): Promise<void> {
    for (const one of this.#workers) await one.kill()
    this.#conductor.bury(this.#nature)
    await Effect.runPromise(Scope.close(this.#scope, Exit.void))
    await Effect.runPromise(Effect.provideService(emptyLedger, Connection, this.#processes.ledger))
  }

  result(): RunResult {
    return {
      seed: this.universe.seed,
      rounds: this.#rounds,
      kills: this.#kills,
      faults: this.#faults,
      digest: this.#hash.copy().digest("hex").slice(0, 16),
      log: this.#log,
      broken: this.broken
    }
  }
}

const emptyLedger = Effect.gen(function* () {
  const { query } = yield* Connection
  yield* query("empty", (db) =>
    sql`truncate account, sender_group, sender, membership, observation, standing, opt_in, view, run, walk, walk_seen, halt, lane, pace, setting restart identity cascade`.execute(
      db
    )
  )
})

const describe = (action: Action): string => {
  switch (action.do) {
    case "text":
      return `${mask(action.person)} texts ${action.account}/${action.sender}: ${action.words}`
    case "edit":
      return `somebody at ${action.account}/${action.sender} makes an ${action.to} of ${mask(action.person)}`
    case "fault":
      return `fault ${JSON.stringify(action.fault)}`
    default:
      return JSON.stringify(action)
  }
}
