/** The scenarios, played; and what is said to somebody who writes one wrong. */
import { readdirSync, readFileSync } from "node:fs"
import path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { playScenario, readScenario } from "@stopline/simulation"
import { Effect, Result } from "effect"
import { freshDatabase } from "../../../test/database.ts"

const folder = path.resolve(import.meta.dirname, "../scenarios")
const files = readdirSync(folder).toSorted()
const text = (file: string) => readFileSync(path.join(folder, file), "utf8")
const read = (file: string, from = text(file)) => Effect.fromResult(readScenario(file, from))

const play = Effect.fnUntraced(function* (file: string, from = text(file)) {
  const scenario = yield* read(file, from)
  return yield* playScenario(freshDatabase, scenario)
})

/** The question and the laws, as the name of a test. */
const scenarios = files.map((file) => {
  const [title = ""] = text(file).split("\n")
  const [shows = ""] = /^Shows .*$/mu.exec(text(file)) ?? []
  return { file, name: `${title.slice(2)} (${[...shows.matchAll(/L\d+/gu)].join(", ")})` }
})

describe("scenarios", () => {
  it.live.each(scenarios)("$name", ({ file }) => play(file))

  it.live("fail where they do not come true, and say what is so instead", () =>
    Effect.gen(function* () {
      const wrong = text("two-brands.md").replace(
        "Ann is not blocked at azure-one 20501.",
        "Ann is blocked at azure-one 20501."
      )
      const line = wrong.split("\n").indexOf("- Ann is blocked at azure-one 20501.") + 1
      const untrue = yield* Effect.flip(play("two-brands.md", wrong))
      assert.strictEqual(
        untrue.message,
        `two-brands.md:${line}: "Ann is blocked at azure-one 20501" is not so: +1555•••0000 is not blocked there`
      )
    })
  )
})

describe("a scenario that is written wrong", () => {
  const whyNot = (from: string, to: string) => {
    const original = text("two-brands.md")
    assert.include(original, from)
    return Result.match(readScenario("two-brands.md", original.replace(from, to)), {
      onFailure: ({ message }) => message,
      onSuccess: () => "nothing is wrong"
    })
  }

  it.each([
    [
      "a sentence that nobody knows",
      "Ann texts",
      "Ann shouts",
      /:18: "Ann shouts .* is no known sentence\. There are:\n/
    ],
    [
      "a person who is not there",
      "Ben is not",
      "Bob is not",
      /:24: .* is not understood\. \{people\}: Expected .*"Ben"/
    ],
    [
      "a sender that is not there",
      "to ring-one +16505550103",
      "to ring-one +19",
      /:18: .*\{sender\}: Expected "ring-one \+1/
    ],
    [
      "an account whose name is none",
      "ring-one sends",
      "Ring! sends",
      /:10: .*\{account\}: Expected lower-case letters/
    ],
    ["no question", "other?", "other.", /:1: .*Begin the file with # and a question/],
    ["no law", "Shows L2.", "Enjoy.", /:1: .*Say which laws it shows/],
    ["a list item without its dash", "- 1 second passes.", "\n1 second passes.", /:20: .* Begin it with a dash/],
    ["a part that is none", "## World", "## Worlds", /:8: .* There are ## World and ## What happens/],
    ["nobody to text", "- The people are Ann and Ben.", "", /nobody is texted\. Name them/]
  ])("%s is named with its line and the cure", (_, from, to, message) => assert.match(whyNot(from, to), message))
})

describe("the list of scenarios in docs/laws.md", () => {
  it("names each file with its question and its laws, and nothing else", () => {
    const page = readFileSync(path.resolve(folder, "../../../docs/laws.md"), "utf8")
    const listed = page.match(/^- \[.*\]\(\.\.\/packages\/simulation\/scenarios\/.*$/gmu) ?? []
    assert.deepStrictEqual(
      [...listed].toSorted(),
      scenarios
        .map(({ file, name }) => {
          const [, title = "", laws = ""] = /^(.*) \((.*)\)$/u.exec(name) ?? []
          return `- [${title}](../packages/simulation/scenarios/${file}) ${laws}`
        })
        .toSorted()
    )
  })
})
