/** How often and how much is read, as the configuration says or by default. */
import type { SweepBudget } from "@stopline/engine"
import { type Config, millis } from "./load.ts"

const defaultEveryMs = 60_000
const defaultSweep: SweepBudget = { perSender: 500, perHour: 30_000 }

export const dutiesOf = ({
  schedule
}: Config["content"]): { readonly everyMs: number; readonly sweep: SweepBudget } => ({
  everyMs: millis(schedule?.every, defaultEveryMs),
  sweep: {
    perSender: schedule?.sweep ?? defaultSweep.perSender,
    perHour: schedule?.sweepPerHour ?? defaultSweep.perHour
  }
})
