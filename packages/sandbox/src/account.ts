/**
 * What every account of the world can do, whatever its vendor.
 */
import type { Effect } from "effect"
import type { Delivery } from "./courier.ts"
import type { SandboxError } from "./error.ts"
import type { Faults, Vendor } from "./fault.ts"
import type { RequestLog } from "./log.ts"
import type { Random } from "./random.ts"
import type { Outcome, WireRequest } from "./wire.ts"

export interface Account {
  readonly name: string
  readonly vendor: Vendor
  readonly senders: ReadonlyArray<string>
  readonly faults: Faults
  readonly log: RequestLog
  /** An HTTP request to the vendor. */
  readonly handle: (request: WireRequest) => Outcome
  /** A person texts one of the senders. */
  readonly receive: (sender: string, person: string, text: string) => Heard
  /** A colleague works in the vendor's console: no event tells of it. Returns how many pairs changed. */
  readonly edit: (
    sender: string,
    action: Action,
    recipients: ReadonlyArray<string>
  ) => Effect.Effect<number, SandboxError>
  /** The business texts a person. */
  readonly send: (sender: string, person: string) => Sent
  readonly state: (sender?: string) => AccountState
  /** Whether the vendor blocks texts from this sender to this person. */
  readonly isOptedOut: (sender: string, person: string) => boolean
}

export type Action = "opt-out" | "opt-in"

/** What the vendor's own keyword table made of a text. */
export interface Heard {
  /** The vendor's own id of the text. */
  readonly messageId: string
  readonly keyword?: string
  readonly action?: Action
  readonly changed: boolean
}

/** The vendor accepts every text (202); what became of it is said afterwards. */
export interface Sent {
  readonly status: 202
  readonly messageId: string
  readonly delivered: boolean
  readonly detail: string
}

export interface SenderState {
  readonly sender: string
  /** Recipients, oldest opt-out first. */
  readonly optedOut: ReadonlyArray<string>
  /** Recipients with an explicit opt-in on record (RingCentral keeps these). */
  readonly optedIn: ReadonlyArray<string>
  /** Recipients whom the carrier blocks, whatever the vendor's list says (US toll-free). */
  readonly carrierHeld: ReadonlyArray<string>
}

export interface AccountState {
  readonly account: string
  readonly vendor: Vendor
  readonly senders: ReadonlyArray<SenderState>
  readonly subscriptions: ReadonlyArray<SubscriptionState>
}

interface SubscriptionState {
  readonly id: string
  readonly url: string
  readonly status: "Active" | "Blacklisted"
}

/** What an account has from the world around it. */
export interface Surroundings {
  /** ms since the epoch. */
  readonly now: () => number
  /** What stays the same whenever the world is started: credentials, account ids. */
  readonly secrets: Random
  /** Ids of what happens. */
  readonly random: Random
  readonly deliver: (delivery: Delivery) => void
}
