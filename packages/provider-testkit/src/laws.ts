/** All laws there are, in the order in which they are tried. */
import type { Law } from "./law.ts"
import { contractLaws } from "./laws/contract.ts"
import { endingLaws } from "./laws/ending.ts"
import { eventLaws } from "./laws/event.ts"
import { failureLaws } from "./laws/failure.ts"
import { listLaws } from "./laws/list.ts"
import { secrecyLaws } from "./laws/secrecy.ts"
import { streamLaws } from "./laws/stream.ts"
import { subscriptionLaws } from "./laws/subscription.ts"
import { writeLaws } from "./laws/write.ts"

export const laws: ReadonlyArray<Law> = [
  ...contractLaws,
  ...listLaws,
  ...writeLaws,
  ...failureLaws,
  ...secrecyLaws,
  ...eventLaws,
  ...subscriptionLaws,
  ...streamLaws,
  ...endingLaws
]
