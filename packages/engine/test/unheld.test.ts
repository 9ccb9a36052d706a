/** What watching counts in one statement is what a plan judges one by one. */
import { assert, layer } from "@effect/vitest"
import { unheld, type Unheld } from "@stopline/ledger"
import { writabilityOf } from "@stopline/engine"
import { Clock, Effect } from "effect"
import { ledgerForTest } from "../../../test/database.ts"
import { begin, Start, unlimited } from "./start.ts"
import { timed } from "./world.ts"

const tally = (keys: ReadonlyArray<string>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const key of keys.toSorted()) counts[key] = (counts[key] ?? 0) + 1
  return counts
}

layer(ledgerForTest, { excludeTestServices: true })("whatever was said and is held", (it) => {
  it.effect.prop(
    "the pairs that are counted are those of the plan, with the same reasons",
    [Start],
    ([start]) =>
      Effect.gen(function* () {
        const { fleet, look } = yield* begin(start, unlimited)
        const now = yield* Clock.currentTimeMillis
        const planned = (yield* look).examples.map((item) =>
          [item.sender, item.to, item._tag === "Withheld" ? item.why : "none"].join(" ")
        )
        const senders = fleet.stations.flatMap(({ account, adapter }) =>
          account.senders.map((sender) => {
            const can = writabilityOf(adapter)(sender.address)
            return { account, sender, optOut: can.optOut === undefined, optIn: can.optIn === undefined }
          })
        )
        const rows = yield* unheld(senders, { policy: start.policy, now, confirmMs: start.confirmMs })
        const name = (row: Unheld) => senders.find(({ sender }) => sender.id === row.senderId)?.sender.address
        const counted = rows.flatMap((row) =>
          Array<string>(row.pairs).fill([name(row), row.state, row.withheld ?? "none"].join(" "))
        )
        assert.deepStrictEqual(tally(counted), tally(planned))
        for (const row of rows) if (row.state === "opted-out") assert.isAtMost(row.since ?? Infinity, now)
      }).pipe(timed),
    { arbitrary: { runs: 60, size: 100 } }
  )
})
