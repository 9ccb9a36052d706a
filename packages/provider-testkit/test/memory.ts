/**
 * A provider in memory with an honest adapter, so that dishonest ones can be
 * made of it: the laws have to notice.
 */
import { type ConsentState, Recipient, type SenderAddress } from "@stopline/consent"
import {
  can,
  type CheckAnswer,
  Denied,
  type ListPort,
  notYet,
  type Page,
  type ProviderAdapter,
  ProviderError,
  type ProviderFailure,
  Refused,
  type Subscription,
  Throttled,
  Unavailable,
  Unreadable,
  type WriteOutcome
} from "@stopline/provider"
import { Cause, Deferred, Duration, Effect, Queue } from "effect"
import type { Asked, Fake, Fault } from "../src/index.ts"
import {
  account,
  eventPort,
  keywords,
  type MemoryText,
  secret,
  sender,
  streamPort,
  subscriptionPort
} from "./memory-events.ts"

export interface Memory extends Fake {
  /** One request: what it does is done by `work`, unless a fault says otherwise. */
  readonly ask: <A>(operation: Asked, work: (fault: Fault | undefined) => A) => Effect.Effect<A, ProviderError>
  readonly blocked: Set<Recipient>
  /** What people texted. */
  readonly texts: Array<MemoryText>
  /** Who listens by a stream. */
  readonly lines: Set<Queue.Queue<MemoryText, ProviderError>>
  /** The subscription: one for each URL, with the URL's own id. */
  readonly subscribe: (url: string) => Effect.Effect<Subscription>
}

const people = Array.from({ length: 30 }, (_, index) => Recipient.make(`+1206555${1000 + index}`))

const hungUp = new ProviderError({
  account,
  operation: "subscribe",
  reason: new Unavailable({ mayHaveApplied: false }),
  detail: "the line is cut"
})

export const memory = Effect.sync((): Memory => {
  const blocked = new Set<Recipient>()
  const log: Array<string> = []
  const armed = new Map<Asked, Fault>()
  let inFlight = 0
  let closed = false
  let hook: string | undefined
  const texts: Memory["texts"] = []
  const lines: Memory["lines"] = new Set()

  const struck = (operation: Asked): Fault | undefined => {
    const fault = armed.get(operation)
    if (fault !== undefined && !("recipient" in fault)) armed.delete(operation)
    return fault
  }
  const ask: Memory["ask"] = (operation, work) =>
    Effect.suspend(() => {
      const fail = (reason: ProviderFailure) =>
        Effect.fail(new ProviderError({ account, operation, reason, detail: "it went wrong" }))
      const mayHaveApplied = operation === "optOut" || operation === "optIn"
      if (closed) return fail(new Unavailable({ mayHaveApplied: false }))
      log.push(operation)
      inFlight += 1
      const fault = struck(operation)
      if (fault !== undefined && "applied" in fault && fault.kind !== "itemMissing" && fault.applied) work(undefined)
      switch (fault?.kind) {
        case "throttled":
          return fail(new Throttled(fault.retryAfter === undefined ? {} : { retryAfter: fault.retryAfter }))
        case "unavailable":
          return fail(new Unavailable({ status: 503, mayHaveApplied }))
        case "html":
        case "repeatedToken":
        case "forgottenToken":
          return fail(new Unreadable({ mayHaveApplied }))
        case "cut":
          return fail(new Unavailable({ mayHaveApplied }))
        case "denied":
          return fail(new Denied({ status: 403 }))
        case "refused":
          return fail(new Refused({ status: 404 }))
        case "hang":
          return Effect.never
        default:
          return Effect.sync(() => work(fault))
      }
    }).pipe(Effect.ensuring(Effect.sync(() => (inFlight = Math.max(0, inFlight - 1)))))

  return {
    ask,
    blocked,
    sender,
    people,
    secrets: [secret],
    seed: (some) => Effect.sync(() => some.forEach((person) => blocked.add(person))),
    held: Effect.sync(() => [...blocked]),
    log: Effect.sync(() => [...log]),
    inFlight: Effect.sync(() => inFlight + lines.size),
    texts,
    lines,
    hangUp: Effect.sync(() => lines.forEach((line) => Queue.failCauseUnsafe(line, Cause.fail(hungUp)))),
    subscribe: (url) =>
      Effect.promise(async () => {
        hook = url
        await fetch(url, { method: "POST", headers: { hello: "it is me" } }).catch(() => undefined)
        return { id: url, missing: [] }
      }),
    fault: (operation, fault) =>
      Effect.sync(() => {
        if (fault.kind === "unreachable") closed = true
        else armed.set(operation, fault)
      }),
    text: (person, words) =>
      Effect.promise(async () => {
        const said: MemoryText = { id: `t${texts.length}`, from: person, words }
        texts.push(said)
        for (const line of lines) Queue.offerUnsafe(line, said)
        const body = JSON.stringify(said)
        if (hook !== undefined) await fetch(hook, { method: "POST", headers: { secret }, body })
      }),
    events: {
      subscribe: (url) => Effect.sync(() => void (hook = url)),
      forge: (request) => [{ ...request, headers: {} }]
    }
  }
})

const listPort = ({ ask, blocked }: Memory): ListPort => ({
  maxPage: 10,
  coverage: "complete",
  page: ({ cursor = "0", size }) =>
    ask("list", (fault): Page => {
      const start = Number(cursor)
      if (fault?.kind === "emptyPage") return { readings: [], problems: [], next: { _tag: "More", cursor } }
      const all = [...blocked]
      const rows = all.slice(start, start + size)
      return {
        readings: rows.map((recipient) => ({ sender, recipient, state: "opted-out", origin: "unknown" })),
        problems: [],
        next: start + size < all.length ? { _tag: "More", cursor: String(start + size) } : { _tag: "End" }
      }
    })
})

const writePort = ({ ask, blocked }: Memory, operation: "optOut" | "optIn", state: ConsentState) => ({
  maxRecipients: 20,
  concurrency: 1,
  except: () => undefined,
  write: (_: SenderAddress, some: ReadonlyArray<Recipient>) =>
    some.length === 0
      ? Effect.succeed([])
      : ask(operation, (fault) =>
          some.map((recipient): WriteOutcome => {
            const bad = fault !== undefined && "recipient" in fault && fault.recipient === recipient
            if (!bad || (fault.kind === "itemMissing" && fault.applied)) {
              if (state === "opted-out") blocked.add(recipient)
              else blocked.delete(recipient)
            }
            if (!bad) return { _tag: "Held", recipient }
            return fault.kind === "itemMissing"
              ? { _tag: "Retryable", recipient, detail: "it was left out", mayHaveApplied: true }
              : { _tag: "Rejected", recipient, detail: "it was refused" }
          })
        )
})

export const adapterOf = Effect.fnUntraced(function* (
  fake: Memory,
  { timeout = Duration.minutes(1) }: { readonly timeout?: Duration.Duration } = {}
) {
  const gone = yield* Deferred.make<void>()
  yield* Effect.addFinalizer(() => Deferred.succeed(gone, undefined))
  /** Every request ends with its time, or with the adapter. */
  const bounded: Memory = {
    ...fake,
    ask: (operation, work) => {
      const mayHaveApplied = operation === "optOut" || operation === "optIn"
      const error = new ProviderError({
        account,
        operation,
        reason: new Unavailable({ mayHaveApplied }),
        detail: "no answer came in time"
      })
      const over = Effect.andThen(Effect.raceFirst(Deferred.await(gone), Effect.sleep(timeout)), Effect.fail(error))
      return Effect.raceFirst(fake.ask(operation, work), over)
    }
  }
  const { ask, blocked } = bounded
  const minute = Duration.minutes(1)
  const adapter: ProviderAdapter = {
    account,
    vendor: "memory",
    probe: () => ask("probe", () => undefined),
    list: can(listPort(bounded)),
    check: can({
      maxRecipients: 20,
      check: (_, some) =>
        some.length === 0
          ? Effect.succeed([])
          : ask("check", (fault) =>
              some.map((recipient): CheckAnswer => {
                const missing = fault !== undefined && "recipient" in fault && fault.recipient === recipient
                if (missing) return { _tag: "Unanswered", recipient, detail: "it was left out" }
                const state = blocked.has(recipient) ? "opted-out" : "opted-in"
                return { _tag: "Known", recipient, reading: { sender, recipient, state, origin: "unknown" } }
              })
            )
    }),
    write: {
      optOut: can(writePort(bounded, "optOut", "opted-out")),
      optIn: can(writePort(bounded, "optIn", "opted-in"))
    },
    events: can(eventPort),
    subscription: can(subscriptionPort(bounded)),
    stream: can(streamPort(bounded)),
    evidence: notYet("nobody has written it yet"),
    limits: [
      {
        name: "all",
        credential: account,
        requests: 10,
        window: minute,
        penalty: minute,
        operations: ["probe", "list", "check", "optOut", "optIn"]
      }
    ],
    keywords,
    settle: Duration.zero
  }
  return adapter
})
