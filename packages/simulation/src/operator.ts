/** What an operator does at the command line. */
import { type AccountName, by, point, type Recipient, type SenderAddress } from "@stopline/consent"
import { Fleet, importOptOuts, plan, sweep, plannedOf } from "@stopline/engine"
import { Clock, Effect, Stream } from "effect"

/** A file of opt-outs, made just now. With `ago` it says when they opted out. */
export const importing = (
  account: AccountName,
  sender: SenderAddress,
  people: ReadonlyArray<Recipient>,
  now: number,
  ago?: number
) =>
  Effect.flatMap(Fleet, ({ stations }) => {
    const station = stations.find((one) => one.account.name === account)
    if (station === undefined) return Effect.void
    const places = [{ account: station.account, sender }]
    const time = ago === undefined ? by(now) : point(now - ago)
    const rows = Stream.fromIterable(people.map((recipient) => ({ recipient, places, time })))
    return importOptOuts({ name: "list.csv", source: String(now), startedBy: "cli", rows })
  })

/** Asks about so many people of each sender whose provider has no list. */
export const sweeping = (budget: number) =>
  Effect.flatMap(Fleet, ({ stations }) =>
    Effect.forEach(stations, (station) => {
      const { check, list } = station.adapter
      return list._tag === "Can" || check._tag !== "Can"
        ? Effect.void
        : sweep(station, check.port, { perSender: budget, perHour: Number.POSITIVE_INFINITY }, "cli")
    })
  )

/** What would be written now. */
export const planning = (confirmMs: number) =>
  Effect.gen(function* () {
    const { settings, stations } = yield* Fleet
    return yield* plan(
      stations.map(plannedOf),
      settings,
      { examples: 1_000, confirmMs },
      yield* Clock.currentTimeMillis
    )
  })
