/** What came of all trials, a line for each kind. */
import type { Trial } from "./trial.ts"

export interface Row {
  readonly kind: string
  readonly trials: number
  readonly stops: number
  /** Pairs held that must be, after the last of these trials. */
  readonly held: number
  readonly lost: number
  readonly doubleWriters: number
  readonly medianMs: number
  readonly worstMs: number
  /** Trials in which anything was wrong. */
  readonly failed: number
  /** Why it was not tried. */
  readonly leftOut?: string
}

const median = (sorted: ReadonlyArray<number>): number => sorted[Math.floor((sorted.length - 1) / 2)] ?? 0

export const rowOf = (kind: string, trials: ReadonlyArray<Trial>): Row => {
  const times = trials.map(({ recoveredMs }) => recoveredMs).toSorted((one, other) => one - other)
  const sum = (pick: (trial: Trial) => number) => trials.reduce((total, trial) => total + pick(trial), 0)
  return {
    kind,
    trials: trials.length,
    stops: sum(({ stops }) => stops),
    held: Math.max(0, ...trials.map(({ held }) => held)),
    lost: sum(({ lost }) => lost),
    doubleWriters: sum(({ doubleWriters }) => doubleWriters),
    medianMs: median(times),
    worstMs: times.at(-1) ?? 0,
    failed: trials.filter(({ wrong }) => wrong.length > 0).length
  }
}

const columns: ReadonlyArray<readonly [string, (row: Row) => string]> = [
  ["what was done", ({ kind }) => kind],
  ["trials", ({ trials }) => String(trials)],
  ["STOPs", ({ stops }) => String(stops)],
  ["pairs held", ({ held }) => String(held)],
  ["lost", ({ lost }) => String(lost)],
  ["double writers", (row) => String(row.doubleWriters)],
  ["recovered, median ms", ({ medianMs }) => String(medianMs)],
  ["worst ms", ({ worstMs }) => String(worstMs)],
  ["failed", ({ failed }) => String(failed)]
]

/** As Markdown, so that it can be put into a page as it is. */
export const tableOf = (rows: ReadonlyArray<Row>): string => {
  const tried = rows.filter(({ leftOut }) => leftOut === undefined)
  const cells = [columns.map(([title]) => title), ...tried.map((row) => columns.map(([, show]) => show(row)))]
  const widths = columns.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)))
  const line = (texts: ReadonlyArray<string>) =>
    `| ${texts.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`
  const [head = [], ...body] = cells
  return [
    line(head),
    rule,
    ...body.map(line),
    ...rows.flatMap(({ kind, leftOut }) => (leftOut === undefined ? [] : [`Not tried: ${kind}, because ${leftOut}.`]))
  ].join("\n")
}
