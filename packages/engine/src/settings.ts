/** What can be tuned, with the values that are safe for a stranger's account. */
import type { OptInPolicy } from "@stopline/consent"

/** At most `count`, or `share` of the pairs known at the account, whichever is more. */
export interface Limit {
  readonly count: number
  readonly share: number
}

export interface EngineSettings {
  readonly policy: OptInPolicy
  readonly guard: {
    /** Opt-outs found by reading, per account and round. */
    readonly optOuts: Limit
    /** Opt-ins, each with admissible evidence, per account and round. */
    readonly optIns: Limit
    /** Pairs that a finished walk may miss before a person has to look. */
    readonly absences: Limit
  }
  /** How long evidence is looked for before a block that a provider lifted is put back (ms). */
  readonly confirmMs: number
  /** How long after a write of ours its echo may arrive (ms). */
  readonly echoMs: number
  /** How long a lane is ours without a sign of life (ms). */
  readonly leaseMs: number
  /** How long to wait for a lane that another process holds (ms). */
  readonly patienceMs: number
  /** How soon to look whether a lane is free when nobody says so (ms). */
  readonly lookAgainMs: number
  /** How long a write in flight may still take when the process is told to stop (ms). */
  readonly graceMs: number
  /** Requests tried again after a failure that may pass, and at most. */
  readonly retries: number
  /** Rows of the ledger that are read or stored at once: what a statement can carry without making others wait. */
  readonly pageRows: number
}

export const defaultSettings: EngineSettings = {
  policy: "strict",
  guard: {
    optOuts: { count: 1000, share: 0.2 },
    optIns: { count: 100, share: 0.01 },
    absences: { count: 1000, share: 0.2 }
  },
  confirmMs: 10 * 60_000,
  echoMs: 2 * 60_000,
  leaseMs: 60_000,
  patienceMs: 30_000,
  lookAgainMs: 2_000,
  graceMs: 3_000,
  retries: 4,
  pageRows: 1000
}

export const allowed = (limit: Limit, population: number): number =>
  Math.max(limit.count, Math.floor(limit.share * population))
