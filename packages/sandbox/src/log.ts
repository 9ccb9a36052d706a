/**
 * What was asked of an account, for tests and demos to look at. No recipient is in it.
 */
import type { Call } from "./fault.ts"
import type { Outcome } from "./wire.ts"

export interface LogEntry {
  /** ms since the epoch, by the sandbox's clock. */
  readonly at: number
  readonly method: string
  readonly operation: string
  readonly sender?: string
  /** Recipients asked about or written; for a list, rows answered. */
  readonly count: number
  /** The answer's status, or what came instead of an answer. */
  readonly status: number | "dropped" | "hung"
  /** The fault that struck the whole request. */
  readonly fault?: string
}

/** A request as its account saw it, before it was answered. */
export interface Seen {
  readonly at: number
  readonly method: string
  readonly call: Call
  readonly count: number
  readonly fault: string | undefined
}

/** A long benchmark must not fill the memory with its own traces. */
const most = 100_000

export class RequestLog {
  #entries: Array<LogEntry> = []

  /** Notes the request with what came of it, which may only be known after somebody was asked. */
  outcome(seen: Seen, outcome: Outcome): Outcome {
    if (outcome._tag === "Ask")
      return { ...outcome, answered: (answer) => this.outcome(seen, outcome.answered(answer)) }
    if (outcome._tag === "Later") return { ...outcome, outcome: this.outcome(seen, outcome.outcome) }
    const { at, call, count, fault, method } = seen
    this.#add({
      at,
      method,
      operation: call.operation,
      ...(call.sender !== undefined && { sender: call.sender }),
      count,
      status: outcome._tag === "Answer" ? outcome.response.status : outcome._tag === "Drop" ? "dropped" : "hung",
      ...(fault !== undefined && { fault })
    })
    return outcome
  }

  #add(entry: LogEntry): void {
    if (this.#entries.length >= most) this.#entries = this.#entries.slice(most / 2)
    this.#entries.push(entry)
  }

  entries(): ReadonlyArray<LogEntry> {
    return [...this.#entries]
  }

  clear(): void {
    this.#entries = []
  }
}
