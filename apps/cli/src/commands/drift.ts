import { Fleet, plan, readAll, plannedOf } from "@stopline/engine"
import { openHalts, settleAll } from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { configFlag, jsonFlag, whoami, withFleet } from "../common.ts"
import { describeItems, describePlan, describeReads, planJson, readJson } from "../describe.ts"
import { Ends } from "../exit.ts"
import { say } from "../say.ts"

export const drift = Command.make(
  "drift",
  {
    config: configFlag,
    json: jsonFlag,
    examples: Flag.Int("examples").pipe(Flag.withDescription("How many pairs to name"), Flag.withDefault(20))
  },
  Effect.fn(function* ({ config, json, examples }) {
    yield* withFleet(
      config,
      Effect.gen(function* () {
        const { settings, stations } = yield* Fleet
        const reads = yield* readAll({ perSender: Infinity, perHour: Infinity }, whoami())
        yield* settleAll(settings.policy)
        const made = yield* plan(
          stations.map(plannedOf),
          settings,
          { examples, confirmMs: 0 },
          yield* Clock.currentTimeMillis
        )
        const halts = (yield* openHalts()).map((halt) => halt.message)
        yield* say(json, { reads: reads.map(readJson), drift: planJson(made), halts }, [
          ...describeReads(reads),
          ...describePlan(made),
          ...describeItems(made),
          ...halts
        ])
        if (reads.some((read) => read.error !== undefined)) return yield* new Ends({ code: 1 })
        if (made.changes + made.withheld + halts.length > 0) return yield* new Ends({ code: 2 })
      })
    )
  })
).pipe(
  Command.withDescription(
    "Read every provider and name the pairs that are not as they must be. Changes nothing there. Exit 2 when something differs"
  ),
  Command.withExamples([{ command: "stopline drift" }, { command: "stopline drift --json" }])
)
