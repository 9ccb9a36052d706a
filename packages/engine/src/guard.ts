/**
 * Whether a plan may be carried out without a person. Pure. Limits are by count
 * and by share, both ways: a mass opt-in is unlawful, a mass opt-out ruinous (L8).
 */
import type { ConsentState } from "@stopline/consent"
import type { Halt } from "@stopline/ledger"
import { allowed, type EngineSettings } from "./settings.ts"

/** What a plan wants at one account. */
export interface Tally {
  /** Opt-outs that reading found. What people said themselves is not among them. */
  readonly optOuts: number
  readonly optIns: number
  /** Opt-ins with no admissible observation behind them: never without approval. */
  readonly optInsWithoutEvidence: number
}

export interface GuardHalt {
  readonly kind: "too-many-opt-outs" | "too-many-opt-ins" | "opt-ins-without-evidence"
  readonly count: number
  readonly limit: number
  readonly population: number
}

export const guard = (tally: Tally, population: number, limits: EngineSettings["guard"]): ReadonlyArray<GuardHalt> => {
  const check = (kind: GuardHalt["kind"], count: number, limit: number): ReadonlyArray<GuardHalt> =>
    count > limit ? [{ kind, count, limit, population }] : []
  return [
    ...check("too-many-opt-outs", tally.optOuts, allowed(limits.optOuts, population)),
    ...check("too-many-opt-ins", tally.optIns, allowed(limits.optIns, population)),
    ...check("opt-ins-without-evidence", tally.optInsWithoutEvidence, 0)
  ]
}

/** Which way a halt of this kind stands in the way. */
export const holdsBack = (kind: string): "opted-out" | "opted-in" | undefined =>
  kind === "too-many-opt-outs"
    ? "opted-out"
    : kind === "too-many-opt-ins" || kind === "opt-ins-without-evidence"
      ? "opted-in"
      : undefined

/** A halt that nobody has cleared, as far as it concerns what may be written. */
export type OpenHalt = Pick<Halt, "account" | "kind" | "message">

/** The directions in which open halts stand in the way of an account. */
export const heldBackAt = (
  account: string,
  open: ReadonlyArray<Pick<OpenHalt, "account" | "kind">>
): ReadonlyArray<ConsentState> => open.flatMap((halt) => (halt.account === account ? (holdsBack(halt.kind) ?? []) : []))

export const guardMessage = (account: string, halt: GuardHalt, digest: string): string => {
  const what = {
    "too-many-opt-outs": "opt-outs found by reading",
    "too-many-opt-ins": "opt-ins",
    "opt-ins-without-evidence": "opt-ins without evidence"
  }[halt.kind]
  return (
    `${account}: ${halt.count} ${what}, over the limit of ${halt.limit} (${halt.population} pairs known there). ` +
    `Nothing of it was written. Look with \`stopline plan\`, then \`stopline apply --approve ${digest}\``
  )
}
