/** What goes over the wire: the one definition of requests and answers, from which the OpenAPI document is made. */
import { bases, origins } from "@stopline/consent"
import { reasons } from "@stopline/engine"
import { Schema } from "effect"

/** At most so many people in one check. */
export const mostPeople = 1000

const Text = Schema.NonEmptyString.check(Schema.isMaxLength(500))
/** The name of a person, and not of nobody. */
const Person = Text.check(Schema.isPattern(/\S/u))
const State = Schema.Literals(["opted-out", "opted-in"])
const MaybeText = Schema.NullOr(Schema.String)
const When = Schema.NullOr(Schema.String).annotate({ description: "ISO 8601, or null when nobody knows" })
const Count = Schema.Int
const Counts = Schema.Record(Schema.String, Count)

const Phone = Schema.String.check(Schema.isMaxLength(64)).annotate({
  description: "E.164 with its plus, such as +15550100001: without it nobody knows whose number it is"
})
const Sender = Schema.NonEmptyString.check(Schema.isMaxLength(64)).annotate({
  description: "One of your senders: E.164, or a short code such as 20500"
})
const Account = Text.annotate({ description: "Needed only where two accounts have the sender" })

export const CheckRequest = Schema.Struct({
  sender: Schema.optionalKey(Sender),
  account: Schema.optionalKey(Account),
  group: Schema.optionalKey(
    Text.annotate({ description: "Instead of a sender: yes only if every sender of the group may text" })
  ),
  recipients: Schema.Array(Phone).check(Schema.isMinLength(1), Schema.isMaxLength(mostPeople))
}).annotate({ identifier: "CheckRequest", description: "Exactly one of sender and group" })
export type CheckRequest = typeof CheckRequest.Type

const Because = Schema.Struct({
  observation: Schema.Int,
  account: Schema.String,
  sender: Schema.String,
  origin: Schema.Literals(origins),
  basis: Schema.Literals(bases)
}).annotate({
  identifier: "Because",
  description: "The observation that decides: where, by whom, and how it was learnt"
})

const Why = Schema.Literals(reasons).annotate({
  description: "What a check answers: the sender may text them only for nothing-said and opted-in"
})

export const CheckResult = Schema.Struct({
  recipient: Schema.String.annotate({ description: "As it was asked" }),
  mayText: Schema.Boolean.annotate({ description: "Text only if this is true" }),
  state: Schema.Literals(["never-opted-out", "opted-in", "opted-out", "unknown"]),
  why: Schema.Literals(reasons),
  account: MaybeText.annotate({
    description: "With sender: what the answer is about; of a group the one that says no"
  }),
  sender: MaybeText,
  since: When,
  because: Schema.NullOr(Because),
  readAt: When.annotate({ description: "When its provider was last asked about this pair, or told; null: never" })
}).annotate({ identifier: "CheckResult" })
export type CheckResult = typeof CheckResult.Type

export const CheckedSender = Schema.Struct({
  account: Schema.String,
  sender: Schema.String,
  listReadAt: When.annotate({ description: "When the account's whole list was last read; null where there is none" }),
  events: Schema.Literals(["heard", "blind", "unproven"]).annotate({
    description:
      "heard: the subscription stands and nothing was lost. blind: opt-outs may have happened that nobody has read yet. unproven: the provider was told by you, and nobody can see whether it calls"
  })
}).annotate({ identifier: "CheckedSender" })
export type CheckedSender = typeof CheckedSender.Type

export const CheckResponse = Schema.Struct({
  checkedAt: Schema.String,
  senders: Schema.Array(CheckedSender).annotate({ description: "How fresh the answer is" }),
  results: Schema.Array(CheckResult).annotate({ description: "In the order of the recipients" })
}).annotate({ identifier: "CheckResponse" })
export type CheckResponse = typeof CheckResponse.Type

export const LookupRequest = Schema.Struct({ recipient: Phone }).annotate({ identifier: "LookupRequest" })

export const LookupResponse = Schema.Struct({
  recipient: Schema.String,
  observations: Schema.Array(
    Schema.Struct({
      id: Schema.Int,
      account: Schema.String,
      sender: Schema.String,
      state: State,
      origin: Schema.Literals(origins),
      basis: Schema.Literals(bases),
      notBefore: When,
      notAfter: When,
      recordedAt: When,
      evidence: Schema.Record(Schema.String, Schema.Unknown)
    })
  ),
  standings: Schema.Array(
    Schema.Struct({
      account: Schema.String,
      sender: Schema.String,
      group: Schema.String,
      must: State.annotate({ description: "What the provider has to hold" }),
      because: Schema.NullOr(Schema.Int),
      why: Why,
      held: Schema.NullOr(State),
      heldAt: When,
      inDoubt: Schema.Boolean,
      refused: MaybeText
    })
  )
}).annotate({ identifier: "LookupResponse" })
export type LookupResponse = typeof LookupResponse.Type

export const AttestationRequest = Schema.Struct({
  recipient: Phone,
  sender: Sender,
  account: Schema.optionalKey(Account),
  state: State,
  at: Text.annotate({
    description:
      "When the person said it: 2026-01-05T10:00Z, or a day. It has to be given, so that a request that is tried again is the same fact and cannot overrule what was said since"
  }),
  by: Person.annotate({ description: "The name of the person who attests it; the key's name is stored beside it" }),
  how: Text.annotate({ description: "How they know: phone call" }),
  note: Schema.optionalKey(Text),
  reach: Schema.optionalKey(Schema.Literals(["pair", "group"])).annotateKey({
    description: "How far an opt-in reaches, if the policy lets it. An opt-out silences the whole group either way"
  })
}).annotate({ identifier: "AttestationRequest" })

export const AttestationResponse = Schema.Struct({
  account: Schema.String,
  group: Schema.String,
  repeated: Schema.Boolean.annotate({ description: "The same attestation had been stored before" }),
  stands: Schema.Array(
    Schema.Struct({
      account: Schema.String,
      sender: Schema.String,
      must: State.annotate({ description: "What the provider has to hold" }),
      because: Schema.NullOr(Schema.Int),
      since: When,
      why: Why
    })
  ).annotate({ description: "What now must be: the sender of the attestation first, then the rest of its group" })
}).annotate({ identifier: "AttestationResponse" })

/** Of rows that say nothing themselves. */
const wherever = {
  sender: Schema.optionalKey(Sender),
  account: Schema.optionalKey(Account),
  at: Schema.optionalKey(
    Text.annotate({ description: "When those opted out whose row does not say: 2026-01-05T10:00Z, or a day" })
  ),
  country: Schema.optionalKey(Text.annotate({ description: "Of numbers without a plus, such as US" }))
}
export const ImportQuery = Schema.Struct(wherever)

const Row = Schema.Struct({
  recipient: Schema.String,
  opted_out_at: Schema.optionalKey(Schema.String.annotate({ description: "Needed where the query has no `at`" })),
  sender: Schema.optionalKey(Schema.String),
  state: Schema.optionalKey(Schema.String)
})

export const ImportRequest = Schema.Struct({ rows: Schema.Array(Row) }).annotate({ identifier: "ImportRequest" })

export const ImportResponse = Schema.Struct({
  rows: Count.annotate({ description: "Stored, or known already" }),
  news: Count,
  refused: Schema.Array(Schema.Struct({ line: Schema.Int, why: Schema.String })).annotate({
    description:
      "The first 1,000 of them, by line, from 1, and in JSON by place; never by what stands there. The rest is stored"
  }),
  refusedCount: Count.annotate({ description: "All that were refused, also those that are not named" }),
  unused: Schema.Array(Schema.String).annotate({ description: "Columns that nothing was made of" })
}).annotate({ identifier: "ImportResponse" })

const GuardHalt = Schema.Struct({ kind: Schema.String, count: Count, limit: Count, population: Count })

export const PlanResponse = Schema.Struct({
  digest: Schema.String.annotate({ description: "Names exactly these changes" }),
  changes: Count,
  withheld: Count,
  accounts: Schema.Array(
    Schema.Struct({
      account: Schema.String,
      changes: Count,
      byReason: Counts,
      withheld: Counts,
      guarded: Schema.Struct({ "opted-out": Count, "opted-in": Count }),
      halts: Schema.Array(GuardHalt)
    })
  ),
  examples: Schema.Array(
    Schema.Struct({
      account: Schema.String,
      sender: Schema.String,
      recipient: Schema.String.annotate({ description: "Masked" }),
      to: State,
      reason: Schema.String,
      withheld: MaybeText,
      because: Schema.NullOr(Schema.Int)
    })
  )
}).annotate({ identifier: "PlanResponse" })

export const ApproveRequest = Schema.Struct({
  digest: Text.annotate({ description: "Of the plan you have seen" }),
  by: Person.annotate({ description: "The name of the person who looked" })
}).annotate({ identifier: "ApproveRequest" })

export const ApproveResponse = Schema.Struct({
  digest: Schema.String,
  outcome: Schema.Literals(["completed", "incomplete", "halted"]),
  applied: Schema.Array(
    Schema.Struct({
      account: Schema.String,
      optedOut: Count,
      optedIn: Count,
      heldBack: Count,
      rejected: Count,
      retryable: Count,
      errors: Schema.Array(Schema.String)
    })
  ),
  halts: Schema.Array(Schema.String)
}).annotate({ identifier: "ApproveResponse" })

export const Halt = Schema.Struct({
  id: Schema.Int,
  account: Schema.String,
  kind: Schema.String,
  message: Schema.String,
  numbers: Schema.Record(Schema.String, Schema.Finite),
  digest: MaybeText,
  raisedAt: When
}).annotate({ identifier: "Halt" })

export const HaltsResponse = Schema.Struct({ halts: Schema.Array(Halt) }).annotate({ identifier: "HaltsResponse" })

export const ClearRequest = Schema.Struct({
  by: Person.annotate({ description: "The name of the person who looked" })
}).annotate({ identifier: "ClearRequest" })

/** A moment in ms, as it goes over the wire. */
export const when = (ms: number | null): string | null =>
  ms === null || !Number.isFinite(ms) ? null : new Date(ms).toISOString()
