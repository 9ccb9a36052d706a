/** What differs, the approval of exactly that, and the halts that wait for a person. */
import { mask } from "@stopline/consent"
import { Fleet, plan as makePlan, plannedOf, round } from "@stopline/engine"
import { clearHalts, type Halt, openHalts } from "@stopline/ledger"
import { Clock, Effect } from "effect"
import { Caller } from "./authorise.ts"
import { Conflict, NotFound } from "./problems.ts"
import { type ApproveRequest, type ClearRequest, when } from "./shapes.ts"

const shown = 20

export const plan = Effect.fnUntraced(function* () {
  const { settings, stations } = yield* Fleet
  const options = { examples: shown, confirmMs: 0 }
  const made = yield* makePlan(stations.map(plannedOf), settings, options, yield* Clock.currentTimeMillis)
  return {
    ...made,
    examples: made.examples.map((item) => ({
      account: item.account,
      sender: item.sender,
      recipient: mask(item.recipient),
      to: item.to,
      reason: item.reason,
      withheld: item._tag === "Withheld" ? item.detail : null,
      because: item.because ?? null
    }))
  }
})

export const approve = Effect.fnUntraced(function* ({ by, digest }: typeof ApproveRequest.Type) {
  // A person is looking, so a lifted block is put back without waiting for evidence.
  const report = yield* round({
    approve: digest,
    startedBy: yield* byWhom(by),
    read: false,
    write: true,
    sweepBudget: 0,
    confirmMs: 0
  })
  if (report.plan.digest !== digest) {
    return yield* new Conflict({
      detail: `the plan is now ${report.plan.digest}: something changed since you looked, and nothing was written. See /v1/plan`
    })
  }
  return {
    digest,
    outcome: report.outcome,
    applied: report.applied.map((one) => ({ ...one, errors: one.errors.map((error) => error.message) })),
    halts: report.halts
  }
})

const byWhom = (by: string) => Effect.map(Caller, (caller) => `${by.trim()} (key ${caller})`)

const sayHalt = ({ raisedAt, ...halt }: Halt) => ({ ...halt, raisedAt: when(raisedAt) })

export const halts = Effect.fnUntraced(function* () {
  return { halts: (yield* openHalts()).map(sayHalt) }
})

export const clear = Effect.fnUntraced(function* (id: number, { by }: typeof ClearRequest.Type) {
  const [cleared] = yield* clearHalts({ ids: [id] }, yield* byWhom(by), yield* Clock.currentTimeMillis)
  if (cleared === undefined) {
    return yield* new NotFound({ detail: `no open halt has the number ${id}; GET /v1/halts lists them` })
  }
  return sayHalt(cleared)
})
