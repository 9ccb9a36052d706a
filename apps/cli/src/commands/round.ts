/** `apply` and `sync`: a round without reading, and a whole one. */
import { round, type RoundReport } from "@stopline/engine"
import { Effect, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { configFlag, jsonFlag, whoami, withFleet } from "../common.ts"
import { describeApplied, describePlan, describeReads, roundJson } from "../describe.ts"
import { Ends, UsageError } from "../exit.ts"
import { say } from "../say.ts"

const approveFlag = Flag.String("approve").pipe(
  Flag.withDescription("Digest of a plan you have seen: carry out exactly this one, whatever the guards say"),
  Flag.optional
)

/** A person is looking, so a lifted block is put back without waiting for evidence. */
const byHand = { write: true, sweepBudget: Number.MAX_SAFE_INTEGER, confirmMs: 0 }

const finish = Effect.fnUntraced(function* (json: boolean, report: RoundReport) {
  yield* say(json, roundJson(report), [
    ...describeReads(report.reads),
    ...describePlan(report.plan),
    ...describeApplied(report.applied),
    ...report.halts
  ])
  if (report.outcome === "incomplete") return yield* new Ends({ code: 1 })
  const undecided = report.applied.some((one) => one.heldBack + one.rejected + one.retryable > 0)
  if (report.outcome === "halted" || undecided) return yield* new Ends({ code: 2 })
})

export const apply = Command.make(
  "apply",
  { config: configFlag, json: jsonFlag, approve: approveFlag },
  Effect.fn(function* ({ config, json, approve }) {
    yield* withFleet(
      config,
      Effect.gen(function* () {
        const approved = Option.getOrUndefined(approve)
        const options = {
          ...byHand,
          read: false,
          startedBy: whoami(),
          ...(approved !== undefined && { approve: approved })
        }
        const report = yield* round(options)
        if (approved !== undefined && approved !== report.plan.digest) {
          return yield* new UsageError({
            problem: `the plan is now ${report.plan.digest}, not ${approved}: something changed since you looked. See \`stopline plan\``
          })
        }
        return yield* finish(json, report)
      })
    )
  })
).pipe(
  Command.withDescription("Carry out the plan, as far as the guards allow. Exit 2 when something needs a decision"),
  Command.withExamples([{ command: "stopline apply" }, { command: "stopline apply --approve 3f2a9c0d11ee" }])
)

export const sync = Command.make(
  "sync",
  { config: configFlag, json: jsonFlag },
  Effect.fn(function* ({ config, json }) {
    yield* withFleet(
      config,
      Effect.flatMap(round({ ...byHand, read: true, startedBy: whoami() }), (report) => finish(json, report))
    )
  })
).pipe(
  Command.withDescription("Read every provider, plan and apply, once"),
  Command.withExamples([{ command: "stopline sync" }])
)
