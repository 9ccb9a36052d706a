/** Plans, rounds and readings in sentences. */
import { mask } from "@stopline/consent"
import type { ApplyReport, Change, Plan, ReadReport, RoundReport, Withheld } from "@stopline/engine"
import { plural } from "./say.ts"

const words: Record<string, string> = {
  "opt-out": "opted out, and not held there yet",
  reassert: "the provider lifted the block, and nobody whose word counts said so",
  "opt-in": "opted back in, and still blocked there"
}

export const describePlan = (plan: Plan): ReadonlyArray<string> => {
  if (plan.changes === 0 && plan.withheld === 0) return ["Nothing differs: every provider holds what it must."]
  const lines = plan.accounts.flatMap((account) => [
    ...Object.entries(account.byReason).map(([key, count]) => {
      const [sender = "", to = "", reason = ""] = key.split(" ")
      return `${account.account}/${sender}: ${plural(count, "pair")} to be ${to} (${words[reason] ?? reason})`
    }),
    ...Object.entries(account.withheld).map(([key, count]) => {
      const [sender = "", to = "", ...why] = key.split(" ")
      return `${account.account}/${sender}: ${plural(count, "pair")} left alone, though ${to} (${why.join(" ")})`
    }),
    ...account.halts.map(
      (halt) => `${account.account}: ${halt.kind}: ${halt.count}, over the limit of ${halt.limit}; needs approval`
    )
  ])
  return [...lines, `Plan ${plan.digest}: ${plural(plan.changes, "change")}, ${plan.withheld} withheld.`]
}

/** The pairs that were asked for by their count, and how many there are beside them. */
export const describeItems = ({ changes, examples, withheld }: Plan): ReadonlyArray<string> => {
  const all = changes + withheld
  const more = all - examples.length
  return [
    ...examples.map(describeItem),
    ...(more > 0 ? [`  … and ${more} more; --examples ${all} names them all`] : [])
  ]
}

const describeItem = (item: (Change | Withheld) & { readonly account: string }): string => {
  const why = item._tag === "Withheld" ? `left alone: ${item.detail}` : (words[item.reason] ?? item.reason)
  return `  ${item.account}/${item.sender} ${mask(item.recipient)} should be ${item.to}: ${why}${item.because === undefined ? "" : ` (observation ${item.because})`}`
}

/** Recipients masked: what is printed ends up in terminals' scrollback and in tickets. */
export const planJson = (plan: Plan) => ({
  ...plan,
  examples: plan.examples.map((item) => ({ ...item, recipient: mask(item.recipient) }))
})

export const describeReads = (reads: ReadonlyArray<ReadReport>): ReadonlyArray<string> =>
  reads.flatMap((read) => [
    ...read.walks.map(
      (walk) =>
        `${walk.account}: read ${plural(walk.rows, "row")} on ${plural(walk.pages, "page")}, ${walk.news} new${walk.problems > 0 ? `, ${plural(walk.problems, "row")} not understood` : ""}`
    ),
    ...read.sweeps.map(
      (sweep) =>
        `${sweep.account}: asked about ${plural(sweep.asked, "pair")}, ${sweep.news} new${sweep.unanswered > 0 ? `, ${sweep.unanswered} without an answer` : ""}`
    ),
    ...(read.error === undefined ? [] : [read.error.message])
  ])

export const describeApplied = (applied: ReadonlyArray<ApplyReport>): ReadonlyArray<string> =>
  applied.flatMap((one) => [
    ...(one.optedOut + one.optedIn > 0
      ? [`${one.account}: wrote ${plural(one.optedOut, "opt-out")} and ${plural(one.optedIn, "opt-in")}`]
      : []),
    ...(one.heldBack > 0 ? [`${one.account}: ${plural(one.heldBack, "change")} held back by a guard`] : []),
    ...(one.rejected > 0 ? [`${one.account}: ${plural(one.rejected, "recipient")} refused by the provider`] : []),
    ...(one.retryable > 0 ? [`${one.account}: ${plural(one.retryable, "change")} left for the next round`] : []),
    ...one.errors.map((error) => error.message)
  ])

export const readJson = (read: ReadReport) => ({
  ...read,
  ...(read.error !== undefined && { error: read.error.message })
})

const appliedJson = (one: ApplyReport) => ({ ...one, errors: one.errors.map((error) => error.message) })

export const roundJson = (report: RoundReport) => ({
  outcome: report.outcome,
  reads: report.reads.map(readJson),
  plan: planJson(report.plan),
  applied: report.applied.map(appliedJson),
  halts: report.halts
})
