/**
 * What there is to do, and on which queue it waits. A job is one account's, or
 * everybody's; never one person's, and nobody's number is ever in one.
 */
import { SenderAddress } from "@stopline/consent"
import { Schema } from "effect"
import type { Queue } from "pg-boss"

const OfAccount = Schema.Struct({ account: Schema.String })
const Everything = Schema.Struct({})
const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

export const payloads = {
  /** Walk the account's list, or sweep the people known to it. */
  read: OfAccount,
  /** Plan for all accounts, guard, halt, and let the rest be carried out. */
  reconcile: Everything,
  /** Carry out for one account what was planned and let through. */
  apply: Schema.Struct({
    account: Schema.String,
    changes: Count,
    /** At most so many of those that a guard counts. */
    guarded: Schema.Struct({ "opted-out": Count, "opted-in": Count })
  }),
  /** Make the people of the configuration known. */
  gather: Everything,
  /** Read all there is of an account, because a person asked. */
  backfill: Schema.Struct({
    account: Schema.String,
    sender: Schema.optionalKey(SenderAddress),
    startedBy: Schema.String,
    /** What was read since then need not be read again. */
    askedAt: Schema.Int
  })
} as const

export type QueueName = keyof typeof payloads
export type Payload<Name extends QueueName> = (typeof payloads)[Name]["Type"]

/** Of two jobs of a queue with the same key, the second finds the first and is not needed. */
export const keyOf = ({ account = "", sender }: { readonly account?: string; readonly sender?: string }): string =>
  sender === undefined ? account : `${account}/${sender}`

/** Where jobs end that were tried often enough. */
export const deadQueue = "dead"

const hours = 60 * 60
const days = 24 * hours

/** A worker that gives no sign of life for so long (s) has lost its job to another; the queue allows no less. */
const heartbeatSeconds = 10

const common = {
  heartbeatSeconds,
  // Whoever takes longer is stopped, and goes on where it was: reading keeps its place in the ledger.
  expireInSeconds: 12 * hours,
  retentionSeconds: 60 * days,
  deleteAfterSeconds: hours,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 300,
  deadLetter: deadQueue
}

/** At most one of a key, waiting or under way. */
const once = { ...common, policy: "exclusive" }

export const queues: Readonly<Record<QueueName, Omit<Queue, "name">>> = {
  // One waits and, by its group, one is under way: whoever nudges meanwhile has it done again afterwards.
  reconcile: { ...common, policy: "short", retryLimit: 10, notify: true },
  read: { ...once, retryLimit: 10 },
  // Never tried again: the guards have to look at what is left. So whatever ends it is followed by a reconciliation.
  apply: { ...once, retryLimit: 0, deadLetter: "reconcile", notify: true },
  gather: { ...once, retryLimit: 10 },
  // A worker that is stopped counts as a try, and reading all there is can take days.
  backfill: { ...once, retryLimit: 1000, notify: true }
}

/** So long (s) is known what died. */
export const deadRetention = 14 * days
