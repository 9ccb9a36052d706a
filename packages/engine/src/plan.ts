/**
 * Everything that differs, judged: changes, what is withheld and why, and a
 * digest that names exactly these changes. Writes nothing, and has nothing to
 * write with: it is given descriptions of what can be written, not ports (L8).
 */
import { createHash } from "node:crypto"
import type { ConsentState, SenderAddress } from "@stopline/consent"
import {
  type Connection,
  differences,
  type LedgerError,
  population,
  type RegisteredAccount,
  type RegisteredSender
} from "@stopline/ledger"
import { type ProviderAdapter, writePort } from "@stopline/provider"
import { Effect } from "effect"
import { type Change, type Moment, type Withheld, judge, type Writability } from "./diff.ts"
import { guard, type GuardHalt, type Tally } from "./guard.ts"
import type { EngineSettings } from "./settings.ts"

/** An account to plan for. */
export interface Planned {
  readonly account: RegisteredAccount
  readonly writability: (sender: SenderAddress) => Writability
}

export interface AccountPlan {
  readonly account: string
  readonly changes: number
  /** Changes by sender, direction and reason: `+18005550100 opted-out opt-out` → 12. */
  readonly byReason: Readonly<Record<string, number>>
  readonly withheld: Readonly<Record<string, number>>
  /** Changes that a guard counts, by direction: no more of them than were planned are carried out. */
  readonly guarded: Readonly<Record<ConsentState, number>>
  /** The guards that stand in the way without approval. */
  readonly halts: ReadonlyArray<GuardHalt>
}

export interface Plan {
  /** Names these changes and no others: sha256, 12 hex digits. */
  readonly digest: string
  readonly changes: number
  readonly withheld: number
  readonly accounts: ReadonlyArray<AccountPlan>
  /** The first of each, to be shown. */
  readonly examples: ReadonlyArray<(Change | Withheld) & { readonly account: string }>
}

export interface PlanOptions {
  /** How many items to keep as examples. */
  readonly examples: number
  /** The confirmation window before a lifted block is put back (ms); 0 when a person is looking. */
  readonly confirmMs: number
}

const pageSize = 1000

export const plan = Effect.fn("plan")(function* (
  accounts: ReadonlyArray<Planned>,
  settings: EngineSettings,
  options: PlanOptions,
  now: number
): Effect.fn.Return<Plan, LedgerError, Connection> {
  const digest = createHash("sha256")
  const examples: Array<(Change | Withheld) & { readonly account: string }> = []
  const planned: Array<AccountPlan> = []
  let withheld = 0
  for (const { account, writability } of accounts) {
    const byReason: Record<string, number> = {}
    const withheldBy: Record<string, number> = {}
    const tally = { optOuts: 0, optIns: 0, optInsWithoutEvidence: 0 }
    let changes = 0
    for (const sender of account.senders) {
      const can = writability(sender.address)
      yield* eachDifference(account, sender, settings, can, { now, confirmMs: options.confirmMs }, (item) => {
        if (examples.length < options.examples) examples.push({ ...item, account: account.name })
        if (item._tag === "Withheld") {
          withheld += 1
          count(withheldBy, `${item.sender} ${item.to} ${item.why}: ${item.detail}`)
          return
        }
        changes += 1
        count(byReason, `${item.sender} ${item.to} ${item.reason}`)
        digest.update(`${account.name}/${item.sender} ${item.recipient} ${item.to} ${item.reason}\n`)
        addTo(tally, item)
      })
    }
    planned.push({
      account: account.name,
      changes,
      byReason,
      withheld: withheldBy,
      guarded: { "opted-out": tally.optOuts, "opted-in": tally.optIns },
      halts: yield* guardAccount(account, tally, settings)
    })
  }
  return {
    digest: digest.digest("hex").slice(0, 12),
    changes: planned.reduce((sum, one) => sum + one.changes, 0),
    withheld,
    accounts: planned,
    examples
  }
})

/** Every difference of one sender, judged, in order of recipient and a page at a time. */
const eachDifference = Effect.fnUntraced(function* (
  account: RegisteredAccount,
  sender: RegisteredSender,
  settings: EngineSettings,
  writability: Writability,
  moment: Moment,
  visit: (item: Change | Withheld) => void
): Effect.fn.Return<void, LedgerError, Connection> {
  let after = 0
  for (;;) {
    const rows = yield* differences(account, sender, settings.policy, after, pageSize)
    for (const row of rows) visit(judge(row, sender.address, writability, moment))
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageSize) return
    after = last.recipient
  }
})

/** What an adapter can write, described. */
export const writabilityOf =
  (adapter: ProviderAdapter) =>
  (sender: SenderAddress): Writability => {
    const why = (state: "opted-out" | "opted-in"): string | undefined => {
      const capability = writePort(adapter, state)
      return capability._tag === "Can" ? capability.port.except(sender) : capability.reason
    }
    return { optOut: why("opted-out"), optIn: why("opted-in") }
  }

const count = (into: Record<string, number>, key: string): void => {
  into[key] = (into[key] ?? 0) + 1
}

const addTo = (tally: { optOuts: number; optIns: number; optInsWithoutEvidence: number }, change: Change): void => {
  if (change.to === "opted-in") {
    tally.optIns += 1
    if (change.because === undefined) tally.optInsWithoutEvidence += 1
  } else if (change.guarded) tally.optOuts += 1
}

/** Counting everybody an account knows is dear; it is done only when the bare counts do not settle it. */
const guardAccount = Effect.fnUntraced(function* (account: RegisteredAccount, tally: Tally, settings: EngineSettings) {
  if (guard(tally, 0, settings.guard).length === 0) return []
  return guard(tally, yield* population(account), settings.guard)
})
