/**
 * PromQL as far as the rules in docker/prometheus/alerts.yaml go, read by
 * Prometheus' own grammar and evaluated over a few scrapes. There is no
 * Prometheus here. It knows: numbers, time(), selectors with = and =~, +, -,
 * comparisons with a number, max by, and increase, which it does not extrapolate
 * to the edges of its window as Prometheus does. Anything else it refuses.
 */
import { parser } from "@prometheus-io/lezer-promql"
import type { SyntaxNode } from "@lezer/common"
import type { Sample, Scrape } from "./scrape.ts"

export interface Selector {
  readonly name: string
  readonly matchers: ReadonlyArray<{ readonly label: string; readonly op: string; readonly value: string }>
}

const childrenOf = (node: SyntaxNode): ReadonlyArray<SyntaxNode> => {
  const found: Array<SyntaxNode> = []
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child)
  return found
}

const refuse = (what: string, expr: string): never => {
  throw new Error(`this evaluator does not know ${what}: ${expr}`)
}

/** The one expression of the text; throws where the grammar finds a mistake. */
const parse = (expr: string): SyntaxNode => {
  const tree = parser.parse(expr)
  tree.iterate({ enter: (node) => (node.type.isError ? refuse("this grammar", expr) : undefined) })
  const [root, ...others] = childrenOf(tree.topNode)
  return root === undefined || others.length > 0 ? refuse("this", expr) : root
}

const descend = (node: SyntaxNode, names: ReadonlyArray<string>): ReadonlyArray<SyntaxNode> =>
  childrenOf(node).flatMap((child) => [...(names.includes(child.name) ? [child] : []), ...descend(child, names)])

const readSelector = (node: SyntaxNode, text: string): Selector => {
  const said = (of: SyntaxNode | undefined) => (of === undefined ? "" : text.slice(of.from, of.to))
  const matchers = descend(node, ["UnquotedLabelMatcher"]).map((matcher) => {
    const [label, op, value] = childrenOf(matcher)
    return { label: said(label), op: said(op), value: said(value).slice(1, -1) }
  })
  return { name: said(descend(node, ["Identifier"])[0]), matchers }
}

/** Every metric that an expression names, and every label by which it groups. */
export const usedBy = (expr: string) => {
  const tree = { root: parse(expr) }
  const nodes = [tree.root, ...descend(tree.root, ["VectorSelector", "GroupingLabels"])]
  return {
    selectors: nodes.filter(({ name }) => name === "VectorSelector").map((node) => readSelector(node, expr)),
    grouping: nodes
      .filter(({ name }) => name === "GroupingLabels")
      .flatMap((node) => childrenOf(node).map(({ from, to }) => expr.slice(from, to)))
  }
}

export const matches = ({ matchers, name }: Selector, sample: Sample): boolean =>
  sample.name === name &&
  matchers.every(({ label, op, value }) => {
    const found = sample.labels[label] ?? ""
    if (op === "=") return found === value
    if (op === "=~") return new RegExp(`^(?:${value})$`).test(found)
    return refuse(op, name)
  })

type Vector = ReadonlyArray<{ readonly labels: Readonly<Record<string, string>>; readonly value: number }>
type Value = number | Vector

const comparisons: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  Gtr: (a, b) => a > b,
  Gte: (a, b) => a >= b,
  Lss: (a, b) => a < b,
  Lte: (a, b) => a <= b,
  Eql: (a, b) => a === b,
  Neq: (a, b) => a !== b
}
const sums: Readonly<Record<string, (a: number, b: number) => number>> = { Add: (a, b) => a + b, Sub: (a, b) => a - b }

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** What the expression comes to at the last of these scrapes; every sample of an alert's is one that fires. */
export const evaluate = (expr: string, scrapes: ReadonlyArray<Scrape>): Vector => {
  const last = scrapes.at(-1)
  if (last === undefined) throw new Error("there is no scrape")
  const said = ({ from, to }: SyntaxNode) => expr.slice(from, to)

  const select = (node: SyntaxNode): Vector => {
    const selector = readSelector(node, expr)
    return last.samples.filter((sample) => matches(selector, sample))
  }

  const increase = (matrix: SyntaxNode): Vector => {
    const [vector, range] = childrenOf(matrix)
    if (vector?.name !== "VectorSelector" || range === undefined) return refuse(matrix.name, expr)
    const [, count = "", unit = ""] = /^(\d+)([smhd])$/.exec(said(range)) ?? refuse("this time", expr)
    const since = last.at - Number(count) * (unitSeconds[unit] ?? 0)
    const window = scrapes.filter(({ at }) => at > since)
    const selector = readSelector(vector, expr)
    const key = (sample: Sample) =>
      JSON.stringify(
        Object.keys(sample.labels)
          .toSorted()
          .map((name) => [name, sample.labels[name]])
      )
    return select(vector).flatMap(({ labels }) => {
      const id = key({ name: selector.name, labels, value: 0 })
      const values = window.flatMap(({ samples }) =>
        samples.flatMap((sample) => (matches(selector, sample) && key(sample) === id ? [sample.value] : []))
      )
      // Two are needed; one that is smaller than the one before was begun anew at 0.
      if (values.length < 2) return []
      const value = values.reduce((sum, now, i) => {
        const before = values[i - 1]
        return before === undefined ? 0 : sum + (now < before ? now : now - before)
      }, 0)
      return [{ labels, value }]
    })
  }

  const aggregate = (node: SyntaxNode): Vector => {
    const [op, ...rest] = childrenOf(node)
    const modifier = rest.find(({ name }) => name === "AggregateModifier")
    const [argument] = rest.filter(({ name }) => name === "FunctionCallBody").flatMap(childrenOf)
    if (op === undefined || said(op) !== "max" || argument === undefined) return refuse(said(op ?? node), expr)
    if (modifier !== undefined && childrenOf(modifier)[0]?.name !== "By") return refuse(said(modifier), expr)
    const by = modifier === undefined ? [] : descend(modifier, ["LabelName"]).map(said)
    const groups = new Map<string, { labels: Record<string, string>; value: number }>()
    const vector = calculate(argument)
    if (typeof vector === "number") return refuse("max of a number", expr)
    for (const one of vector) {
      const labels = Object.fromEntries(
        by.flatMap((name) => (one.labels[name] === undefined ? [] : [[name, one.labels[name]]]))
      )
      const known = groups.get(JSON.stringify(labels))
      groups.set(JSON.stringify(labels), { labels, value: Math.max(known?.value ?? -Infinity, one.value) })
    }
    return [...groups.values()]
  }

  const call = (node: SyntaxNode): Value => {
    const [name, body] = childrenOf(node)
    const [argument] = body === undefined ? [] : childrenOf(body)
    if (name !== undefined && said(name) === "time") return last.at
    if (name !== undefined && said(name) === "increase" && argument?.name === "MatrixSelector")
      return increase(argument)
    return refuse(said(name ?? node), expr)
  }

  const binary = (node: SyntaxNode): Value => {
    const [left, op, right, ...more] = childrenOf(node)
    if (left === undefined || op === undefined || right === undefined || more.length > 0) return refuse("this", expr)
    const [a, b] = [calculate(left), calculate(right)]
    const compare = comparisons[op.name]
    if (compare !== undefined) {
      if (typeof a === "number" || typeof b !== "number") return refuse("a comparison of this", expr)
      return a.filter(({ value }) => compare(value, b))
    }
    const sum = sums[op.name] ?? refuse(said(op), expr)
    if (typeof a === "number") {
      return typeof b === "number" ? sum(a, b) : b.map(({ labels, value }) => ({ labels, value: sum(a, value) }))
    }
    return typeof b === "number"
      ? a.map(({ labels, value }) => ({ labels, value: sum(value, b) }))
      : refuse("two vectors", expr)
  }

  const calculate = (node: SyntaxNode): Value => {
    switch (node.name) {
      case "NumberDurationLiteral":
        return /^\d+(\.\d+)?$/.test(said(node)) ? Number(said(node)) : refuse(said(node), expr)
      case "VectorSelector":
        return select(node)
      case "FunctionCall":
        return call(node)
      case "AggregateExpr":
        return aggregate(node)
      case "BinaryExpr":
        return binary(node)
      default:
        return refuse(node.name, expr)
    }
  }

  const value = calculate(parse(expr))
  return typeof value === "number" ? refuse("a number by itself", expr) : value
}
