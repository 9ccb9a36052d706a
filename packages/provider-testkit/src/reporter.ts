/**
 * A reporter of vitest: which law is kept by which adapter in which mode, and
 * why one was skipped. `vitest run --reporter=@stopline/provider-testkit/reporter`
 */
import { Schema } from "effect"
import type { TestCase, TestModule } from "vitest/node"

const Meta = Schema.Struct({ conformance: Schema.Struct({ candidate: Schema.String, law: Schema.String }) })
const isTrial = Schema.is(Meta)

/** What became of the trials of one law with one candidate. */
interface Cell {
  passed: number
  failed: number
  /** The reasons, one for each trial. */
  readonly skipped: Array<string>
}

type Table = Map<string, Map<string, Cell>>

export default class ConformanceReporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, errors: ReadonlyArray<{ readonly message?: string }>): void {
    const table: Table = new Map()
    const failures: Array<string> = errors.map(({ message }) => message ?? "an error outside of all tests")
    for (const module of modules) {
      failures.push(...module.errors().map(({ message }) => `${module.moduleId}: ${message}`))
      for (const test of module.children.allTests()) {
        note(table, test)
        const { errors = [] } = test.result()
        failures.push(...errors.map(({ message }) => `${test.fullName}\n    ${message}`))
      }
    }
    process.stdout.write(`${[...render(table), ...failures.map((failure) => `\nFAILED ${failure}`)].join("\n")}\n`)
  }
}

const note = (table: Table, test: TestCase): void => {
  const meta: unknown = test.meta()
  if (!isTrial(meta)) return
  const { candidate, law } = meta.conformance
  const row = table.get(law) ?? new Map<string, Cell>()
  const cell = row.get(candidate) ?? { passed: 0, failed: 0, skipped: [] }
  table.set(law, row.set(candidate, cell))
  const result = test.result()
  if (result.state === "skipped") cell.skipped.push(result.note ?? "no reason given")
  else if (result.state === "passed") cell.passed += 1
  else cell.failed += 1
}

/** A table of Markdown, below it the reasons for what was skipped, each with how often, and the sum of it all. */
const render = (table: Table): ReadonlyArray<string> => {
  const candidates = [...new Set([...table.values()].flatMap((row) => [...row.keys()]))].toSorted()
  const reasons = new Map<string, number>()
  const numberOf = (reason: string): number => {
    const number = reasons.get(reason) ?? reasons.size + 1
    reasons.set(reason, number)
    return number
  }
  const show = (cell: Cell | undefined): string => {
    if (cell === undefined) return "not tried"
    const marks = [...new Set(cell.skipped.map(numberOf))].map((number) => `[${number}]`).join(" ")
    const parts = [
      ...(cell.failed > 0 ? [`${cell.failed} FAILED`] : []),
      ...(cell.passed > 0 ? [`${cell.passed} passed`] : []),
      ...(cell.skipped.length > 0 ? [`${cell.skipped.length} skipped ${marks}`] : [])
    ]
    return parts.join(", ")
  }
  const rows = [...table].map(([law, row]) => [law, ...candidates.map((candidate) => show(row.get(candidate)))])
  const lines = [["law", ...candidates], ["---", ...candidates.map(() => "---")], ...rows]
  const cells = [...table.values()].flatMap((row) => [...row.values()])
  const skipped = Map.groupBy(
    cells.flatMap((cell) => cell.skipped),
    (reason) => reason
  )
  const notes = [...reasons].map(([reason, number]) => `[${number}] ${skipped.get(reason)?.length} times: ${reason}`)
  const sum = (count: (cell: Cell) => number) => cells.reduce((total, cell) => total + count(cell), 0)
  const [passed, failed, left] = [
    sum((cell) => cell.passed),
    sum((cell) => cell.failed),
    sum((cell) => cell.skipped.length)
  ]
  const tried = `${table.size} laws, ${candidates.length} adapters and modes, ${passed + failed + left} trials`
  const ended = `${passed} passed, ${failed} failed, ${left} skipped`
  return [...lines.map((cells) => `| ${cells.join(" | ")} |`), "", ...notes, "", `${tried}: ${ended}`]
}
