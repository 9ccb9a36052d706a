/** Everything that differs, sender by sender and a page at a time: the first page of all of them is read at once. */
import {
  type Connection,
  type Difference,
  differences,
  type LedgerError,
  type RegisteredAccount,
  type RegisteredSender
} from "@stopline/ledger"
import type { OptInPolicy } from "@stopline/consent"
import { Effect, Exit } from "effect"
import { sendersOf, type Station } from "./fleet.ts"

const firstPage = 250
const pageSize = 1000

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
  policy: OptInPolicy,
  only?: ReadonlyArray<number>
): Effect.fn.Return<FirstPages, LedgerError, Connection> {
  const cursors = senders.filter(({ sender }) => sender.groupId !== null).map((one) => ({ ...one, after: 0 }))
  return cursors.length === 0 ? new Map() : yield* differences(cursors, policy, firstPage, only)
})

/** Shows each page to `visit`, in order of recipient; the first ones may have been read already. */
export const eachDiffering = Effect.fnUntraced(function* <E, R>(
  senders: ReadonlyArray<Speaking>,
  policy: OptInPolicy,
  visit: (sender: RegisteredSender, rows: ReadonlyArray<Difference>) => Effect.Effect<Onward, E, R>,
  only?: ReadonlyArray<number>,
  known?: FirstPages
): Effect.fn.Return<void, E | LedgerError, R | Connection> {
  const first = known ?? (yield* firstPages(senders, policy, only))
  for (const { account, sender } of senders) {
    let rows = first.get(sender.id) ?? []
    let limit = firstPage
    while (rows.length > 0) {
      const last = rows.length < limit ? undefined : rows.at(-1)
      // The next page is read while this one is carried out: nobody is on both. It may fail only if it is needed.
      const ahead =
        last === undefined
          ? Effect.succeed(Exit.succeed(new Map<number, ReadonlyArray<Difference>>()))
          : Effect.exit(differences([{ account, sender, after: last.recipient }], policy, pageSize, only))
      const [onward, next] = yield* Effect.all([visit(sender, rows), ahead], { concurrency: 2 })
      if (onward === "nothing") return
      if (onward === "sender") break
      limit = pageSize
      rows = (yield* next).get(sender.id) ?? []
    }
  }
})
