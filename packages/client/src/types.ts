/** What is asked and what is answered, as docs/openapi.json says it; a test holds the two together. */

export type ConsentState = "opted-out" | "opted-in"

/** Who wanted it so, as far as the teller says. */
export type Origin = "recipient" | "carrier" | "account" | "api" | "operator" | "import" | "unknown"

/** How Stopline came to know. */
export type Basis = "message" | "event" | "listed" | "checked" | "send-error" | "attested" | "imported"

/** One sender, with its account where two accounts have it; or every sender of a group. */
export type From =
  | { readonly sender: string; readonly account?: string; readonly group?: never }
  | { readonly group: string; readonly sender?: never; readonly account?: never }

export type CheckRequest = From & {
  /** E.164 with a plus; 1 to 1,000 of them. */
  readonly recipients: ReadonlyArray<string>
}

/** What an answer rests on. Only the first two are a yes. */
export type Why =
  | "nothing-said"
  | "opted-in"
  | "opted-out"
  | "opted-out-before"
  | "held-by-provider"
  | "write-on-its-way"
  | "not-a-number"
  | "unknown"

/** The observation that decides. */
export interface Because {
  readonly observation: number
  readonly account: string
  readonly sender: string
  readonly origin: Origin
  readonly basis: Basis
}

export interface CheckResult {
  /** As it was asked. */
  readonly recipient: string
  /** Text only if this is true. */
  readonly mayText: boolean
  readonly state: "never-opted-out" | "opted-in" | "opted-out" | "unknown"
  readonly why: Why
  /** With `sender`: what the answer is about; of a group the one that says no. */
  readonly account: string | null
  readonly sender: string | null
  readonly since: string | null
  readonly because: Because | null
  /** When its provider was last asked about this pair, or told; null: never. */
  readonly readAt: string | null
}

/** How fresh the answer is. */
export interface CheckedSender {
  readonly account: string
  readonly sender: string
  /** When the account's whole list was last read; null where there is none. */
  readonly listReadAt: string | null
  /** `blind`: opt-outs may have happened that nobody has read yet. `unproven`: nobody can see whether the provider calls. */
  readonly events: "heard" | "blind" | "unproven"
}

export interface CheckResponse {
  readonly checkedAt: string
  readonly senders: ReadonlyArray<CheckedSender>
  /** In the order of the recipients. */
  readonly results: ReadonlyArray<CheckResult>
}

export interface LookupResponse {
  readonly recipient: string
  readonly observations: ReadonlyArray<{
    readonly id: number
    readonly account: string
    readonly sender: string
    readonly state: ConsentState
    readonly origin: Origin
    readonly basis: Basis
    readonly notBefore: string | null
    readonly notAfter: string | null
    readonly recordedAt: string | null
    readonly evidence: { readonly [what: string]: unknown }
  }>
  readonly standings: ReadonlyArray<{
    readonly account: string
    readonly sender: string
    readonly group: string
    /** What the provider has to hold. */
    readonly must: ConsentState
    readonly because: number | null
    /** What a check answers: the sender may text them only for the first two. */
    readonly why: Why
    readonly held: ConsentState | null
    readonly heldAt: string | null
    /** Something may have moved what is held since then, and nobody knows: it counts for unknown. */
    readonly inDoubt: boolean
    readonly refused: string | null
  }>
}

export interface Attestation {
  readonly recipient: string
  readonly sender: string
  readonly account?: string
  readonly state: ConsentState
  /** When the person said it: `2026-01-05T10:00Z`, or a day. The same attestation again is stored once. */
  readonly at: string
  /** The name of the person who attests it. */
  readonly by: string
  /** How they know: `phone call`. */
  readonly how: string
  readonly note?: string
  /** How far an opt-in reaches, if the policy lets it. */
  readonly reach?: "pair" | "group"
}

export interface Attested {
  readonly account: string
  readonly group: string
  readonly repeated: boolean
  readonly stands: ReadonlyArray<{
    readonly account: string
    readonly sender: string
    /** What the provider has to hold. */
    readonly must: ConsentState
    readonly because: number | null
    readonly since: string | null
    /** What a check answers: the sender may text them only for the first two. */
    readonly why: Why
  }>
}

export interface OptOutRow {
  readonly recipient: string
  /** `2026-01-05T10:00Z`, or a day. Needed where {@link ImportPlace} has no `at`. */
  readonly opted_out_at?: string
  readonly sender?: string
  readonly state?: string
}

export interface Imported {
  /** Stored, or known already. */
  readonly rows: number
  readonly news: number
  /** The first 1,000 of them, by line, from 1, and of rows by place. */
  readonly refused: ReadonlyArray<{ readonly line: number; readonly why: string }>
  /** All that were refused, also those that are not named. */
  readonly refusedCount: number
  readonly unused: ReadonlyArray<string>
}

interface Counts {
  readonly [what: string]: number
}

export interface Plan {
  /** Names exactly these changes. */
  readonly digest: string
  readonly changes: number
  readonly withheld: number
  readonly accounts: ReadonlyArray<{
    readonly account: string
    readonly changes: number
    readonly byReason: Counts
    readonly withheld: Counts
    readonly guarded: { readonly "opted-out": number; readonly "opted-in": number }
    readonly halts: ReadonlyArray<{
      readonly kind: string
      readonly count: number
      readonly limit: number
      readonly population: number
    }>
  }>
  readonly examples: ReadonlyArray<{
    readonly account: string
    readonly sender: string
    /** Masked. */
    readonly recipient: string
    readonly to: ConsentState
    readonly reason: string
    readonly withheld: string | null
    readonly because: number | null
  }>
}

export interface Approval {
  /** Of the plan that was seen. */
  readonly digest: string
  /** The name of the person who looked. */
  readonly by: string
}

export interface Approved {
  readonly digest: string
  readonly outcome: "completed" | "incomplete" | "halted"
  readonly applied: ReadonlyArray<{
    readonly account: string
    readonly optedOut: number
    readonly optedIn: number
    readonly heldBack: number
    readonly rejected: number
    readonly retryable: number
    readonly errors: ReadonlyArray<string>
  }>
  readonly halts: ReadonlyArray<string>
}

export interface Halt {
  readonly id: number
  readonly account: string
  readonly kind: string
  readonly message: string
  readonly numbers: Counts
  readonly digest: string | null
  readonly raisedAt: string | null
}
