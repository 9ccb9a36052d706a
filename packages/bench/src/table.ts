/** The result as Markdown, which is what docs/operations.md shows. */
import type { Extent, Row } from "./bench.ts"
import type { Machine } from "./machine.ts"
import { factor } from "./numbers.ts"

export const table = (machine: Machine, extent: Extent, rows: ReadonlyArray<Row>): string => {
  const lines = rows.map((row) =>
    [
      row.bench,
      row.what,
      row.ours,
      row.peer,
      Number.isNaN(row.ratio) ? "" : factor(row.ratio),
      `${row.goal} ${row.met ? "✓" : "✗"}`
    ].join(" | ")
  )
  const notes = rows.flatMap((row) => row.notes.map((note) => `- ${row.bench}, ${row.what}: ${note}`))
  const { cores, load, memory, node, postgres, processor, system } = machine
  return [
    `${processor}, ${cores} cores, ${memory}, ${system}, Node ${node}, Postgres ${postgres}, load ${load}.`,
    `${extent.share === 1 ? "Full sizes" : `${factor(extent.share)} of the sizes`}, medians of ${extent.rounds} in turns.`,
    "",
    "| bench | what | Stopline | beside it | ratio | goal |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines.map((line) => `| ${line} |`),
    "",
    ...notes
  ].join("\n")
}
