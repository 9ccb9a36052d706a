/** docs/laws.md says where each law is held; this holds the page to it. */
import { readFileSync } from "node:fs"
import path from "node:path"
import { assert, describe, it } from "@effect/vitest"

const root = path.resolve(import.meta.dirname, "..")
const page = readFileSync(path.join(root, "docs/laws.md"), "utf8")

const rows = [...page.matchAll(/^\| \*\*(L\d+)\*\* +\|.*$/gm)].map(([line, law = ""]) => ({
  law,
  files: [...line.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = ""]) => file)
}))

/** The names of the tests and suites of a file: the texts in quotes behind `it…(` and `describe(`. */
const names = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/\b(?:it|describe|layer)[^"`\n]*\(\s*(["`])([^"`]+)\1/g)].map(([, , name = ""]) => name)

describe("docs/laws.md", () => {
  it("has the sixteen laws, each once", () =>
    assert.deepStrictEqual(
      rows.map(({ law }) => law),
      Array.from({ length: 16 }, (_, i) => `L${i + 1}`)
    ))

  it.each(rows)("$law is cited by the tests it names", ({ files, law }) => {
    assert.isNotEmpty(files)
    for (const file of files) {
      const cited = names(readFileSync(path.join(root, file), "utf8")).some((name) =>
        new RegExp(`\\b${law}\\b`).test(name)
      )
      assert.isTrue(cited, `${file} has no test that names ${law}`)
    }
  })
})
