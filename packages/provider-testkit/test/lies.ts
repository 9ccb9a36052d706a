/** Adapters that lie, each about one thing, and the law that is about it. Those that mishear are in lies-events.ts. */
import { assert } from "@effect/vitest"
import {
  can,
  cannot,
  type Capability,
  type CheckPort,
  type ListPort,
  type ProviderAdapter,
  ProviderError,
  Refused,
  Throttled,
  Unavailable,
  type WriteOutcome,
  type WritePort
} from "@stopline/provider"
import { Duration, Effect } from "effect"
import type { Memory } from "./memory.ts"
import { secret } from "./memory-events.ts"

export type Lie = (adapter: ProviderAdapter, fake: Memory) => ProviderAdapter

export const portOf = <Port>(capability: Capability<Port>): Port =>
  capability._tag === "Can" ? capability.port : assert.fail(capability.reason)

const listing =
  (change: (list: ListPort) => ListPort["page"]): Lie =>
  (adapter) => {
    const list = portOf(adapter.list)
    return { ...adapter, list: can({ ...list, page: change(list) }) }
  }

const checking =
  (change: (check: CheckPort["check"]) => CheckPort["check"]): Lie =>
  (adapter) => {
    const port = portOf(adapter.check)
    return { ...adapter, check: can({ ...port, check: change(port.check) }) }
  }

const writing =
  (change: (write: WritePort["write"]) => WritePort["write"]): Lie =>
  (adapter) => {
    const [optOut, optIn] = [adapter.write.optOut, adapter.write.optIn].map((capability) => {
      const port = portOf(capability)
      return can({ ...port, write: change(port.write) })
    })
    return { ...adapter, write: { optOut: optOut!, optIn: optIn! } }
  }

const outcomes = (change: (outcome: WriteOutcome) => WriteOutcome): Lie =>
  writing((write) => (sender, people) => Effect.map(write(sender, people), (all) => all.map(change)))

/** Spoils every error of every call. */
const failing =
  (change: (error: ProviderError) => ProviderError): Lie =>
  (adapter) => {
    const spoil = <A>(call: Effect.Effect<A, ProviderError>) => Effect.mapError(call, change)
    return [
      listing(
        ({ page }) =>
          (request) =>
            spoil(page(request))
      ),
      checking((check) => (sender, people) => spoil(check(sender, people))),
      writing((write) => (sender, people) => spoil(write(sender, people)))
    ].reduce((changed, lie) => lie(changed, undefined as never), {
      ...adapter,
      probe: (sender) => spoil(adapter.probe(sender))
    } as ProviderAdapter)
  }

export const withReason = ({ account, detail, operation }: ProviderError, reason: ProviderError["reason"]) =>
  new ProviderError({ account, detail, operation, reason })

/** What it does, the law that is about it, and how it is done. */
export type Told = readonly [what: string, law: RegExp, lie: Lie]

export const lies: ReadonlyArray<Told> = [
  ["gives no reasons", /has a reason/, (adapter) => ({ ...adapter, evidence: cannot("no") })],
  ["has no limits", /draws on a limit/, (adapter) => ({ ...adapter, limits: [] })],
  [
    "tells a secret in its limit",
    /draws on a limit/,
    (adapter) => ({
      ...adapter,
      limits: adapter.limits.map((limit) => ({ ...limit, credential: secret }))
    })
  ],
  [
    "has words as people write them",
    /keywords/,
    (adapter) => ({
      ...adapter,
      keywords: { optOut: ["Stop"], optIn: ["Start"] }
    })
  ],
  [
    "writes when it probes",
    /a probe/,
    (adapter, fake) => ({
      ...adapter,
      probe: (sender) =>
        Effect.andThen(
          adapter.probe(sender),
          Effect.sync(() => fake.blocked.clear())
        )
    })
  ],
  [
    "loses a row of a page",
    /whatever the page size/,
    listing(
      ({ page }) =>
        (request) =>
          Effect.map(page(request), (read) => ({
            ...read,
            readings: read.readings.slice(0, Math.max(1, request.size - 1))
          }))
    )
  ],
  [
    "keeps its cursor in memory",
    /remembers nothing/,
    (adapter, fake) => {
      let last: string | undefined
      return listing(({ page }) => ({ cursor, ...request }) => {
        const known = cursor !== undefined && cursor === last
        return Effect.map(page({ ...request, ...(known && { cursor }) }), (read) => {
          last = read.next._tag === "More" ? read.next.cursor : undefined
          return read
        })
      })(adapter, fake)
    }
  ],
  [
    "takes an empty page for the end",
    /empty page/,
    listing(
      ({ page }) =>
        (request) =>
          Effect.map(page(request), (read) => (read.readings.length > 0 ? read : { ...read, next: { _tag: "End" } }))
    )
  ],
  [
    "takes a lost page for the end",
    /(repeated|forgotten) token/,
    listing(
      ({ page }) =>
        (request) =>
          Effect.catch(page(request), () =>
            Effect.succeed({ readings: [], problems: [], next: { _tag: "End" } } as const)
          )
    )
  ],
  [
    "answers in another order",
    /in the order asked/,
    checking((check) => (sender, people) => Effect.map(check(sender, people), (answers) => answers.toReversed()))
  ],
  [
    "takes silence for no",
    /never opted in/,
    checking(
      (check) => (sender, people) =>
        Effect.map(check(sender, people), (answers) =>
          answers.map((answer) =>
            answer._tag === "Known"
              ? answer
              : {
                  _tag: "Known",
                  recipient: answer.recipient,
                  reading: { sender, recipient: answer.recipient, state: "opted-in", origin: "unknown" }
                }
          )
        )
    )
  ],
  [
    "says held and writes nothing",
    /is held, and read back/,
    writing(() => (_, people) => Effect.succeed(people.map((recipient) => ({ _tag: "Held", recipient }))))
  ],
  [
    "knows nothing the second time",
    /is held, and read back/,
    (adapter, fake) => {
      let times = 0
      return outcomes((outcome) =>
        times++ < 20 ? outcome : { _tag: "Rejected", recipient: outcome.recipient, detail: "it is there already" }
      )(adapter, fake)
    }
  ],
  [
    "blames everybody for one",
    /spares its batch|costs nobody else/,
    writing(
      (write) => (sender, people) =>
        Effect.map(write(sender, people), (all) =>
          all.some(({ _tag }) => _tag === "Rejected")
            ? people.map((recipient) => ({ _tag: "Rejected", recipient, detail: "somebody was refused" }))
            : all
        )
    )
  ],
  [
    "takes silence for held",
    /left out of the answer is in doubt/,
    outcomes((outcome) => (outcome._tag === "Retryable" ? { _tag: "Held", recipient: outcome.recipient } : outcome))
  ],
  [
    "takes silence for not done",
    /left out of the answer is in doubt/,
    outcomes((outcome) => (outcome._tag === "Retryable" ? { ...outcome, mayHaveApplied: false } : outcome))
  ],
  [
    "sends a request for nobody",
    /for nobody/,
    (adapter, fake) =>
      writing(
        (write) => (sender, people) => (people.length > 0 ? write(sender, people) : fake.ask("optOut", () => []))
      )(adapter, fake)
  ],
  [
    "tries again",
    /429 is Throttled/,
    checking((check) => (sender, people) => Effect.retry(check(sender, people), { times: 1 }))
  ],
  [
    "forgets how long to wait",
    /for as long as it says/,
    failing((error) => (error.reason._tag === "Throttled" ? withReason(error, new Throttled({})) : error))
  ],
  [
    "invents how long to wait",
    /429 without a time/,
    failing((error) =>
      error.reason._tag === "Throttled" ? withReason(error, new Throttled({ retryAfter: Duration.seconds(1) })) : error
    )
  ],
  [
    "takes a denial for a failure",
    /403 is Denied/,
    failing((error) =>
      error.reason._tag === "Denied" ? withReason(error, new Unavailable({ mayHaveApplied: false })) : error
    )
  ],
  [
    "takes what it cannot read for wrong",
    /web page with status 200/,
    failing((error) => (error.reason._tag === "Unreadable" ? withReason(error, new Refused({ status: 200 })) : error))
  ],
  [
    "is always sure",
    /in doubt, and mended|breaks is Unavailable|5xx/,
    failing((error) =>
      error.reason._tag === "Unavailable" ? withReason(error, new Unavailable({ mayHaveApplied: false })) : error
    )
  ],
  [
    "is never sure",
    /cannot be made/,
    failing((error) =>
      error.reason._tag === "Unavailable" ? withReason(error, new Unavailable({ mayHaveApplied: true })) : error
    )
  ],
  [
    "tells a number in an error",
    /in full/,
    (adapter, fake) =>
      failing(
        ({ account, operation, reason }) =>
          new ProviderError({ account, operation, reason, detail: `no answer about ${fake.people[0]}` })
      )(adapter, fake)
  ],
  [
    "tells a secret in an error",
    /in full/,
    failing(
      ({ account, operation, reason }) => new ProviderError({ account, operation, reason, detail: `with ${secret}` })
    )
  ],
  [
    "tells a number in a reason",
    /in full/,
    outcomes((outcome) =>
      outcome._tag === "Rejected"
        ? { ...outcome, detail: `refused: ${outcome.recipient.replace("+1", "+1 ")}` }
        : outcome
    )
  ],
  [
    "cannot be interrupted",
    /an interrupted call/,
    checking(
      (check) => (sender, people) => Effect.promise(() => Effect.runPromise(Effect.orDie(check(sender, people))))
    )
  ],
  [
    "outlives its scope",
    /closing the scope/,
    (adapter, fake) => ({
      ...adapter,
      probe: () => Effect.orDie(fake.ask("probe", () => undefined))
    })
  ]
]
