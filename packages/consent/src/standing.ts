/**
 * What a pair *must* be. A standing is two max-registers folded from observations:
 * the latest opt-out of the group, and the latest opt-ins, by what they are worth.
 *
 * Maxima are commutative, associative and idempotent, so any order of arrival
 * and any repetition gives the same standing (L11). An opt-out counts at the
 * latest moment it can have happened, an opt-in at the earliest, so overlaps
 * fall to the opt-out (L4). The ledger does the same fold in SQL; this is the law.
 */
import type { Observation } from "./observation.ts"
import { gradeOptIn, type OptInPolicy } from "./policy.ts"

/** The latest moment of one kind, and the observation that set it. */
export interface Register {
  readonly at: number
  readonly because: number
}

/** The later of two; at a tie the earlier observation, so that a rebuild finds the same one. */
export const later = (a: Register | undefined, b: Register | undefined): Register | undefined => {
  if (a === undefined) return b
  if (b === undefined) return a
  if (a.at !== b.at) return a.at > b.at ? a : b
  return a.because <= b.because ? a : b
}

/** What one recipient has told one group of senders, and within it one sender. */
export interface Standing {
  /** Latest opt-out said to any sender of the group. */
  readonly out?: Register
  /** Latest opt-in said to any sender of the group in words that reach the group. */
  readonly groupIn?: Register
  /** Latest opt-in said to this sender. */
  readonly pairIn?: Register
  /** Latest opt-in a provider told of for this sender, nobody named. */
  readonly toldIn?: Register
}

export const empty: Standing = {}

const make = (
  out: Register | undefined,
  groupIn: Register | undefined,
  pairIn: Register | undefined,
  toldIn: Register | undefined
): Standing => ({
  ...(out && { out }),
  ...(groupIn && { groupIn }),
  ...(pairIn && { pairIn }),
  ...(toldIn && { toldIn })
})

/** Joins what two parts of the ledger know. */
export const join = (a: Standing, b: Standing): Standing =>
  make(later(a.out, b.out), later(a.groupIn, b.groupIn), later(a.pairIn, b.pairIn), later(a.toldIn, b.toldIn))

/**
 * What one observation adds to the standing of a pair of the same group and recipient.
 *
 * @param samePair whether it was said to the very sender whose standing this is
 */
export const contribution = (
  observation: Pick<Observation, "state" | "origin" | "basis" | "time" | "reach">,
  id: number,
  samePair: boolean
): Standing => {
  if (observation.state === "opted-out") return { out: { at: observation.time.notAfter, because: id } }
  const register = { at: observation.time.notBefore, because: id }
  // An opt-in of which nobody knows when it began is later than nothing.
  if (register.at === Number.NEGATIVE_INFINITY) return empty
  const grade = gradeOptIn(observation)
  if (grade === undefined) return empty
  if (grade === "told") return samePair ? { toldIn: register } : empty
  return make(
    undefined,
    observation.reach === "group" ? register : undefined,
    samePair ? register : undefined,
    undefined
  )
}

/** The opt-in that counts for the pair under a policy. */
export const admissibleOptIn = (standing: Standing, policy: OptInPolicy): Register | undefined => {
  switch (policy) {
    case "strict":
      return standing.pairIn
    case "group":
      return later(standing.pairIn, standing.groupIn)
    case "trusting":
      return later(standing.pairIn, standing.toldIn)
  }
}

/** Opted out iff an opt-out exists and no admissible opt-in is strictly later (L3, L4). */
export const mustBeOptedOut = (standing: Standing, policy: OptInPolicy): boolean => {
  if (standing.out === undefined) return false
  const optIn = admissibleOptIn(standing, policy)
  return optIn === undefined || optIn.at <= standing.out.at
}
