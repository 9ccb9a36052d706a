/**
 * What an adapter declares of itself, as the part of its provider's page that
 * stands between two marks. `UPDATE=1 npx vitest run <test>` writes it anew.
 */
import { readFile, writeFile } from "node:fs/promises"
import path from "node:path"
import { SenderAddress } from "@stopline/consent"
import type { Capability, LimitGroup, ProviderAdapter, WritePort } from "@stopline/provider"
import { assert } from "@effect/vitest"
import { Duration, Effect } from "effect"

/** Adapters by the mode they are in, each with all that can be configured. */
type Modes = Readonly<Record<string, ProviderAdapter>>

const marks = ["<!-- what the adapter declares -->", "<!-- end of what the adapter declares -->"] as const

const update = process.env["UPDATE"] === "1"

/** Holds the page to what the adapter declares, or writes it. */
export const assertPage = Effect.fn("assertPage")(function* (page: string, modes: Modes) {
  const file = path.join(import.meta.dirname, "../docs/providers", page)
  const text = yield* Effect.promise(() => readFile(file, "utf8"))
  const [before, after] = [text.indexOf(marks[0]), text.indexOf(marks[1])]
  assert.isAbove(before, -1, `${page} has no mark`)
  assert.isAbove(after, before, `${page} has no second mark`)
  const declared = `\n\n${describe(modes)}\n\n`
  const start = before + marks[0].length
  if (update) yield* Effect.promise(() => writeFile(file, text.slice(0, start) + declared + text.slice(after)))
  else assert.strictEqual(text.slice(start, after), declared, "UPDATE=1 writes it anew")
})

const describe = (modes: Modes): string => {
  const adapters = Object.values(modes)
  const abilities = Object.entries(rows).map(([name, say]) => [name, ...sameAsFirst(adapters.map(say))])
  const limits = new Map(
    adapters.flatMap(({ limits }) => limits).map((limit) => [limit.name, limitRow(limit)] as const)
  )
  const withheld = new Set(Object.entries(modes).flatMap(([mode, { write }]) => withheldAt(mode, write.optIn)))
  return [
    table([["", ...Object.keys(modes)], ...abilities]),
    ...(withheld.size === 0 ? [] : ["Opt-ins are withheld:", [...withheld].map((line) => `- ${line}`).join("\n")]),
    table([["limit", "requests", "after a 429 that names no time", "drawn on by"], ...limits.values()])
  ].join("\n\n")
}

const sameAsFirst = ([first = "", ...others]: ReadonlyArray<string>): ReadonlyArray<string> => [
  first,
  ...others.map((other) => (other === first ? "the same" : other))
]

const rows: Readonly<Record<string, (adapter: ProviderAdapter) => string>> = {
  list: ({ list }) =>
    say(list, ({ coverage, maxPage }) => `up to ${maxPage} rows a page; a walk to its end is ${coverage}`),
  check: ({ check }) => say(check, ({ maxRecipients }) => people(maxRecipients)),
  "opt out": ({ write }) => say(write.optOut, writing),
  "opt in": ({ write }) => say(write.optIn, writing),
  events: ({ events }) => say(events),
  subscription: ({ subscription }) => say(subscription),
  stream: ({ stream }) => say(stream),
  evidence: ({ evidence }) => say(evidence),
  "acts on, out": ({ keywords }) => keywords.optOut.join(", "),
  "acts on, in": ({ keywords }) => keywords.optIn.join(", "),
  "settles in": ({ settle }) => seconds(settle)
}

const say = <Port>(capability: Capability<Port>, how?: (port: Port) => string): string => {
  switch (capability._tag) {
    case "Can":
      return how === undefined ? "**can**" : `**can**: ${how(capability.port)}`
    case "Cannot": {
      const { reason, see } = capability
      return see === undefined ? `**cannot**: ${reason}` : `**cannot**: ${reason} ([see](${see}))`
    }
    case "NotYet":
      return `**not yet**: ${capability.reason}`
  }
}

const people = (count: number): string =>
  count === 1 ? "one recipient a request" : `up to ${count} recipients a request`

const tollFree = SenderAddress.make("+18005550100")
const number = SenderAddress.make("+14255550100")

const writing = ({ concurrency, maxRecipients }: WritePort): string =>
  `${people(maxRecipients)}, ${concurrency} requests at once`

const withheldAt = (mode: string, optIn: Capability<WritePort>): ReadonlyArray<string> => {
  if (optIn._tag !== "Can") return []
  const [ofAny, ofTollFree] = [optIn.port.except(number), optIn.port.except(tollFree)]
  return [
    ...(ofAny === undefined ? [] : [`at ${mode}: ${ofAny}`]),
    ...(ofTollFree === undefined ? [] : [`at toll-free senders: ${ofTollFree}`])
  ]
}

const seconds = (duration: Duration.Duration): string => `${Duration.toSeconds(duration)} seconds`

const limitRow = ({ atOnce, name, operations, penalty, requests, window }: LimitGroup): ReadonlyArray<string> => [
  name,
  `${requests} in ${seconds(window)}${atOnce === undefined ? "" : `, ${atOnce} of them at once`}`,
  `${seconds(penalty)} of silence`,
  operations.length === 0 ? "what nobody asks for by name" : operations.join(", ")
]

/** As the formatter has it: every column as wide as its widest cell. */
const table = ([head = [], ...body]: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...body].map((row) => row[column]?.length ?? 0)))
  const line = (cells: ReadonlyArray<string>) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n")
}
