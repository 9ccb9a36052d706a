import { readFileSync } from "node:fs"
import path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Bug, apply, copySources, plant, plantAll, plantedBugs } from "../src/planted.ts"

const page = readFileSync(path.resolve(import.meta.dirname, "../../../docs/laws.md"), "utf8")
const [, table = ""] = page.split(/<!-- \/?planted -->/)

const bugNamed = (name: string): Effect.Effect<Bug> =>
  Effect.map(plantedBugs, (bugs) => {
    const bug = bugs.find((one) => one.name === name)
    if (bug === undefined) throw new Error(`there is no planted bug ${name}`)
    return bug
  })

describe("planted bugs", () => {
  it.live("fit the sources as they are", () =>
    Effect.gen(function* () {
      const sources = yield* copySources
      const bugs = yield* plantedBugs
      assert.isAtLeast(bugs.length, 24)
      for (const bug of bugs) yield* apply(bug, sources, "--check")
    })
  )

  it.live("each have a story: a thought in quotes, and the law that it breaks", () =>
    Effect.gen(function* () {
      for (const { name, story } of yield* plantedBugs) assert.match(story, /^".+"[^]*^Breaks L\d+\b/mu, name)
    })
  )

  it.live("and no others are the rows of the table in docs/laws.md", () =>
    Effect.gen(function* () {
      const names = (yield* plantedBugs).map(({ name }) => name)
      const rows = [...table.matchAll(/^\| \[(.+?)\]/gmu)].map(([, name]) => name)
      assert.deepStrictEqual(rows, names)
    })
  )

  it.live("of a name that there is not is a mistake, and says what there is", () =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(plantAll({ only: ["opt-in-spread"] }))
      assert.match(message, /^opt-in-spread: there is no such bug; there are .*\bopt-in-spread-to-the-group\b/u)
    })
  )

  it.live.each<readonly [name: string, law: string]>([
    ["phrases-ignored", "L2"],
    ["opt-out-stays-settled", "L1"],
    ["opt-in-spread-to-the-group", "L3"]
  ])("%s is found, and breaks %s", ([name, law]) =>
    Effect.gen(function* () {
      const outcome = yield* plant(yield* bugNamed(name), yield* copySources, { mostSeeds: 10, rounds: 20 })
      assert.strictEqual(outcome.found?.law, law)
    })
  )
})
