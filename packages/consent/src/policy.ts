/**
 * Which opt-ins are admissible, and where they count (L3).
 *
 * - `strict`: the recipient's own words or a named person's attestation, for the pair they were said to.
 * - `group`: the same evidence, for the whole group, when the words reach that far.
 * - `trusting`: also a provider's own opt-in event or record, for its pair.
 *
 * An import never opts anyone in, under any policy; neither does a `check: false` or an absence alone.
 */
import type { Observation } from "./observation.ts"

export const policies = ["strict", "group", "trusting"] as const
export type OptInPolicy = (typeof policies)[number]

/** `said`: the recipient's own words or an attestation. `told`: a provider's own event or record, nobody named. */
export type OptInGrade = "said" | "told"

/** What an opt-in is worth, whatever the policy. Undefined: never anything. */
export const gradeOptIn = (observation: Pick<Observation, "origin" | "basis" | "state">): OptInGrade | undefined => {
  if (observation.state !== "opted-in") return undefined
  const { basis, origin } = observation
  if (basis === "imported" || origin === "import") return undefined
  if (origin === "recipient" || (origin === "operator" && basis === "attested")) return "said"
  // A record or event says that someone opted in; a check that answers "no" only says that nothing blocks.
  if (basis === "event" || (basis === "listed" && origin !== "unknown")) return "told"
  return undefined
}
