/** Nothing is sent while a penalty lasts, but by who had passed the gate before it began (L15). */
import { type Operation, type ProviderAdapter, ProviderError, retryAfter } from "@stopline/provider"
import { Duration, Effect } from "effect"

interface Penalty {
  readonly since: number
  readonly until: number
}

/** What a worker does on its way to a request, asking the gate: by the names of the ledger's operations. */
const asksGate = new Set(["reserve", "blocked for"])

/** How long the news of a penalty may take to the gate (ms). */
const underway = 1_000

export class Penalties {
  readonly #now: () => number
  readonly #breaks: (law: string, what: string) => void
  readonly #skew: number
  /** By credential and name of the limit. */
  readonly #penalties = new Map<string, Penalty>()
  /** Fibers that were told themselves, and of what. */
  readonly #told = new WeakMap<object, string>()
  /** When each fiber last asked the gate. A request leaves by the fiber that asked. */
  readonly #asked = new WeakMap<object, number>()

  /** @param skew how far clocks may differ (ms) */
  constructor(skew: number, now: () => number, breaks: (law: string, what: string) => void) {
    this.#skew = skew
    this.#now = now
    this.#breaks = breaks
  }

  /** Somebody was stopped on the way, who may have been told of a penalty and not have passed it on. */
  forget(): void {
    this.#penalties.clear()
  }

  /** A worker's turn at the ledger. */
  ledger(operation: string): Effect.Effect<void> {
    return Effect.withFiber((fiber) =>
      Effect.sync(() => {
        if (asksGate.has(operation)) this.#asked.set(fiber, this.#now())
      })
    )
  }

  /** A request's turn, from its beginning to its answer. */
  request<A, E, R>(
    { account, limits }: ProviderAdapter,
    operation: Operation,
    self: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, R> {
    const limit = limits.find(({ operations }) => operations.includes(operation))
    if (limit === undefined) return self
    const key = `${limit.credential} ${limit.name}`
    return Effect.withFiber((fiber) => {
      const penalty = this.#penalties.get(key)
      const asked = this.#asked.get(fiber) ?? 0
      const knew = this.#told.get(fiber) === key || (penalty !== undefined && asked > penalty.since + underway)
      if (penalty !== undefined && knew && this.#now() < penalty.until - this.#skew) {
        const left = penalty.until - this.#now()
        this.#breaks("L15", `${account}: ${operation} was sent ${left} ms before the end of a penalty`)
      }
      return Effect.tapError(self, (error) =>
        Effect.sync(() => {
          if (!(error instanceof ProviderError) || error.reason._tag !== "Throttled") return
          const since = this.#now()
          const until = since + Duration.toMillis(retryAfter(error) ?? limit.penalty)
          this.#penalties.set(key, { since, until })
          this.#told.set(fiber, key)
        })
      )
    })
  }
}
