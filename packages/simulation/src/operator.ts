/** What an operator does at the command line. */
import { type AccountName, by, type ConsentState, type Recipient, type SenderAddress } from "@stopline/consent"
import { attest, Fleet, importOptOuts, plan, writabilityOf } from "@stopline/engine"
import { Clock, Effect, Stream } from "effect"
import { settings } from "./worker.ts"

export const attesting = (account: AccountName, sender: SenderAddress, recipient: Recipient, state: ConsentState) =>
  attest({ account, sender, recipient, state, reach: "pair", by: "Jane", how: "phone" })

/** A file of opt-outs, made just now. */
export const importing = (account: AccountName, sender: SenderAddress, people: ReadonlyArray<Recipient>, now: number) =>
  Effect.flatMap(Fleet, ({ stations }) => {
    const station = stations.find((one) => one.account.name === account)
    if (station === undefined) return Effect.void
    const places = [{ account: station.account, sender }]
    const rows = Stream.fromIterable(people.map((recipient) => ({ recipient, places, time: by(now) })))
    return importOptOuts({ name: "list.csv", source: String(now), startedBy: "cli", rows })
  })

/** What would be written now. */
export const planning = (confirmMs: number) =>
  Effect.gen(function* () {
    const { stations } = yield* Fleet
    const accounts = stations.map(({ account, adapter }) => ({ account, writability: writabilityOf(adapter) }))
    return yield* plan(accounts, settings, { examples: 1_000, confirmMs }, yield* Clock.currentTimeMillis)
  })
