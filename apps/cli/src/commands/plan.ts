import { Fleet, plan as makePlan, plannedOf } from "@stopline/engine"
import { Clock, Effect } from "effect"
import { Command, Flag } from "effect/cli"
import { configFlag, jsonFlag, withFleet } from "../common.ts"
import { describeItems, describePlan, planJson } from "../describe.ts"
import { Ends } from "../exit.ts"
import { say } from "../say.ts"

export const plan = Command.make(
  "plan",
  {
    config: configFlag,
    json: jsonFlag,
    examples: Flag.Int("examples").pipe(Flag.withDescription("How many pairs to show"), Flag.withDefault(10))
  },
  Effect.fn(function* ({ config, json, examples }) {
    yield* withFleet(
      config,
      Effect.gen(function* () {
        const { settings, stations } = yield* Fleet
        const made = yield* makePlan(
          stations.map(plannedOf),
          settings,
          { examples, confirmMs: 0 },
          yield* Clock.currentTimeMillis
        )
        yield* say(json, planJson(made), [...describePlan(made), ...describeItems(made)])
        if (made.changes > 0) return yield* new Ends({ code: 2 })
      })
    )
  })
).pipe(
  Command.withDescription(
    "Show what differs between the ledger and the providers as last known. Writes nothing. Exit 2 when something would change"
  ),
  Command.withExamples([{ command: "stopline plan" }, { command: "stopline plan --json --examples 100" }])
)
