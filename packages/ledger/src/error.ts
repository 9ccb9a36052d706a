/** What can go wrong with the ledger, named by what to do next. */
import { Predicate, Schema } from "effect"

export class LedgerError extends Schema.TaggedError<LedgerError>()("LedgerError", {
  /**
   * - `unreachable`: no connection, or no room on its disk; try again, or look at the URL
   * - `conflict`: another transaction was in the way; the same again will do
   * - `fenced`: this process no longer holds the lane it writes for; stop, and let the holder go on
   * - `newer`: a newer Stopline has migrated this database
   * - `broken`: anything else; a person has to look
   */
  kind: Schema.Literals(["unreachable", "conflict", "fenced", "newer", "broken"]),
  operation: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `ledger: ${this.operation}: ${this.detail}`
  }
}

const conflicts = new Set(["40001", "40P01", "55P03"])
const unreachable = /^(08...|25P03|53...|57P0.|28...|3D000)$/
/** EAI_AGAIN is what a container hears of a database whose container is away. */
const network = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EPIPE",
  "EHOSTUNREACH",
  "ENETUNREACH"
])

/** A driver's error, by its SQLSTATE. Details of rows stay out: they hold numbers. */
export const ledgerError =
  (operation: string) =>
  (cause: unknown): LedgerError => {
    if (cause instanceof LedgerError) return cause
    const code = Predicate.hasProperty(cause, "code") && Predicate.isString(cause.code) ? cause.code : ""
    const text = Predicate.isError(cause) ? cause.message : "unknown failure"
    const lost =
      network.has(code) ||
      unreachable.test(code) ||
      /terminated|timeout exceeded|not queryable|been discarded/i.test(text)
    const kind = conflicts.has(code) ? "conflict" : lost ? "unreachable" : "broken"
    return new LedgerError({ kind, operation, detail: code === "" ? text : `${text} (${code})` })
  }
