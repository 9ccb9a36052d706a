/** Something is told about the first person, and heard of when it happened. */
import type { Observation } from "@stopline/consent"
import { ingest, type Registry } from "@stopline/ledger"
import { accountOf, observation, person } from "../../../test/world.ts"

export const hear = (registry: Registry, given: Partial<Observation> = {}) => {
  const said = observation({ recipient: person(1), ...given })
  return ingest(accountOf(registry, said.account), [said], said.time.notAfter, 0)
}
