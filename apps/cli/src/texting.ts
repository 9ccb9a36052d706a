/** Whether a sender may text somebody, in words. */
import type { Reason } from "@stopline/engine"

export const sayTexting: Record<Reason, string> = {
  "nothing-said": "may be texted",
  "opted-in": "may be texted",
  "opted-out": "must not be texted",
  "opted-out-before": "must not be texted: an opt-out stands in a group that this sender once spoke for",
  "held-by-provider": "must not be texted while the provider blocks them",
  "write-on-its-way": "must not be texted before a write to the provider has its outcome",
  "not-a-number": "must not be texted: it is no number",
  unknown: "must not be texted: the sender is no longer in force"
}
