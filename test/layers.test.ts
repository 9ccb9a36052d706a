import { globSync, readFileSync } from "node:fs"
import path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { checkManifest, checkSource, layers } from "./layers.ts"

const root = path.join(import.meta.dirname, "..")

const read = (patterns: ReadonlyArray<string>) =>
  globSync([...patterns], { cwd: root, exclude: ["**/node_modules/**", "**/dist/**"] })
    // What another test puts there for a moment is hidden.
    .filter((file) => !file.split("/").some((part) => part.startsWith(".")))
    .toSorted()
    .map((file) => ({ file, text: readFileSync(path.join(root, file), "utf8") }))

const sources = read(["packages/*/{src,test,bin}/**/*.{ts,mjs}", "apps/*/{src,bin}/**/*.{ts,mjs}"])
const manifests = read(["packages/*/package.json", "apps/*/package.json"])

describe("the house", () => {
  it("is read as a whole", () => {
    for (const name of Object.keys(layers)) {
      assert.isTrue(
        sources.some(({ file }) => file.split("/")[1] === name),
        name
      )
      assert.isTrue(
        manifests.some(({ file }) => file.split("/")[1] === name),
        name
      )
    }
  })

  it("stands: every import points down, and no source does what none may do", () => {
    const problems = sources.flatMap(({ file, text }) => checkSource(file, text))
    assert.strictEqual(problems.join("\n"), "")
  })

  it("stands on paper, too: every package.json asks for no more", () => {
    const problems = manifests.flatMap(({ file, text }) => checkManifest(file, text))
    assert.strictEqual(problems.join("\n"), "")
  })
})

const mayStay = (file: string, text: string) => assert.deepStrictEqual(checkSource(file, text), [])
const isRefused = (file: string, text: string, problem: string) =>
  assert.deepStrictEqual(checkSource(file, text), [`${file}:${problem}`])

describe("an import", () => {
  it.each([
    ["packages/provider/src/x.ts", `import { by } from "@stopline/consent"`],
    ["packages/engine/src/x.ts", `import { append } from "@stopline/ledger"`],
    ["packages/ledger/src/x.ts", `import pg from "pg"\nimport fs from "node:fs"`],
    ["packages/consent/src/deep/x.ts", `import { x } from "../y.ts"\nimport { Effect } from "effect"`],
    ["packages/consent/src/x.ts", `import { TestClock } from "effect/testing"`],
    ["packages/sandbox/bin/x.mjs", `import "../src/main.ts"`],
    ["packages/provider-azure/src/x.ts", `import { can } from "@stopline/provider"`],
    ["packages/ledger/test/x.test.ts", `import { freshDatabase } from "../../../test/database.ts"`],
    ["packages/provider-azure/test/x.test.ts", `import { startSandbox } from "@stopline/sandbox"`],
    ["packages/ledger/test/x.test.ts", `import { append } from "@stopline/ledger"\nimport { x } from "../src/must.ts"`],
    [
      "apps/worker/src/x.ts",
      `import "@stopline/engine"\nimport "@stopline/sandbox"\nimport "@stopline/provider-azure"`
    ],
    ["apps/cli/src/x.ts", `import "@stopline/worker"`],
    ["packages/consent/src/x.ts", `// import "@stopline/engine"\nexport const x = 'import "@stopline/engine"'`]
  ])("that points down may stay: %s %j", mayStay)

  it.each([
    [
      "packages/consent/src/x.ts",
      `\n\nimport { append } from "@stopline/ledger"`,
      "3: consent (layer 0) imports @stopline/ledger (layer 3); it may import none of our packages"
    ],
    [
      "packages/provider/src/x.ts",
      `import type { Walk } from "@stopline/ledger"`,
      "1: provider (layer 1) imports @stopline/ledger (layer 3); it may import @stopline/consent"
    ],
    [
      "packages/provider-azure/src/x.ts",
      `export * from "@stopline/provider-ringcentral"`,
      "1: provider-azure (layer 2) imports @stopline/provider-ringcentral (layer 2); it may import @stopline/consent, @stopline/provider"
    ],
    [
      "packages/sandbox/src/x.ts",
      `export { by } from "@stopline/consent"`,
      "1: sandbox (layer 2) imports @stopline/consent (layer 0); it may import none of our packages"
    ],
    [
      "packages/ledger/src/x.ts",
      `const engine = await import("@stopline/engine")`,
      "1: ledger (layer 3) imports @stopline/engine (layer 4); it may import @stopline/consent, @stopline/provider"
    ],
    [
      "packages/engine/src/x.ts",
      `type Sandbox = import("@stopline/sandbox").Sandbox`,
      "1: engine (layer 4) imports @stopline/sandbox (layer 2); it may import @stopline/consent, @stopline/provider, @stopline/ledger"
    ],
    [
      "packages/engine/src/x.ts",
      `import "@stopline/nobody"`,
      "1: engine (layer 4) imports @stopline/nobody (layer none); it may import @stopline/consent, @stopline/provider, @stopline/ledger"
    ],
    [
      "packages/engine/test/x.test.ts",
      `import "@stopline/worker"`,
      "1: engine (layer 4) imports @stopline/worker (layer 5); it may import @stopline/consent, @stopline/provider, @stopline/ledger, @stopline/engine, @stopline/provider-testkit, @stopline/sandbox"
    ],
    [
      "apps/worker/bin/x.mjs",
      `import "@stopline/cli"`,
      "1: worker (layer 5) imports @stopline/cli (layer 6); it may import @stopline/consent, @stopline/provider, @stopline/provider-azure, @stopline/provider-ringcentral, @stopline/provider-twilio, @stopline/sandbox, @stopline/ledger, @stopline/engine"
    ],
    ["packages/ledger/src/x.ts", `import "@stopline/ledger"`, "1: ledger imports itself by name; import the file"],
    [
      "packages/engine/src/x.ts",
      `import "@stopline/ledger/src/must.ts"`,
      "1: @stopline/ledger/src/must.ts goes into another package; import @stopline/ledger"
    ],
    [
      "packages/engine/src/x.ts",
      `import "../../ledger/src/must.ts"`,
      "1: ../../ledger/src/must.ts leaves src; src may import its own files, and packages by name"
    ],
    [
      "packages/engine/src/x.ts",
      `import "../test/world.ts"`,
      "1: ../test/world.ts leaves src; src may import its own files, and packages by name"
    ],
    [
      "packages/engine/test/x.test.ts",
      `import "../../ledger/test/world.ts"`,
      "1: ../../ledger/test/world.ts goes through another folder; import a package by its name, or in a test what stands in test/"
    ],
    [
      "packages/consent/src/x.ts",
      `import fs from "node:fs"`,
      "1: consent (layer 0) is pure and imports node:fs; it may import effect, libphonenumber-js and its own files"
    ],
    [
      "packages/consent/src/x.ts",
      `import { parse } from "effective"`,
      "1: consent (layer 0) is pure and imports effective; it may import effect, libphonenumber-js and its own files"
    ]
  ])("that does not is refused: %s %j", isRefused)

  it("of a package that stands in no layer is refused", () =>
    assert.deepStrictEqual(checkSource("packages/newcomer/src/x.ts", ""), [
      "packages/newcomer/src/x.ts: newcomer stands in no layer; give it one in test/layers.ts"
    ]))
})

describe("a package.json", () => {
  const manifest = (dependencies: object) => JSON.stringify({ name: "x", ...dependencies }, null, 2)

  it("may ask for what its sources may import, and in development for more", () => {
    const text = manifest({
      dependencies: { "@stopline/consent": "workspace:*", effect: "catalog:" },
      devDependencies: { "@stopline/sandbox": "workspace:*" }
    })
    assert.deepStrictEqual(checkManifest("packages/provider-azure/package.json", text), [])
  })

  it.each(["dependencies", "peerDependencies", "optionalDependencies"])("asks for too much in its %s", (kind) => {
    const file = "packages/ledger/package.json"
    const text = manifest({
      devDependencies: { "@stopline/engine": "*" },
      [kind]: { pg: "*", "@stopline/engine": "*" }
    })
    assert.deepStrictEqual(checkManifest(file, text), [
      `${file}:8: ledger (layer 3) imports @stopline/engine (layer 4); it may import @stopline/consent, @stopline/provider`
    ])
  })

  it("of consent asks for nothing impure", () => {
    const file = "packages/consent/package.json"
    assert.deepStrictEqual(checkManifest(file, manifest({ dependencies: { effect: "*", kysely: "*" } })), [
      `${file}:5: consent (layer 0) is pure and depends on kysely; it may depend on effect and libphonenumber-js`
    ])
  })

  it("of a package that stands in no layer is refused", () =>
    assert.lengthOf(checkManifest("apps/newcomer/package.json", manifest({})), 1))
})

describe("a source", () => {
  const inEngine = "packages/engine/src/x.ts"
  const noVendor = "that belongs into its provider package or into a port"

  it.each([
    [inEngine, `// Azure cannot list\n/** RingCentral can */\nexport const x = 1`],
    ["packages/provider-azure/src/x.ts", `export const vendor = "azure"`],
    ["packages/engine/test/x.test.ts", `export const vendor = "azure"`],
    [inEngine, `export const at = (ms: number) => new Date(ms)`],
    ["packages/engine/test/x.test.ts", `export const now = Date.now()`],
    [
      "packages/engine/src/index.ts",
      `/** The surface. */\nexport * from "./a.ts"\nexport { b, type C } from "./b.ts"\nexport {}`
    ]
  ])("may stay: %s %j", mayStay)

  it.each([
    [inEngine, `\nexport const vendor = "Azure"`, `2: engine names a vendor, "\\"Azure\\""; ${noVendor}`],
    [
      inEngine,
      "export const url = `https://${1}.ringcentral.com`",
      `1: engine names a vendor, ".ringcentral.com"; ${noVendor}`
    ],
    [inEngine, `export const twilioLike = 1`, `1: engine names a vendor, "twilioLike"; ${noVendor}`],
    [inEngine, `export const x = /^azure/`, `1: engine names a vendor, "/^azure/"; ${noVendor}`],
    [inEngine, `export const now = () => Date.now()`, "1: Date.now reads the clock; use Clock.currentTimeMillis"],
    [
      "apps/cli/src/x.ts",
      `export const now = new Date()`,
      "1: new Date() reads the clock; use Clock.currentTimeMillis, or give it a time"
    ],
    ["packages/sandbox/src/x.ts", `\nexport const x = Math.random()`, "2: Math.random cannot be repeated; use Random"],
    [
      "packages/engine/src/index.ts",
      `export * from "./a.ts"\nexport const x = 1`,
      "2: index.ts is the public surface and nothing else; it may only export from other files"
    ],
    [
      "packages/engine/src/index.ts",
      `import { x } from "./a.ts"`,
      "1: index.ts is the public surface and nothing else; it may only export from other files"
    ]
  ])("is refused: %s %j", isRefused)

  it("has 400 lines at most", () => {
    const lines = (count: number) => "export {}\n".repeat(count)
    mayStay(inEngine, lines(400))
    mayStay("packages/engine/test/x.test.ts", lines(401))
    isRefused(inEngine, lines(401), "401: 401 lines are more than 400; it holds more than one idea, so split it")
  })
})
