/** Everything that differs, sender by sender and a page at a time: the first page of all of them is read at once. */
import {
  type Connection,
  type Difference,
  differences,
  type LedgerError,
  type RegisteredAccount,
  type RegisteredSender
} from "@stopline/ledger"
import { Effect, Exit } from "effect"
import { sendersOf, type Station } from "./fleet.ts"
import type { EngineSettings } from "./settings.ts"

/** Mostly little differs, and of every sender something is read at once. */
const firstPage = ({ pageRows }: Paging): number => Math.min(250, pageRows)

/** By which policy it differs, and how much of it is read at once. */
type Paging = Pick<EngineSettings, "policy" | "pageRows">

/** What comes after a page: the sender's next one, the next sender, or nothing. */
export type Onward = "page" | "sender" | "nothing"

export interface Speaking {
  readonly account: RegisteredAccount
  readonly sender: RegisteredSender
}

export const speakingFor = (station: Station): ReadonlyArray<Speaking> =>
  sendersOf(station).map((sender) => ({ account: station.account, sender }))

/** The first page of each sender, by its id. */
export type FirstPages = ReadonlyMap<number, ReadonlyArray<Difference>>

/** The first page of all these senders, in one statement. */
export const firstPages = Effect.fnUntraced(function* (
  senders: ReadonlyArray<Speaking>,
  paging: Paging,
  only?: ReadonlyArray<number>
): Effect.fn.Return<FirstPages, LedgerError, Connection> {
  const cursors = senders.filter(({ sender }) => sender.groupId !== null).map((one) => ({ ...one, after: 0 }))
  return cursors.length === 0 ? new Map() : yield* differences(cursors, paging.policy, firstPage(paging), only)
})

/** Shows each page to `visit`, in order of recipient; the first ones may have been read already. */
export const eachDiffering = Effect.fnUntraced(function* <E, R>(
  senders: ReadonlyArray<Speaking>,
  paging: Paging,
  visit: (sender: RegisteredSender, rows: ReadonlyArray<Difference>) => Effect.Effect<Onward, E, R>,
  only?: ReadonlyArray<number>,
  known?: FirstPages
): Effect.fn.Return<void, E | LedgerError, R | Connection> {
  const first = known ?? (yield* firstPages(senders, paging, only))
  for (const { account, sender } of senders) {
    let rows = first.get(sender.id) ?? []
    let limit = firstPage(paging)
    while (rows.length > 0) {
      const last = rows.length < limit ? undefined : rows.at(-1)
      // The next page is read while this one is carried out: nobody is on both. It may fail only if it is needed.
      const ahead =
        last === undefined
          ? Effect.succeed(Exit.succeed(new Map<number, ReadonlyArray<Difference>>()))
          : Effect.exit(differences([{ account, sender, after: last.recipient }], paging.policy, paging.pageRows, only))
      const [onward, next] = yield* Effect.all([visit(sender, rows), ahead], { concurrency: 2 })
      if (onward === "nothing") return
      if (onward === "sender") break
      limit = paging.pageRows
      rows = (yield* next).get(sender.id) ?? []
    }
  }
})
