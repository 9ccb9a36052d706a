/** All there are, in the order of the table. */
import type { Bench } from "./bench.ts"
import { backfillBench } from "./benches/backfill.ts"
import { checkBench } from "./benches/check.ts"
import { jobBench } from "./benches/job.ts"
import { limitBench } from "./benches/limit.ts"
import { planBench } from "./benches/plan.ts"
import { pollBench } from "./benches/poll.ts"
import { pushBench } from "./benches/push.ts"
import { webhookBench } from "./benches/webhook.ts"

export const benches: ReadonlyArray<Bench> = [
  backfillBench,
  planBench,
  pollBench,
  pushBench,
  limitBench,
  webhookBench,
  checkBench,
  jobBench
]
