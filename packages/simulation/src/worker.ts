/** A worker process: the real engine, adapters and ledger, whose every reach outside is a turn. */
import { AccountName } from "@stopline/consent"
import { defaultSettings, type EngineSettings, Fleet, hearRequest, keeping, pushing, round } from "@stopline/engine"
import { Connection, LedgerError, register } from "@stopline/ledger"
import { can, type Capability, type Operation, type ProviderAdapter, NextTurn } from "@stopline/provider"
import { makeAzureAdapter } from "@stopline/provider-azure"
import { makeRingCentralAdapter } from "@stopline/provider-ringcentral"
import type { AnyAccount, OutgoingAnswer, OutgoingRequest } from "@stopline/sandbox"
import {
  Clock,
  Context,
  Deferred,
  Duration,
  Effect,
  Exit,
  Layer,
  Logger,
  Predicate,
  Random,
  Redacted,
  References,
  Scheduler,
  Scope
} from "effect"
import { type Chance, makeChance } from "./chance.ts"
import { azureNetwork, type Handshake, ringcentralNetwork, type Witness } from "./network.ts"
import type { Penalties } from "./penalties.ts"
import type { Processes } from "./processes.ts"
import type { Configuration } from "./reform.ts"
import type { Actor, Conductor } from "./time.ts"
import type { Universe } from "./universe.ts"

export const webhookSecret = "simulation-only-secret"

/** A fault of the ledger, armed for one worker. */
interface LedgerFault {
  when: "before" | "after" | "conflict"
  left: number
}

export interface Worker {
  readonly actor: Actor
  readonly ledgerFault: LedgerFault
  /** Starts a round; the promise says how it ended. */
  readonly round: (read: boolean, approve?: string) => Promise<unknown>
  /** What a person does at this worker's command line. */
  readonly command: <A, E>(self: Effect.Effect<A, E, Fleet | Connection>) => Promise<Exit.Exit<A, E>>
  /** Takes a webhook request, as its HTTP port would. */
  readonly receive: (request: OutgoingRequest) => Effect.Effect<OutgoingAnswer>
  /** Runs something with the worker's ledger and fleet, at once and outside the course of events. */
  readonly inspect: <A, E>(self: Effect.Effect<A, E, Fleet | Connection>) => Promise<A>
  /** The process is gone: its connections break, nothing of it goes on. */
  readonly kill: () => Promise<void>
}

const InTurn = Context.Reference<boolean>("@stopline/simulation/InTurn", { defaultValue: () => false })

const lostConnection = () =>
  new LedgerError({ kind: "unreachable", operation: "simulation", detail: "the connection was lost" })

const conflict = () =>
  new LedgerError({ kind: "conflict", operation: "simulation", detail: "could not serialize access" })

/** A statement that found nothing to change has committed nothing. */
const foundNothing = (value: unknown): boolean =>
  Predicate.hasProperty(value, "rows") && Array.isArray(value.rows) && value.rows.length === 0

/** The ledger, one turn at a time, with its faults. */
const conducted = (
  base: Connection["Service"],
  conductor: Conductor,
  actor: Actor,
  fault: LedgerFault,
  committed: (operation: string) => Effect.Effect<void>,
  penalties: Penalties
): Connection["Service"] => {
  const take = (when: LedgerFault["when"]) => {
    if (fault.left === 0 || fault.when !== when) return false
    fault.left -= 1
    return true
  }
  const turn = <A, E, R>(label: string, self: Effect.Effect<A, E, R>): Effect.Effect<A, E | LedgerError, R> =>
    Effect.flatMap(InTurn, (inside): Effect.Effect<A, E | LedgerError, R> => {
      if (inside) return self
      const whole = Effect.suspend((): Effect.Effect<A, E | LedgerError, R> => {
        if (take("before")) return Effect.fail(lostConnection())
        return self.pipe(
          Effect.tap((value) =>
            Effect.andThen(penalties.ledger(label), foundNothing(value) ? Effect.void : committed(label))
          ),
          Effect.flatMap((value) => (take("after") ? Effect.fail(lostConnection()) : Effect.succeed(value)))
        )
      })
      return conductor.turn(actor, `ledger: ${label}`, Effect.provideService(whole, InTurn, true))
    })
  return {
    session: base.session,
    freed: base.freed,
    certain: base.certain,
    wrote: base.wrote,
    // As many connections as a worker has: how many there really are is nothing that it could notice.
    use: Effect.map(base.use, (use) => ({ ...use, most: 10 })),
    query: (operation, run) => turn(operation, base.query(operation, run)),
    transaction: (operation, self) =>
      turn(
        operation,
        base.transaction(
          operation,
          Effect.flatMap(self, (value) => (take("conflict") ? Effect.fail(conflict()) : Effect.succeed(value)))
        )
      )
  }
}

/** An adapter whose every request is a turn. */
const conductedAdapter = (
  adapter: ProviderAdapter,
  conductor: Conductor,
  actor: Actor,
  { answerMs, askSize, batchSize, pageSize, seed, turnMs }: Universe,
  penalties: Penalties
): ProviderAdapter => {
  const chance = makeChance(seed, `answers to ${actor.name} by ${adapter.account}`)
  // Where turns take time, answers are under way for some, and others go on meanwhile.
  const underway = Effect.suspend(() =>
    Effect.sleep(answerMs ?? (turnMs > 0 && chance.once(2) ? chance.below(500) : 0))
  )
  const turn = <A, E, R>(operation: Operation, self: Effect.Effect<A, E, R>) =>
    Effect.flatMap(NextTurn, (next) =>
      conductor.turns(actor, `${adapter.account}: ${operation}`, (pause) =>
        Effect.provideService(penalties.request(adapter, operation, self), NextTurn, pause(next))
      )
    ).pipe(Effect.tap(() => underway))
  const map = <Port>(capability: Capability<Port>, wrap: (port: Port) => Port): Capability<Port> =>
    capability._tag === "Can" ? can(wrap(capability.port)) : capability
  return {
    ...adapter,
    list: map(adapter.list, (port) => ({
      ...port,
      maxPage: Math.min(port.maxPage, pageSize),
      page: (request) => turn("list", port.page(request))
    })),
    check: map(adapter.check, (port) => ({
      ...port,
      maxRecipients: Math.min(port.maxRecipients, askSize),
      check: (sender, people) => turn("check", port.check(sender, people))
    })),
    write: {
      optOut: map(adapter.write.optOut, (port) => ({
        ...port,
        maxRecipients: Math.min(port.maxRecipients, batchSize),
        write: (sender, people) => turn("optOut", port.write(sender, people))
      })),
      optIn: map(adapter.write.optIn, (port) => ({
        ...port,
        maxRecipients: Math.min(port.maxRecipients, batchSize),
        write: (sender, people) => turn("optIn", port.write(sender, people))
      }))
    },
    evidence: map(adapter.evidence, (port) => ({
      since: (sender, recipient, since) => turn("evidence", port.since(sender, recipient, since))
    }))
  }
}

export interface WorkerSetup {
  readonly name: string
  readonly universe: Universe
  readonly configuration: Configuration
  readonly accounts: ReadonlyArray<AnyAccount>
  readonly conductor: Conductor
  readonly chance: Chance
  readonly witness: Witness
  /** Told of everything this worker committed, by the name of the operation. */
  readonly committed: (owner: string, operation: string) => Effect.Effect<void>
  /** Told of every line this worker logs. */
  readonly logged: (line: string) => void
  readonly sabotage: (adapter: ProviderAdapter) => ProviderAdapter
  readonly penalties: Penalties
  readonly processes: Processes
  /** By how much its clock is off (ms). */
  readonly skew: number
}

/** Guards so narrow that a few people are a crowd. */
export const settings: EngineSettings = {
  ...defaultSettings,
  retries: 2,
  guard: {
    optOuts: { count: 5, share: 0 },
    optIns: { count: 2, share: 0 },
    absences: { count: 4, share: 0.2 }
  }
}

/** How long after a write of ours an account may answer from an older copy (ms). */
export const settleMs = 20_000

const limits = { requests: 100_000, penalty: Duration.seconds(5) }

const adapterFor = (
  account: AnyAccount,
  witness: Witness,
  handshake: Handshake
): Effect.Effect<ProviderAdapter, unknown, Scope.Scope> => {
  const name = AccountName.make(account.name)
  const settle = Duration.millis(settleMs)
  if (account.vendor === "twilio") return Effect.die(new Error("no universe has a Twilio account"))
  return account.vendor === "azure"
    ? makeAzureAdapter(
        {
          account: name,
          connectionString: Redacted.make(`endpoint=http://127.0.0.1:1/;accesskey=${account.accessKey}`),
          webhookSecrets: [Redacted.make(webhookSecret)],
          limits,
          settle
        },
        azureNetwork(account, witness, handshake)
      )
    : makeRingCentralAdapter(
        {
          account: name,
          server: "http://127.0.0.1:1",
          clientId: account.clientId,
          clientSecret: Redacted.make(account.clientSecret),
          jwt: Redacted.make(account.jwt),
          verificationToken: Redacted.make(webhookSecret),
          limits,
          settle
        },
        ringcentralNetwork(account, witness, handshake)
      )
}

/** Starts a worker on the ledger at `url`. */
export const startWorker = async (setup: WorkerSetup): Promise<Worker> => {
  const { conductor, configuration, universe } = setup
  const actor: Actor = { name: setup.name, state: "running", skew: setup.skew }
  const scope = Scope.makeUnsafe()
  const ledgerFault: LedgerFault = { when: "before", left: 0 }
  const clock = conductor.clockOf(actor)
  const random = { nextIntUnsafe: () => setup.chance.below(2 ** 31), nextDoubleUnsafe: () => setup.chance.next() }
  // What goes wrong here is meant to, and the event log says it; of what is logged, only that it names nobody counts.
  const overheard = Logger.make((entry) => setup.logged(Logger.formatLogFmt.log(entry)))
  const quiet = await Effect.runPromise(Layer.buildWithScope(Logger.layer([overheard]), scope))
  const basics = Context.merge(quiet, Context.make(Clock.Clock, clock)).pipe(
    Context.add(Random.Random, random),
    Context.add(References.TracerEnabled, false),
    Context.add(Scheduler.Scheduler, conductor.scheduler)
  )
  const direct = <A, E>(self: Effect.Effect<A, E>) => Effect.runPromise(Effect.provideContext(self, basics))

  const { ledger: base, session } = await Effect.runPromise(setup.processes.start)
  const events = new Map<string, ProviderAdapter>()
  const handshake: Handshake = (request) => direct(answerHandshake(events, request, conductor.now))
  const adapters = await direct(
    Scope.provide(
      Effect.forEach(setup.accounts, (account) => adapterFor(account, setup.witness, handshake)),
      scope
    )
  )
  for (const adapter of adapters) events.set(adapter.account, adapter)
  const registry = await direct(
    register(universe.accounts, configuration.groups, configuration.policy, conductor.now).pipe(
      Effect.provideService(Connection, base)
    )
  )
  const fleet = Fleet.make(
    registry,
    adapters.map((adapter) => conductedAdapter(setup.sabotage(adapter), conductor, actor, universe, setup.penalties)),
    { ...settings, policy: configuration.policy },
    setup.name
  )
  const connection = conducted(
    base,
    conductor,
    actor,
    ledgerFault,
    (operation) => setup.committed(setup.name, operation),
    setup.penalties
  )
  const context = basics.pipe(Context.add(Fleet, fleet), Context.add(Connection, connection))
  const gone = Deferred.makeUnsafe<OutgoingAnswer>()
  // Never closed: a process that is killed lets go of nothing in good order.
  const life = Scope.makeUnsafe()
  const living = <A>(self: Effect.Effect<A, never, Fleet | Connection | Scope.Scope>) =>
    Effect.runPromise(Effect.provideContext(Scope.provide(self, life), context))
  const push = await living(pushing)
  const keeps = new Map(
    await living(
      Effect.forEach(fleet.stations, ({ account }) =>
        Effect.map(keeping(account), (keep) => [account.name, keep] as const)
      )
    )
  )

  for (const adapter of adapters) {
    if (adapter.subscription._tag === "Can") {
      // A provider that is out of order is asked again at the next start; its walks tell meanwhile.
      await direct(Effect.ignore(adapter.subscription.port.ensure(`http://127.0.0.1:1/${adapter.account}`)))
    }
  }

  const start = <A, E>(self: Effect.Effect<A, E, Fleet | Connection>) =>
    Effect.runPromiseExit(Effect.provideContext(self, context))

  const take = Effect.fnUntraced(function* (request: OutgoingRequest) {
    const url = new URL(request.url)
    const station = fleet.stations.find(({ account }) => `/${account.name}` === url.pathname)
    if (station === undefined || station.adapter.events._tag !== "Can") return answered(404, "")
    const heard = yield* hearRequest(
      station,
      station.adapter.events.port,
      {
        method: request.method,
        headers: request.headers,
        query: Object.fromEntries(url.searchParams),
        body: request.body,
        receivedAt: conductor.now
      },
      keeps.get(station.account.name)
    )
    const people = heard.ingested?.recorded.map((row) => row.recipient) ?? []
    if (people.length > 0) void start(push(people))
    return answered(heard.reply.status, heard.reply.body)
  })

  return {
    actor,
    ledgerFault,
    round: (read, approve) =>
      start(
        round({
          read,
          write: true,
          sweepBudget: universe.sweepBudget,
          startedBy: setup.name,
          confirmMs: settings.confirmMs,
          ...(approve !== undefined && { approve })
        })
      ),
    command: start,
    receive: (request) =>
      Effect.raceFirst(
        Effect.catch(take(request), () => Effect.succeed(answered(503, ""))).pipe(Effect.provideContext(context)),
        Deferred.await(gone)
      ),
    inspect: (self) =>
      Effect.runPromise(
        self.pipe(Effect.provideContext(basics.pipe(Context.add(Fleet, fleet), Context.add(Connection, base))))
      ),
    kill: async () => {
      conductor.bury(actor)
      Deferred.doneUnsafe(gone, Effect.succeed({ _tag: "Unreachable", reason: "the process is gone" }))
      await Effect.runPromise(Effect.andThen(setup.processes.end(session), Scope.close(scope, Exit.void)))
    }
  }
}

const answered = (status: number, body: string): OutgoingAnswer => ({ _tag: "Answered", status, headers: {}, body })

const answerHandshake = Effect.fnUntraced(function* (
  adapters: ReadonlyMap<string, ProviderAdapter>,
  request: OutgoingRequest,
  now: number
) {
  const url = new URL(request.url)
  const adapter = adapters.get(url.pathname.slice(1))
  if (adapter === undefined || adapter.events._tag !== "Can") return answered(404, "")
  const received = yield* adapter.events.port.receive({
    method: request.method,
    headers: request.headers,
    query: Object.fromEntries(url.searchParams),
    body: request.body,
    receivedAt: now
  })
  const { reply } = received
  return { _tag: "Answered", status: reply.status, headers: reply.headers, body: reply.body } satisfies OutgoingAnswer
})
