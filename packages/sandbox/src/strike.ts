/**
 * A fault of the whole request strikes: instead of the answer, or on its way back.
 */
import type { Call, Fault, Faults } from "./fault.ts"
import { type Outcome, type WireResponse, answer, html } from "./wire.ts"

/** What the vendor itself says when it is over its limits, or down. */
export interface Excuses {
  readonly throttled: (headers: Readonly<Record<string, string>>) => WireResponse
  readonly unavailable: (status: number) => WireResponse
}

export interface Struck {
  readonly outcome: Outcome
  readonly fault?: string
}

const page = "<!DOCTYPE html><html><head><title>Gateway</title></head><body><h1>We will be right back</h1>"

/** More than clients like to buffer; some hang on it. */
const bigPage = page + "<p>Please try again later.</p>".repeat(35_000)

const retryAfter = (fault: Extract<Fault, { kind: "throttle" }>, now: number): Record<string, string> => {
  const seconds = fault.retryAfter ?? 1
  if (fault.form === "none") return {}
  return { "retry-after": fault.form === "date" ? new Date(now + seconds * 1000).toUTCString() : String(seconds) }
}

const wholeRequest = ["throttle", "unavailable", "html-200", "hang", "slow", "drop-before", "drop-after-apply"] as const

/** The request is carried out to its end, and something else is said. */
const instead = (outcome: Outcome, other: Outcome): Outcome =>
  outcome._tag === "Ask" ? { ...outcome, answered: (answer) => instead(outcome.answered(answer), other) } : other

/**
 * @param run carries the request out and says what the vendor would answer
 * @param now ms since the epoch
 */
export const strike = (faults: Faults, call: Call, excuses: Excuses, now: number, run: () => Outcome): Struck => {
  const fault = faults.take(wholeRequest, call)
  if (fault === undefined) return { outcome: run() }
  const spoil = (outcome: Outcome): Struck => ({
    fault: fault.kind,
    outcome: "applied" in fault && fault.applied ? instead(run(), outcome) : outcome
  })
  switch (fault.kind) {
    case "throttle":
      return spoil(answer(excuses.throttled(retryAfter(fault, now))))
    case "unavailable": {
      const { big = false, status = 503 } = fault
      return spoil(answer(big ? html(status, bigPage) : excuses.unavailable(status)))
    }
    case "html-200":
      return spoil(answer(html(200, page)))
    case "hang":
      return spoil({ _tag: "Hang" })
    case "slow":
      return spoil({ _tag: "Later", after: fault.ms, outcome: run() })
    case "drop-before":
      return spoil({ _tag: "Drop" })
    default:
      return spoil(instead(run(), { _tag: "Drop" }))
  }
}
