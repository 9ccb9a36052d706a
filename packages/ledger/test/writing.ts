/** A write of ours to one pair, at given moments. */
import type { ConsentState, OptInPolicy, Recipient, SenderAddress } from "@stopline/consent"
import {
  beginWrites,
  claimLane,
  type Connection,
  digits,
  endWrites,
  type LedgerError,
  type Outcome,
  type Registry,
  releaseLane
} from "@stopline/ledger"
import { Effect } from "effect"
import { senderOf } from "../../../test/world.ts"

export interface Write {
  readonly begun: number
  /** Absent: the request is on its way, or its process died. */
  readonly ended?: number
  readonly state?: ConsentState
  readonly outcome?: "held" | "maybe" | "not done" | "rejected"
  readonly policy?: OptInPolicy
  /** What happens while the request is on its way. */
  readonly meanwhile?: Effect.Effect<unknown, LedgerError, Connection>
}

const leaseMs = 60_000

/** Returns whether there was anything to write. */
export const write = Effect.fnUntraced(function* (
  registry: Registry,
  address: SenderAddress,
  recipient: Recipient,
  given: Write
) {
  const sender = senderOf(registry, address)
  const lane = (yield* claimLane(`write:${address}`, "test", given.begun, leaseMs))!
  const context = {
    lane,
    leaseMs,
    sender,
    state: given.state ?? "opted-out",
    policy: given.policy ?? "strict"
  } as const
  const due = yield* beginWrites(context, [digits(recipient)], given.begun)
  if (given.meanwhile !== undefined) yield* given.meanwhile
  if (given.ended !== undefined) {
    yield* endWrites(
      context,
      due.map((one) => outcome(one, given.outcome ?? "held")),
      given.ended
    )
  }
  yield* releaseLane(lane)
  return due.length > 0
})

const outcome = (recipient: number, what: NonNullable<Write["outcome"]>): Outcome => {
  switch (what) {
    case "held":
      return { _tag: "Held", recipient }
    case "maybe":
      return { _tag: "Retryable", recipient, mayHaveApplied: true }
    case "not done":
      return { _tag: "Retryable", recipient, mayHaveApplied: false }
    case "rejected":
      return { _tag: "Rejected", recipient, detail: "not taken" }
  }
}
