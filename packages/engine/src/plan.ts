/**
 * Everything that differs, judged: changes, what is withheld and why, and a
 * digest that names exactly these changes. Writes nothing, and has nothing to
 * write with: it is given descriptions of what can be written, not ports (L8).
 */
import { createHash } from "node:crypto"
import type { ConsentState, SenderAddress } from "@stopline/consent"
import {
  type Connection,
  type Difference,
  type LedgerError,
  population,
  type RegisteredAccount,
  type RegisteredSender
} from "@stopline/ledger"
import { type ProviderAdapter, writePort } from "@stopline/provider"
import { Effect } from "effect"
import { type Change, type Moment, type Withheld, judge, type Writability } from "./diff.ts"
import { eachDiffering } from "./differing.ts"
import { confirmWindow } from "./evidence.ts"
import type { Station } from "./fleet.ts"
import { guard, type GuardHalt, type Tally } from "./guard.ts"
import type { EngineSettings } from "./settings.ts"

/** An account to plan for. */
export interface Planned {
  readonly account: RegisteredAccount
  readonly writability: (sender: SenderAddress) => Writability
  /** Evidence can be looked for there. */
  readonly seeks: boolean
}

/** A station as it is planned for: what can be written there, without the ports to write it with. */
export const plannedOf = ({ account, adapter }: Station): Planned => ({
  account,
  writability: writabilityOf(adapter),
  seeks: adapter.evidence._tag === "Can"
})

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

export const plan = Effect.fn("plan")(function* (
  accounts: ReadonlyArray<Planned>,
  settings: EngineSettings,
  options: PlanOptions,
  now: number
): Effect.fn.Return<Plan, LedgerError, Connection> {
  const digest = createHash("sha256")
  const examples: Array<(Change | Withheld) & { readonly account: string }> = []
  const drafts = accounts.map((planned) => ({
    ...planned,
    ...emptyDraft(),
    windowOf: confirmWindow(planned.account, planned.seeks, options.confirmMs, settings.policy)
  }))
  const senders = accounts.flatMap(({ account }) => account.senders.map((sender) => ({ account, sender })))
  let withheld = 0
  yield* eachDiffering(
    senders,
    settings,
    Effect.fnUntraced(function* (sender: RegisteredSender, rows: ReadonlyArray<Difference>) {
      const draft = drafts.find(({ account }) => account.id === sender.accountId)
      if (draft === undefined) return "sender"
      const can = draft.writability(sender.address)
      const moment: Moment = { now, confirmMs: yield* draft.windowOf(sender, rows) }
      for (const row of rows) {
        const item = judge(row, sender.address, can, moment)
        if (examples.length < options.examples) examples.push({ ...item, account: sender.account })
        if (item._tag === "Withheld") withheld += 1
        else digest.update(`${sender.account}/${item.sender} ${item.recipient} ${item.to} ${item.reason}\n`)
        addTo(draft, item)
      }
      return "page"
    })
  )
  const planned = yield* Effect.forEach(drafts, ({ account, tally, ...draft }) =>
    Effect.map(guardAccount(account, tally, settings), (halts): AccountPlan => ({
      account: account.name,
      changes: draft.changes,
      byReason: draft.byReason,
      withheld: draft.withheld,
      guarded: { "opted-out": tally.optOuts, "opted-in": tally.optIns },
      halts
    }))
  )
  return {
    digest: digest.digest("hex").slice(0, 12),
    changes: planned.reduce((sum, one) => sum + one.changes, 0),
    withheld,
    accounts: planned,
    examples
  }
})

/** What is counted of one account while its differences pass by. */
interface Draft {
  changes: number
  readonly byReason: Record<string, number>
  readonly withheld: Record<string, number>
  readonly tally: { optOuts: number; optIns: number; optInsWithoutEvidence: number }
}

const emptyDraft = (): Draft => ({
  changes: 0,
  byReason: {},
  withheld: {},
  tally: { optOuts: 0, optIns: 0, optInsWithoutEvidence: 0 }
})

const addTo = (draft: Draft, item: Change | Withheld): void => {
  if (item._tag === "Withheld") {
    count(draft.withheld, `${item.sender} ${item.to} ${item.why}: ${item.detail}`)
    return
  }
  draft.changes += 1
  count(draft.byReason, `${item.sender} ${item.to} ${item.reason}`)
  if (item.to === "opted-in") {
    draft.tally.optIns += 1
    if (item.because === undefined) draft.tally.optInsWithoutEvidence += 1
  } else if (item.guarded) draft.tally.optOuts += 1
}

const count = (into: Record<string, number>, key: string): void => {
  into[key] = (into[key] ?? 0) + 1
}

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

/** Counting everybody an account knows is dear; it is done only when the bare counts do not settle it. */
const guardAccount = Effect.fnUntraced(function* (account: RegisteredAccount, tally: Tally, settings: EngineSettings) {
  if (guard(tally, 0, settings.guard).length === 0) return []
  return guard(tally, yield* population(account), settings.guard)
})
