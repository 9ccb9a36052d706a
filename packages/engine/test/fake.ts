/**
 * A provider in memory, with hands: what it blocks can be changed behind our
 * back, and what it answers can be spoilt. It can be listed, or only asked.
 */
import {
  type AccountName,
  type ConsentState,
  type EverySender,
  hear,
  type Observation,
  point,
  type Reading,
  type Recipient,
  ruleAt,
  type SenderAddress,
  unitedStates
} from "@stopline/consent"
import {
  can,
  cannot,
  type CheckAnswer,
  Denied,
  type LimitGroup,
  type ListPort,
  type Operation,
  type ProviderAdapter,
  ProviderError,
  type ProviderFailure,
  type RawRequest,
  Refused,
  Throttled,
  Unavailable,
  Unreadable,
  type WriteOutcome,
  type WritePort
} from "@stopline/provider"
import { Clock, Duration, Effect, Schema } from "effect"

export type Failure =
  /** No failure: the one after the next fails. */
  | { readonly kind: "none" }
  | { readonly kind: "throttled"; readonly retryAfterMs?: number }
  /** `done`: whether it was done all the same. */
  | {
      readonly kind: "unavailable"
      readonly mayHaveApplied?: boolean
      readonly done?: boolean
      readonly retryAfterMs?: number
    }
  | { readonly kind: "unreadable"; readonly done?: boolean }
  | { readonly kind: "denied" }
  | { readonly kind: "refused" }

/** What becomes of one recipient, whatever becomes of the others. */
type Treatment = "rejected" | "retryable" | "missing" | "unanswered" | "refused"

type Spoilt = "circle" | "endless" | "unreadable row"

interface Call {
  readonly operation: Operation
  readonly sender: SenderAddress | undefined
  readonly recipients: ReadonlyArray<Recipient>
  readonly cursor: string | undefined
  readonly at: number
}

export interface FakeOptions {
  readonly can?: "list" | "check"
  readonly coverage?: ListPort["coverage"]
  readonly pageSize?: number
  readonly batch?: number
  readonly concurrency?: number
  readonly limits?: ReadonlyArray<LimitGroup>
  readonly settleMs?: number
  /** Opt-ins cannot be written, and this is why. */
  readonly optIn?: string
  /** This sender cannot be written. */
  readonly except?: SenderAddress
  readonly keepsMessages?: boolean
}

export interface Fake {
  readonly adapter: ProviderAdapter
  /** Who is blocked: `+18005550100 +15551230000`. */
  readonly blocked: Set<string>
  readonly calls: Array<Call>
  /** Somebody blocks or unblocks behind our back. */
  readonly block: (sender: SenderAddress | EverySender, ...recipients: ReadonlyArray<Recipient>) => void
  readonly lift: (sender: SenderAddress | EverySender, ...recipients: ReadonlyArray<Recipient>) => void
  readonly holds: (sender: SenderAddress | EverySender, recipient: Recipient) => boolean
  /** The next requests of this operation fail so, one after the other; `only` for one sender. */
  readonly fail: (operation: Operation, failures: ReadonlyArray<Failure>, only?: SenderAddress) => void
  /** Every request of these operations fails so, until it is told otherwise. */
  readonly failAlways: (operations: ReadonlyArray<Operation>, failure: Failure | undefined) => void
  readonly treat: (recipient: Recipient, how: Treatment | undefined) => void
  /** The list runs in a circle, never ends, or shows rows nobody can read. */
  readonly spoil: (how: Spoilt | undefined) => void
  /** Called when a request arrives, before anything is done. */
  onRequest: (call: Call) => Effect.Effect<void>
  /** A person texts: the provider acts on its own words, keeps the message and calls back. */
  readonly text: (sender: SenderAddress, recipient: Recipient, words: string, at: number) => RawRequest
  /** The most requests to one sender that were under way at once. */
  readonly mostAtOnce: () => number
}

const keywords = { optOut: ["STOP"], optIn: ["START"] }

const Message = Schema.fromJsonString(
  Schema.Struct({ id: Schema.String, from: Schema.String, to: Schema.String, text: Schema.String, at: Schema.Number })
)
const readMessage = Schema.decodeUnknownSync(Message)

export const makeFake = (account: AccountName, options: FakeOptions = {}): Fake => {
  const blocked = new Set<string>()
  const calls: Array<Call> = []
  const queued = new Map<string, Array<Failure>>()
  const always = new Map<Operation, Failure>()
  const treatments = new Map<Recipient, Treatment>()
  const messages: Array<Observation> = []
  const running = new Map<string, number>()
  let most = 0
  let spoilt: Spoilt | undefined
  const key = (sender: string, recipient: string) => `${sender} ${recipient}`
  const batch = options.batch ?? 100

  const failureOf = (operation: Operation, sender: SenderAddress | undefined): Failure | undefined =>
    queued.get(`${operation} ${sender ?? ""}`)?.shift() ?? queued.get(operation)?.shift() ?? always.get(operation)

  const request = <A>(call: Omit<Call, "at">, work: () => A): Effect.Effect<A, ProviderError> =>
    Effect.gen(function* () {
      const { operation, sender } = call
      const made = { ...call, at: yield* Clock.currentTimeMillis }
      calls.push(made)
      const lane = sender ?? "account"
      running.set(lane, (running.get(lane) ?? 0) + 1)
      most = Math.max(most, running.get(lane) ?? 0)
      yield* fake
        .onRequest(made)
        .pipe(Effect.ensuring(Effect.sync(() => running.set(lane, (running.get(lane) ?? 0) - 1))))
      // As an adapter has it: whom a provider takes tells who of them it refuses.
      const refused = call.recipients.length > 0 && call.recipients.every((one) => treatments.get(one) === "refused")
      const failure = refused ? ({ kind: "refused" } as const) : failureOf(operation, sender)
      if (failure === undefined || failure.kind === "none") return work()
      if ("done" in failure && failure.done) work()
      return yield* new ProviderError({ account, operation, reason: reasonOf(failure), detail: failure.kind })
    })

  const list: ListPort = {
    maxPage: options.pageSize ?? 3,
    coverage: options.coverage ?? "complete",
    page: ({ cursor, sender, size }) =>
      request({ operation: "list", sender, recipients: [], cursor }, () => {
        const next = (cursor: string) => ({ _tag: "More" as const, cursor })
        if (spoilt === "endless") return { readings: [], problems: [], next: next(`${cursor ?? ""}.`) }
        const rows = [...blocked].toSorted().filter((row) => sender === undefined || row.startsWith(`${sender} `))
        const page = rows.filter((row) => cursor === undefined || row > cursor).slice(0, size)
        const last = page.at(-1)
        const more = last !== undefined && last !== rows.at(-1)
        return {
          readings: page.map((row): Reading => {
            const [sender, recipient] = row.split(" ")
            return {
              sender: sender as SenderAddress,
              recipient: recipient as Recipient,
              state: "opted-out",
              origin: "unknown"
            }
          }),
          problems: spoilt === "unreadable row" ? [{ row: "records[0]", reason: "no recipient" }] : [],
          next: spoilt === "circle" ? next("round and round") : more ? next(last) : { _tag: "End" as const }
        }
      })
  }

  const write = (state: ConsentState): WritePort => ({
    maxRecipients: batch,
    concurrency: options.concurrency ?? 2,
    except: (sender) => (sender === options.except ? "the carrier holds it" : undefined),
    write: (sender, recipients) => {
      const operation = state === "opted-out" ? "optOut" : "optIn"
      return request({ operation, sender, recipients, cursor: undefined }, () =>
        recipients.flatMap((recipient): ReadonlyArray<WriteOutcome> => {
          const treatment = treatments.get(recipient)
          if (treatment === "missing") return []
          if (treatment === "rejected" || treatment === "refused")
            return [{ _tag: "Rejected", recipient, detail: "not a mobile number" }]
          if (treatment === "retryable") {
            return [{ _tag: "Retryable", recipient, detail: "try again", mayHaveApplied: false }]
          }
          if (state === "opted-out") blocked.add(key(sender, recipient))
          else blocked.delete(key(sender, recipient))
          return [{ _tag: "Held", recipient }]
        })
      )
    }
  })

  const check = (sender: SenderAddress, recipients: ReadonlyArray<Recipient>) =>
    request({ operation: "check", sender, recipients, cursor: undefined }, () =>
      recipients.flatMap((recipient): ReadonlyArray<CheckAnswer> => {
        const treatment = treatments.get(recipient)
        if (treatment === "missing") return []
        if (treatment === "unanswered" || treatment === "refused")
          return [{ _tag: "Unanswered", recipient, status: 500, detail: "no answer" }]
        const state = blocked.has(key(sender, recipient)) ? "opted-out" : "opted-in"
        return [{ _tag: "Known", recipient, reading: { sender, recipient, state, origin: "unknown" } }]
      })
    )

  const understand = (body: string): Observation | undefined => {
    const message = readMessage(body)
    const heard = hear(message.text, keywords, ruleAt(unitedStates, message.at))
    return heard === undefined
      ? undefined
      : {
          account,
          sender: message.to as SenderAddress,
          recipient: message.from as Recipient,
          state: heard.state,
          origin: "recipient",
          basis: "message",
          time: point(message.at),
          reach: heard.reach,
          key: `message:${message.id}`,
          evidence: { messageId: message.id, keyword: heard.keyword }
        }
  }

  const adapter: ProviderAdapter = {
    account,
    vendor: "fake",
    probe: (sender) => request({ operation: "probe", sender, recipients: [], cursor: undefined }, () => undefined),
    list: options.can === "check" ? cannot("it has no list") : can(list),
    check: options.can === "check" ? can({ maxRecipients: batch, check }) : cannot("it can be listed"),
    write: {
      optOut: can(write("opted-out")),
      optIn: options.optIn === undefined ? can(write("opted-in")) : cannot(options.optIn)
    },
    events: can({
      receive: ({ body }) =>
        Effect.sync(() => {
          const observation = understand(body)
          return {
            _tag: "Understood",
            observations: observation === undefined ? [] : [observation],
            problems: [],
            reply: { status: 200, headers: {}, body: "" }
          }
        })
    }),
    subscription: cannot("it always calls"),
    stream: cannot("it always calls"),
    evidence:
      options.keepsMessages === true
        ? can({
            since: (sender, recipient, since) =>
              request({ operation: "evidence", sender, recipients: [recipient], cursor: undefined }, () =>
                messages.filter(
                  (one) => one.sender === sender && one.recipient === recipient && one.time.notAfter >= since
                )
              )
          })
        : cannot("it keeps no messages"),
    limits: options.limits ?? [],
    keywords,
    settle: Duration.millis(options.settleMs ?? 0)
  }

  const fake: Fake = {
    adapter,
    blocked,
    calls,
    block: (sender, ...recipients) => recipients.forEach((recipient) => blocked.add(key(sender, recipient))),
    lift: (sender, ...recipients) => recipients.forEach((recipient) => blocked.delete(key(sender, recipient))),
    holds: (sender, recipient) => blocked.has(key(sender, recipient)),
    fail: (operation, failures, only) => {
      queued.set(only === undefined ? operation : `${operation} ${only}`, [...failures])
    },
    failAlways: (operations, failure) => {
      for (const operation of operations) {
        if (failure === undefined) always.delete(operation)
        else always.set(operation, failure)
      }
    },
    treat: (recipient, how) => {
      if (how === undefined) treatments.delete(recipient)
      else treatments.set(recipient, how)
    },
    spoil: (how) => {
      spoilt = how
    },
    onRequest: () => Effect.void,
    text: (sender, recipient, words, at) => {
      const body = JSON.stringify({
        id: `${at} ${sender} ${recipient} ${words}`,
        from: recipient,
        to: sender,
        text: words,
        at
      })
      const observation = understand(body)
      if (observation !== undefined) messages.push(observation)
      if (words === "STOP") blocked.add(key(sender, recipient))
      if (words === "START") blocked.delete(key(sender, recipient))
      return { method: "POST", headers: {}, query: {}, body, receivedAt: at }
    },
    mostAtOnce: () => most
  }
  return fake
}

const reasonOf = (failure: Exclude<Failure, { kind: "none" }>): ProviderFailure => {
  switch (failure.kind) {
    case "throttled":
      return failure.retryAfterMs === undefined
        ? new Throttled({})
        : new Throttled({ retryAfter: Duration.millis(failure.retryAfterMs) })
    case "unavailable":
      return new Unavailable({
        status: 503,
        mayHaveApplied: failure.mayHaveApplied ?? failure.done ?? false,
        ...(failure.retryAfterMs !== undefined && { retryAfter: Duration.millis(failure.retryAfterMs) })
      })
    case "unreadable":
      return new Unreadable({ mayHaveApplied: true })
    case "denied":
      return new Denied({ status: 401 })
    case "refused":
      return new Refused({ status: 400 })
  }
}
