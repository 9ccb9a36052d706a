/**
 * The contract between Stopline and a provider of SMS.
 *
 * An adapter is a value. It translates: one call here is one request there, or
 * as few as the provider needs. It knows no retry, no pacing, no dry run and no
 * policy; those are the engine's, once for all providers.
 */
import type {
  AccountName,
  ConsentState,
  KeywordSet,
  Observation,
  Reading,
  Recipient,
  SenderAddress
} from "@stopline/consent"
import type { Duration, Effect, Scope } from "effect"
import type { Capability } from "./capability.ts"
import type { ProviderError } from "./error.ts"

export interface ProviderAdapter {
  readonly account: AccountName
  readonly vendor: string
  /** The cheapest call that proves credentials and permission, for one sender of the account. */
  readonly probe: (sender: SenderAddress) => Effect.Effect<void, ProviderError>
  readonly list: Capability<ListPort>
  readonly check: Capability<CheckPort>
  readonly write: { readonly optOut: Capability<WritePort>; readonly optIn: Capability<WritePort> }
  readonly events: Capability<EventPort>
  readonly subscription: Capability<SubscriptionPort>
  readonly stream: Capability<StreamPort>
  readonly evidence: Capability<EvidencePort>
  /** As far as they are known now: a provider may tell them only with its answers. */
  readonly limits: ReadonlyArray<LimitGroup>
  /** The words this provider acts on by itself. */
  readonly keywords: KeywordSet
  /** How long after a write a read may still be answered from an older copy. */
  readonly settle: Duration.Duration
}

/** Operations by the limit they draw on. */
export type Operation = "probe" | "list" | "check" | "optOut" | "optIn" | "evidence" | "subscribe" | "login"

/**
 * So many requests in so long, for these operations together, per credential
 * (L15). Operations that nobody asks for by name, or that take several requests
 * from several groups, stand in no list: their adapter asks the `Gate` itself.
 */
export interface LimitGroup {
  readonly name: string
  /** Credentials that share a provider's limit have the same one: an account name, or a key both know. Never a secret. */
  readonly credential: string
  readonly requests: number
  readonly window: Duration.Duration
  /** How many of them may go at once. Absent: a quarter, and the rest is spread over the window. */
  readonly atOnce?: number
  /** How long to send nothing after a 429 that names no time. */
  readonly penalty: Duration.Duration
  readonly operations: ReadonlyArray<Operation>
}

/** Reads a complete list page by page. */
export interface ListPort {
  /** Rows per page at most. */
  readonly maxPage: number
  /** `complete`: a pair that a finished walk does not show is not opted out there. `partial`: absence says nothing. */
  readonly coverage: "complete" | "partial"
  /** One page, so that the cursor can be committed between pages (L1). */
  readonly page: (request: PageRequest) => Effect.Effect<Page, ProviderError>
}

export interface PageRequest {
  /** Absent: the whole account. The same throughout a walk (L6). */
  readonly sender?: SenderAddress
  /** Absent: the first page. Otherwise what the page before said, unread. */
  readonly cursor?: string
  readonly size: number
}

export interface Page {
  readonly readings: ReadonlyArray<Reading>
  /** Rows that could not be understood, each with its reason: they spare the page, and forbid any talk of absence. */
  readonly problems: ReadonlyArray<RowProblem>
  /** `End` only where the provider itself said that this is the last page. */
  readonly next: { readonly _tag: "More"; readonly cursor: string } | { readonly _tag: "End" }
}

export interface RowProblem {
  /** Where: `records[3]`. */
  readonly row: string
  /** Why, with no number in full. */
  readonly reason: string
}

/** Asks about known recipients. */
export interface CheckPort {
  readonly maxRecipients: number
  /** Exactly one answer per recipient asked, in the order asked (L9). */
  readonly check: (
    sender: SenderAddress,
    recipients: ReadonlyArray<Recipient>
  ) => Effect.Effect<ReadonlyArray<CheckAnswer>, ProviderError>
}

export type CheckAnswer =
  | { readonly _tag: "Known"; readonly recipient: Recipient; readonly reading: Reading }
  /** The provider did not say. Never "not opted out" (L5). */
  | { readonly _tag: "Unanswered"; readonly recipient: Recipient; readonly status?: number; readonly detail: string }

/** Makes the provider hold a state. */
export interface WritePort {
  readonly maxRecipients: number
  /** Requests that may be in flight at once. */
  readonly concurrency: number
  /** Why this sender's pairs cannot be written, where they cannot: a person has to be told what to do instead. */
  readonly except: (sender: SenderAddress) => string | undefined
  /** Exactly one outcome per recipient, in the order given (L9). */
  readonly write: (
    sender: SenderAddress,
    recipients: ReadonlyArray<Recipient>
  ) => Effect.Effect<ReadonlyArray<WriteOutcome>, ProviderError>
}

export type WriteOutcome =
  /** The provider says that it holds it now. */
  | { readonly _tag: "Held"; readonly recipient: Recipient }
  /** Not this time; the same again may work. */
  | {
      readonly _tag: "Retryable"
      readonly recipient: Recipient
      readonly detail: string
      readonly mayHaveApplied: boolean
    }
  /** This recipient will not be taken, now or later. */
  | { readonly _tag: "Rejected"; readonly recipient: Recipient; readonly detail: string }

/** A webhook request as it came in, before anything was believed. */
export interface RawRequest {
  readonly method: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly body: string
  /** When it arrived (ms since the epoch). */
  readonly receivedAt: number
}

/** What to answer. The body is empty or JSON. */
export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface EventPort {
  /** Never fails: what cannot be read is said. Nothing is committed here; the caller commits, then sends the reply (L1). */
  readonly receive: (request: RawRequest) => Effect.Effect<Received>
}

export type Received =
  | {
      readonly _tag: "Understood"
      readonly observations: ReadonlyArray<Observation>
      /** Pairs that a text went between: where a provider cannot list, whom to ask about. */
      readonly contacts?: ReadonlyArray<Contact>
      /** Parts of the request that could not be understood; the rest was. */
      readonly problems: ReadonlyArray<RowProblem>
      /** To be sent once the observations are committed. */
      readonly reply: Reply
    }
  /** The provider says that its subscription is about to end: it has to be looked after now. Nothing to commit. */
  | { readonly _tag: "Ending"; readonly reply: Reply }
  /** A handshake: nothing to commit. */
  | { readonly _tag: "Handshake"; readonly reply: Reply }
  | { readonly _tag: "NotAuthentic"; readonly reason: string; readonly reply: Reply }
  | { readonly _tag: "NotUnderstood"; readonly reason: string; readonly reply: Reply }

/** A text went between the two, and said nothing about consent. */
export interface Contact {
  readonly sender: SenderAddress
  readonly recipient: Recipient
  /** ms since the epoch. */
  readonly at: number
}

/** Makes the provider send its events to us, where that can be done through its API. */
export interface SubscriptionPort {
  /**
   * Makes the provider send events to this URL, and goes on doing so: one that is
   * near its end is prolonged, one that the provider has given up is replaced. Safe
   * to repeat, and meant to be repeated. The provider may call the URL before it
   * answers, so whatever serves it has to be up already.
   */
  readonly ensure: (url: string) => Effect.Effect<Subscription, ProviderError>
  /**
   * What people texted in a time when events may have been lost, a page at a time:
   * a list tells who is opted out, not who asked for it in words that the provider
   * does not know.
   */
  readonly missed: (span: Span, cursor?: string) => Effect.Effect<MissedPage, ProviderError>
}

export interface Subscription {
  /** Another one than before: events between the two may be lost. */
  readonly id: string
  /** An ISO timestamp, where it ends by itself. */
  readonly expiresAt?: string
  /** Events that the provider will not send although it was asked for them, with its reason. To be shown to a person. */
  readonly missing: ReadonlyArray<{ readonly filter: string; readonly reason: string }>
}

/** Holds a connection by which the provider tells its events: no public address is needed. */
export interface StreamPort {
  /** Connected and subscribed once it succeeds. Closing the scope hangs up. */
  readonly connect: Effect.Effect<EventStream, ProviderError, Scope.Scope>
  readonly missed: SubscriptionPort["missed"]
}

export interface EventStream {
  readonly subscription: Subscription
  /** Waits for what is said next, and fails when the connection is lost. Nobody waits for the replies. */
  readonly next: Effect.Effect<Received, ProviderError>
}

/** Both in ms since the epoch. */
export interface Span {
  readonly since: number
  readonly until: number
}

export interface MissedPage {
  readonly observations: ReadonlyArray<Observation>
  readonly problems: ReadonlyArray<RowProblem>
  readonly next: Page["next"]
}

/** What the recipient texted us since a moment, where the provider keeps messages. */
export interface EvidencePort {
  readonly since: (
    sender: SenderAddress,
    recipient: Recipient,
    since: number
  ) => Effect.Effect<ReadonlyArray<Observation>, ProviderError>
}

/** Which write makes a state so. */
export const writePort = (adapter: ProviderAdapter, state: ConsentState): Capability<WritePort> =>
  state === "opted-out" ? adapter.write.optOut : adapter.write.optIn
