/**
 * The whole world in memory: accounts, people, and what they do. It knows no
 * socket and no timer; time is Effect's clock, and webhooks are deliveries that
 * somebody else carries out (see courier.ts).
 */
import { Clock, Effect, Result, Schema } from "effect"
import type { Account, AccountState, Action, Heard, Sent, Surroundings } from "./account.ts"
import { type AzureAccount, makeAzureAccount } from "./azure/account.ts"
import type { EventGridSubscription } from "./azure/events.ts"
import type { Delivery, Outbox, Post } from "./courier.ts"
import { reader } from "./decode.ts"
import { SandboxError } from "./error.ts"
import { type Fault } from "./fault.ts"
import type { LogEntry } from "./log.ts"
import { SandboxOptions, defaultAccounts } from "./options.ts"
import { draw, makePeople } from "./people.ts"
import { makeRandom } from "./random.ts"
import { type RingCentralAccount, makeRingCentralAccount } from "./ringcentral/account.ts"
import { type TwilioAccount, makeTwilioAccount } from "./twilio/account.ts"
import type { TwilioWebhook } from "./twilio/webhook.ts"
import type { Outcome, WireRequest } from "./wire.ts"

const Person = Schema.String.check(
  Schema.isPattern(/^\+[1-9]\d{6,14}$/, { message: "Expected an E.164 number such as +15550100000" })
)

/** A person texts a sender. */
export const Text = Schema.Struct({ from: Person, to: Schema.String, text: Schema.String })
export type Text = typeof Text.Type

/** A colleague changes a list in the vendor's console. `sender: "*"`: every sender, at RingCentral only. */
export const Edit = Schema.Struct({
  account: Schema.String,
  sender: Schema.String,
  action: Schema.Literals(["opt-out", "opt-in"]),
  recipients: Schema.Array(Person)
})
export type Edit = typeof Edit.Type

/** The business texts a person. */
export const Send = Schema.Struct({ account: Schema.String, from: Schema.String, to: Person })
export type Send = typeof Send.Type

/** What a vendor did with a text, by its own keyword table. */
export interface Said extends Heard {
  readonly account: string
  readonly sender: string
  readonly recipient: string
  /** Whether the vendor blocks the pair now. */
  readonly optedOut: boolean
}

export type AnyAccount = AzureAccount | RingCentralAccount | TwilioAccount

export interface World extends Outbox {
  readonly accounts: ReadonlyArray<AnyAccount>
  readonly people: ReadonlyArray<string>
  /** An HTTP request to one of the accounts. */
  readonly handle: (account: string, request: WireRequest) => Effect.Effect<Outcome, SandboxError>
  readonly text: (text: Text) => Effect.Effect<Said, SandboxError>
  readonly edit: (edit: Edit) => Effect.Effect<{ readonly changed: number }, SandboxError>
  readonly send: (send: Send) => Effect.Effect<Sent, SandboxError>
  readonly fault: (fault: Fault) => Effect.Effect<void, SandboxError>
  /** Of one account, or of all. */
  readonly clearFaults: (account?: string) => Effect.Effect<void, SandboxError>
  readonly faults: (account: string) => Effect.Effect<ReadonlyArray<Fault>, SandboxError>
  readonly state: (account: string, sender?: string) => Effect.Effect<AccountState, SandboxError>
  /** RingCentral gives the webhooks of an account up, as after many failures. Returns how many. */
  readonly blacklist: (account: string) => Effect.Effect<{ readonly blacklisted: number }, SandboxError>
  /** The WebSockets of a RingCentral account break. Returns how many. */
  readonly hangUp: (account: string) => Effect.Effect<{ readonly hungUp: number }, SandboxError>
  /** Lets happen what is due only because time has passed. */
  readonly tick: Effect.Effect<void>
  readonly log: (account: string) => Effect.Effect<ReadonlyArray<LogEntry>, SandboxError>
  readonly clearLog: (account: string) => Effect.Effect<void, SandboxError>
  /** Subscribes a webhook to an Azure account's events, after its handshake. RingCentral has an API for that. */
  readonly subscribe: (wish: EventGridSubscription, post: Post) => Effect.Effect<{ readonly id: string }, SandboxError>
  readonly unsubscribe: (account: string, id: string) => Effect.Effect<void, SandboxError>
  /** A colleague enters the webhook in Twilio's console; it replaces the one before. */
  readonly listen: (webhook: TwilioWebhook) => Effect.Effect<void, SandboxError>
}

const readOptions = reader(SandboxOptions)

const twice = (names: ReadonlyArray<string>): string | undefined =>
  names.find((name, index) => names.indexOf(name) !== index)

const readSetup = Effect.fnUntraced(function* (input: unknown) {
  const options = yield* Effect.fromResult(
    Result.mapError(
      readOptions(input),
      ({ field, message }) =>
        new SandboxError({ problem: `The option ${field} is wrong: ${message}.`, cure: "See SandboxOptions." })
    )
  )
  const accounts = options.accounts ?? defaultAccounts
  const double = twice(accounts.map(({ name }) => name)) ?? twice(accounts.flatMap(({ senders }) => senders))
  if (double !== undefined) {
    return yield* new SandboxError({
      problem: `${double} is there twice.`,
      cure: "Names and senders are unique over all accounts."
    })
  }
  const { people = 200, seed = 1 } = options
  const optedOut = options.optedOut ?? Math.min(25, people)
  if (optedOut > people) {
    return yield* new SandboxError({
      problem: `${optedOut} of ${people} people cannot be opted out.`,
      cure: "Ask for more people, or for fewer opt-outs."
    })
  }
  return { accounts, optedOut, people, seed }
})

const month = 30 * 24 * 3_600_000

/** Fills the list of the first RingCentral sender with opt-outs of the last thirty days, one hour old at least. */
const seedList = (accounts: ReadonlyArray<AnyAccount>, drawn: ReadonlyArray<string>, now: number): void => {
  const account = accounts.find((account) => account.vendor === "ringcentral")
  const sender = account?.senders[0]
  if (account === undefined || sender === undefined) return
  const step = month / Math.max(drawn.length, 1)
  for (const [index, recipient] of drawn.entries()) {
    const at = Math.floor(now - 3_600_000 - (drawn.length - index) * step)
    account.seed(sender, recipient, index % 10 === 0 ? "Account" : "Recipient", at)
  }
}

/** Builds the world; its time is the clock of the fiber that builds it. */
export const makeWorld = Effect.fn("makeWorld")(function* (input: SandboxOptions = {}) {
  const { accounts: wanted, optedOut, people: count, seed } = yield* readSetup(input)
  const clock = yield* Clock.Clock
  const now = (): number => clock.currentTimeMillisUnsafe()
  let listener: (delivery: Delivery) => void = () => {}
  const accounts = wanted.map((options): AnyAccount => {
    const surroundings: Surroundings = {
      now: () => now() + (options.clockSkew ?? 0),
      secrets: makeRandom(seed, options.name),
      // A world that is started again hands out other ids: an id once given names one thing for ever.
      random: makeRandom(seed, `${options.name} since ${now()}`),
      deliver: (delivery) => listener(delivery)
    }
    switch (options.vendor) {
      case "azure":
        return makeAzureAccount(options, surroundings)
      case "ringcentral":
        return makeRingCentralAccount(options, surroundings)
      case "twilio":
        return makeTwilioAccount(options, surroundings)
    }
  })
  const people = makePeople(count)
  seedList(accounts, draw(people, optedOut, makeRandom(seed, "people")), now())
  const world: World = {
    accounts,
    people,
    onDelivery: (listen) => {
      listener = listen
    },
    ...doings(accounts)
  }
  return world
})

const known = (names: ReadonlyArray<string>): string => `There are: ${names.join(", ")}.`

const doings = (accounts: ReadonlyArray<AnyAccount>): Omit<World, "accounts" | "people" | "onDelivery"> => {
  const find = (name: string): Effect.Effect<AnyAccount, SandboxError> => {
    const account = accounts.find((account) => account.name === name)
    return account === undefined
      ? Effect.fail(
          new SandboxError({ problem: `There is no account ${name}.`, cure: known(accounts.map(({ name }) => name)) })
        )
      : Effect.succeed(account)
  }
  const own = Effect.fnUntraced(function* (name: string, sender: string) {
    const account = yield* find(name)
    if (account.senders.includes(sender)) return account
    return yield* new SandboxError({ problem: `${name} does not send from ${sender}.`, cure: known(account.senders) })
  })
  const findAzure = Effect.fnUntraced(function* (name: string) {
    const account = yield* find(name)
    if (account.vendor === "azure") return account
    return yield* new SandboxError({
      problem: `${name} is no Azure account.`,
      cure:
        account.vendor === "ringcentral"
          ? "Subscribe to RingCentral's events with POST /restapi/v1.0/subscription at the account itself."
          : "Enter the webhook as in Twilio's console, with POST /webhooks."
    })
  })

  const findRingCentral = Effect.fnUntraced(function* (name: string, cure: string) {
    const account = yield* find(name)
    if (account.vendor === "ringcentral") return account
    return yield* new SandboxError({ problem: `${name} is no RingCentral account.`, cure })
  })

  return {
    handle: (name, request) => Effect.map(find(name), (account) => account.handle(request)),
    text: Effect.fnUntraced(function* ({ from, text, to }) {
      const account: Account | undefined = accounts.find(({ senders }) => senders.includes(to))
      if (account === undefined) {
        const cure = known(accounts.flatMap(({ senders }) => senders))
        return yield* new SandboxError({ problem: `Nobody here sends from ${to}.`, cure })
      }
      const heard = account.receive(to, from, text)
      const optedOut = account.isOptedOut(to, from)
      return { account: account.name, sender: to, recipient: from, ...heard, optedOut }
    }),
    edit: Effect.fnUntraced(function* ({ account: name, action, recipients, sender }) {
      const account = sender === "*" ? yield* find(name) : yield* own(name, sender)
      return { changed: yield* account.edit(sender, action satisfies Action, recipients) }
    }),
    send: ({ account, from, to }) => Effect.map(own(account, from), (account) => account.send(from, to)),
    fault: (fault) => Effect.flatMap(find(fault.account), (account) => account.faults.arm(fault)),
    clearFaults: (name) =>
      name === undefined
        ? Effect.sync(() => accounts.forEach(({ faults }) => faults.clear()))
        : Effect.map(find(name), ({ faults }) => faults.clear()),
    faults: (name) => Effect.map(find(name), ({ faults }) => faults.armed()),
    state: (name, sender) =>
      Effect.map(sender === undefined || sender === "*" ? find(name) : own(name, sender), (account) =>
        account.state(sender)
      ),
    blacklist: (name) =>
      Effect.map(findRingCentral(name, "Event Grid blacklists nobody: it tries again for a day."), (account) => ({
        blacklisted: account.blacklist()
      })),
    hangUp: (name) =>
      Effect.map(findRingCentral(name, "Event Grid has no WebSockets."), (account) => ({ hungUp: account.hangUp() })),
    tick: Effect.sync(() => {
      for (const account of accounts) if (account.vendor === "ringcentral") account.tick()
    }),
    log: (name) => Effect.map(find(name), ({ log }) => log.entries()),
    clearLog: (name) => Effect.map(find(name), ({ log }) => log.clear()),
    subscribe: Effect.fnUntraced(function* (wish, post) {
      const account = yield* findAzure(wish.account)
      const { judge, request } = account.traffic.offer(wish)
      const refusal = judge(yield* post(request))
      if (refusal !== undefined) return yield* refusal
      return { id: account.traffic.confirm(wish) }
    }),
    listen: Effect.fnUntraced(function* (webhook) {
      const account = yield* find(webhook.account)
      if (account.vendor === "twilio") return account.traffic.listen(webhook)
      return yield* new SandboxError({
        problem: `${webhook.account} is no Twilio account.`,
        cure: "Subscribe to its events as its vendor has it."
      })
    }),
    unsubscribe: (name, id) =>
      Effect.flatMap(findAzure(name), ({ traffic }) =>
        traffic.unsubscribe(id)
          ? Effect.void
          : Effect.fail(
              new SandboxError({
                problem: `${name} has no subscription ${id}.`,
                cure: "GET /state shows which there are."
              })
            )
      )
  }
}
