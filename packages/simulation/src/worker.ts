/** A worker process: the real engine, adapters and ledger, whose every reach outside is a turn. */
import { AccountName } from "@stopline/consent"
import {
  defaultSettings,
  type EngineSettings,
  Fleet,
  hearRequest,
  keeping,
  makeLooks,
  pushing,
  round,
  type Station
} from "@stopline/engine"
import { Connection, register } from "@stopline/ledger"
import type { ProviderAdapter } from "@stopline/provider"
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
  Random,
  Redacted,
  References,
  Result,
  Scheduler,
  Scope
} from "effect"
import type { Chance } from "./chance.ts"
import { patienceMs } from "./looks.ts"
import { azureNetwork, type Handshake, ringcentralNetwork, type Witness } from "./network.ts"
import { conducted, conductedAdapter, type LedgerFault } from "./outside.ts"
import type { Penalties } from "./penalties.ts"
import type { Processes } from "./processes.ts"
import { type Configuration, fileOf } from "./reform.ts"
import type { Actor, Conductor } from "./time.ts"
import type { Universe } from "./universe.ts"

export const webhookSecret = "simulation-only-secret"

export interface Worker {
  readonly actor: Actor
  readonly ledgerFault: LedgerFault
  /** Starts a round; the promise says how it ended. */
  readonly round: (read: boolean, approve?: string) => Promise<unknown>
  /** What a person does at this worker's command line. */
  readonly command: <A, E>(self: Effect.Effect<A, E, Fleet | Connection>) => Promise<Exit.Exit<A, E>>
  /** Looks whether all was heard, unless it is at it already; the promise says whether every account could be looked at. */
  readonly look: () => Promise<boolean>
  /** Takes a webhook request, as its HTTP port would. */
  readonly receive: (request: OutgoingRequest) => Effect.Effect<OutgoingAnswer>
  /** Runs something with the worker's ledger and fleet, at once and outside the course of events. */
  readonly inspect: <A, E>(self: Effect.Effect<A, E, Fleet | Connection>) => Promise<A>
  /** The process is gone: its connections break, nothing of it goes on. */
  readonly kill: () => Promise<void>
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
  /** Told when all that was texted to an account before a moment has been read. */
  readonly accounted: (account: string, before: number) => void
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
  { older }: Universe,
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
          api: older.has(name) ? "v1" : "auto",
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
      Effect.forEach(setup.accounts, (account) => adapterFor(account, universe, setup.witness, handshake)),
      scope
    )
  )
  for (const adapter of adapters) events.set(adapter.account, adapter)
  const file = fileOf(universe, configuration)
  const registry = await direct(
    register(file.accounts, file.groups, configuration.policy, conductor.now).pipe(
      Effect.provideService(Connection, base)
    )
  )
  const fleet = Fleet.make(
    registry,
    adapters.map((adapter) => conductedAdapter(setup.sabotage(adapter), conductor, actor, universe, setup.penalties)),
    { ...settings, policy: configuration.policy, pageRows: universe.pageRows },
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

  const start = <A, E>(self: Effect.Effect<A, E, Fleet | Connection>) =>
    Effect.runPromiseExit(Effect.provideContext(self, context))

  const looks = makeLooks()
  const lookAt = Effect.fnUntraced(function* (station: Station) {
    const { name } = station.account
    const { subscription } = station.adapter
    if (subscription._tag !== "Can") return
    const beganAt = conductor.now
    const looking = { url: `http://127.0.0.1:1/${name}`, patienceMs }
    const { missing } = yield* looks.look(station, subscription.port, looking)
    if (missing.length === 0) setup.accounted(name, beganAt)
  })
  let looking: Promise<boolean> | undefined
  const look = async () => {
    const all = await start(Effect.all(fleet.stations.map(lookAt), { concurrency: "unbounded", mode: "result" }))
    looking = undefined
    return Exit.isSuccess(all) && all.value.every(Result.isSuccess)
  }

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
    ).pipe(Effect.tapError(() => looks.refused(station.account.name)))
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
    look: () => (looking ??= look()),
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
