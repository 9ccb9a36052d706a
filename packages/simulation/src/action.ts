/** One thing that happens. */
import type { AccountName, Member, Recipient, SenderAddress } from "@stopline/consent"
import type { Fault } from "@stopline/sandbox"
import type { Reform } from "./reform.ts"

export type Action =
  | {
      readonly do: "text"
      readonly person: Recipient
      readonly account: AccountName
      readonly sender: SenderAddress
      readonly words: string
    }
  /** A text of a campaign, whoever it goes to. */
  | { readonly do: "send"; readonly person: Recipient; readonly account: AccountName; readonly sender: SenderAddress }
  /** A colleague in the vendor's console. */
  | {
      readonly do: "edit"
      readonly person: Recipient
      readonly account: AccountName
      /** `*`: every sender of the account, at RingCentral only. */
      readonly sender: SenderAddress | "*"
      readonly to: "opt-out" | "opt-in"
    }
  /** A named person at the command line says it for somebody. */
  | {
      readonly do: "attest"
      readonly person: Recipient
      readonly account: AccountName
      readonly sender: SenderAddress
      readonly to: "opted-out" | "opted-in"
      /** How long ago they said so (ms), and whether of all that the brand sends; absent: just now, of this sender. */
      readonly ago?: number
      readonly reach?: "pair" | "group"
    }
  /** A file of opt-outs is imported. */
  | {
      readonly do: "import"
      /** How long ago they opted out (ms), if the file says so. */
      readonly ago?: number
      readonly people: ReadonlyArray<Recipient>
      readonly account: AccountName
      readonly sender: SenderAddress
    }
  /** Somebody looks at the plan that a halt held back, and approves it. */
  | { readonly do: "approve" }
  /** Somebody clears the halts. */
  | { readonly do: "resume" }
  /** The next webhooks are late by so much. */
  | { readonly do: "late"; readonly times: number; readonly ms: number }
  /** Somebody who does not know the secret sends what looks like a webhook. */
  | { readonly do: "forge"; readonly person: Recipient }
  /** A worker's clock is set. */
  | { readonly do: "skew"; readonly worker: number; readonly ms: number }
  | { readonly do: "fault"; readonly fault: Fault }
  | { readonly do: "clear" }
  /** The ledger fails a worker so often: before it did what was asked, after, or by a conflict that rolls it back. */
  | {
      readonly do: "ledger"
      readonly worker: number
      readonly when: "before" | "after" | "conflict"
      readonly times: number
    }
  /** So many turns; or no more than that, until a write was begun. */
  | { readonly do: "stir"; readonly turns: number; readonly toWrite?: boolean }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "round"; readonly worker: number; readonly read: boolean }
  /** A worker begins a round, and other things happen while it runs. */
  | { readonly do: "begin"; readonly worker: number; readonly read: boolean }
  /** All rounds that were begun come to their end. */
  | { readonly do: "finish" }
  /** Nothing is wrong for a while, and somebody says STOP again; or three for the first time, one shortly after the other. */
  | {
      readonly do: "calm"
      readonly person?: Recipient
      readonly account: AccountName
      readonly sender: SenderAddress
      /** They say it so many turns after a round has begun its first write. */
      readonly during?: { readonly worker: number; readonly after: number }
    }
  /** Both workers at once. */
  | { readonly do: "both" }
  /** A worker is killed after so many turns of a round, and started again. */
  | { readonly do: "kill"; readonly worker: number; readonly after: number }
  /** A worker is frozen after so many turns of a round, for so long; the other goes on. */
  | { readonly do: "freeze"; readonly worker: number; readonly after: number; readonly ms: number }
  /** A worker begins to look whether all was heard. */
  | { readonly do: "look"; readonly worker: number }
  | { readonly do: "join" }
  /** A new configuration: who speaks for which brand, or what an opt-in is worth. */
  | ({ readonly do: "reform" } & Reform)
  /** A brand goes by another name, or by its own again. */
  | { readonly do: "rename"; readonly brand: string }
  /** One sender speaks for another brand, or for none. */
  | { readonly do: "move"; readonly sender: Member; readonly to: string | undefined; readonly isRolling?: boolean }

/** What happens of one kind. */
export type Doing<Name extends Action["do"]> = Extract<Action, { readonly do: Name }>
