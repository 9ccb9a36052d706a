/** What is counted of the calls to providers. Labels are of closed sets: nobody's number is ever one (L14). */
import type { LedgerError } from "@stopline/ledger"
import type { Operation, ProviderError } from "@stopline/provider"
import { Clock, Effect, Metric } from "effect"

/** How a call may end: well, by the name of the provider's failure, without the ledger, or because it was told to stop. */
export const outcomes = [
  "ok",
  "throttled",
  "unavailable",
  "denied",
  "refused",
  "unreadable",
  "ledger",
  "interrupted"
] as const
type Outcome = (typeof outcomes)[number]

const calls = Metric.counter("stopline_provider_requests_total", {
  description: "Calls to providers, by what became of them. This process's own.",
  incremental: true
})

const seconds = Metric.histogram("stopline_provider_request_seconds", {
  description: "How long providers took to answer, without the wait at our own gate. This process's own.",
  boundaries: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
})

export const requestsMade = (account: string, operation: Operation, outcome: Outcome) =>
  Metric.withAttributes(calls, { account, operation, outcome })

export const requestSeconds = (account: string, operation: Operation) =>
  Metric.withAttributes(seconds, { account, operation })

const failures: Record<ProviderError["reason"]["_tag"], Outcome> = {
  Throttled: "throttled",
  Unavailable: "unavailable",
  Denied: "denied",
  Refused: "refused",
  Unreadable: "unreadable"
}

const outcomeOf = (error: ProviderError | LedgerError): Outcome =>
  error._tag === "LedgerError" ? "ledger" : failures[error.reason._tag]

/** Counts a call, and times it. */
export const measured = <A, E extends ProviderError | LedgerError, R>(
  account: string,
  operation: Operation,
  call: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const end = Effect.fnUntraced(function* (outcome: Outcome) {
      yield* Metric.update(requestsMade(account, operation, outcome), 1)
      const ended = yield* Clock.currentTimeMillis
      yield* Metric.update(requestSeconds(account, operation), (ended - began) / 1000)
    })
    return yield* call.pipe(
      Effect.tap(() => end("ok")),
      Effect.tapError((error) => end(outcomeOf(error))),
      Effect.onInterrupt(() => end("interrupted"))
    )
  })
