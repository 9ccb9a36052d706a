/**
 * Which package stands on which, and what no source may do. A file is judged by
 * its path and its text alone, so that the rules can be tried on files that do
 * not exist.
 */
import path from "node:path"
import { Predicate, Schema } from "effect"
import { parseAst } from "vitest/node"

interface Layer {
  readonly level: number
  /** What it may import of ours, by name. */
  readonly below: ReadonlyArray<string>
}

const packages = [
  "consent",
  "provider",
  "provider-azure",
  "provider-ringcentral",
  "provider-twilio",
  "sandbox",
  "ledger",
  "engine"
]

/** Imports point down only. Neighbours do not know each other. */
export const layers: Readonly<Record<string, Layer>> = {
  consent: { level: 0, below: [] },
  client: { level: 0, below: [] },
  provider: { level: 1, below: ["consent"] },
  "provider-testkit": { level: 2, below: ["consent", "provider"] },
  "provider-azure": { level: 2, below: ["consent", "provider"] },
  "provider-ringcentral": { level: 2, below: ["consent", "provider"] },
  "provider-twilio": { level: 2, below: ["consent", "provider"] },
  sandbox: { level: 2, below: [] },
  ledger: { level: 3, below: ["consent", "provider"] },
  engine: { level: 4, below: ["consent", "provider", "ledger"] },
  simulation: { level: 5, below: packages },
  chaos: { level: 4, below: ["sandbox", "ledger"] },
  worker: { level: 5, below: packages },
  bench: { level: 6, below: [...packages, "worker"] },
  cli: { level: 6, below: [...packages, "worker"] }
}

/** Everything consent may take from elsewhere: it is pure, so not even Node. */
const allowedToConsent = /^(effect|libphonenumber-js)(\/|$)/

/** Below the applications only the provider packages know a vendor. */
const withoutVendors: ReadonlySet<string> = new Set(["consent", "provider", "provider-testkit", "ledger", "engine"])
const vendor = /azure|ringcentral|twilio/i

const longestFile = 400

/** Where a file belongs: `packages/ledger/src/fold.ts` is of ledger, in src, under `packages/ledger`. */
interface Place {
  readonly name: string
  readonly part: string
  readonly folder: string
}

const placeOf = (file: string): Place => {
  const [above = "", name = "", part = ""] = file.split("/")
  return { name, part, folder: `${above}/${name}` }
}

const named = (names: ReadonlyArray<string>): string =>
  names.length === 0 ? "none of our packages" : names.map((name) => `@stopline/${name}`).join(", ")

const homeless = (file: string, name: string): string =>
  `${file}: ${name} stands in no layer; give it one in test/layers.ts`

/** Everything that is wrong with a source file, each with its line. Nothing: it may stay. */
export const checkSource = (file: string, text: string): ReadonlyArray<string> => {
  const place = placeOf(file)
  if (layers[place.name] === undefined) return [homeless(file, place.name)]
  const problems: Array<string> = []
  const say = (at: number, problem: string) =>
    problems.push(`${file}:${text.slice(0, at).split("\n").length}: ${problem}`)
  for (const node of nodesOf(parseAst(text, { lang: file.endsWith("ts") ? "ts" : "js" }))) {
    const specifier = importOf(node)
    const broken = specifier === undefined ? undefined : brokenImport(file, place, specifier)
    if (broken !== undefined) say(node.start, broken)
    if (place.part !== "src") continue
    const impure = impurity(node)
    if (impure !== undefined) say(node.start, impure)
    const word = withoutVendors.has(place.name) ? textOf(node).find((word) => vendor.test(word)) : undefined
    if (word !== undefined) {
      say(
        node.start,
        `${place.name} names a vendor, ${JSON.stringify(word)}; that belongs into its provider package or into a port`
      )
    }
    if (node.type === "Program" && file.endsWith("/src/index.ts")) {
      for (const statement of childrenOf(node)) {
        if (!isReExport(statement))
          say(statement.start, `index.ts is the public surface and nothing else; it may only export from other files`)
      }
    }
  }
  const lines = text.trimEnd().split("\n").length
  if (place.part === "src" && lines > longestFile) {
    problems.push(
      `${file}:${lines}: ${lines} lines are more than ${longestFile}; it holds more than one idea, so split it`
    )
  }
  return [...new Set(problems)]
}

const brokenImport = (file: string, place: Place, specifier: string): string | undefined => {
  if (specifier.startsWith(".") || specifier.startsWith("/")) return brokenPath(file, place, specifier)
  const [scope, name = "", ...inside] = specifier.split("/")
  if (scope === "@stopline") {
    if (inside.length > 0) return `${specifier} goes into another package; import @stopline/${name}`
    return brokenLayer(place, name)
  }
  if (place.name === "consent" && place.part === "src" && !allowedToConsent.test(specifier)) {
    return `consent (layer 0) is pure and imports ${specifier}; it may import effect, libphonenumber-js and its own files`
  }
  return undefined
}

const brokenPath = (file: string, place: Place, specifier: string): string | undefined => {
  const target = path.posix.join(path.posix.dirname(file), specifier)
  const own = `${place.folder}/`
  if (place.part === "src") {
    return target.startsWith(`${own}src/`)
      ? undefined
      : `${specifier} leaves src; src may import its own files, and packages by name`
  }
  const shared = place.part === "test" && target.startsWith("test/")
  if (shared || target.startsWith(own)) return undefined
  return `${specifier} goes through another folder; import a package by its name, or in a test what stands in test/`
}

const brokenLayer = (place: Place, name: string): string | undefined => {
  const layer = layers[place.name]!
  const forTests = place.part === "test" ? [place.name, "provider-testkit", "sandbox"] : []
  const allowed = [...new Set([...layer.below, ...forTests])]
  if (allowed.includes(name)) return undefined
  if (name === place.name) return `${place.name} imports itself by name; import the file`
  return tooHigh(place.name, name, allowed)
}

const tooHigh = (from: string, to: string, allowed: ReadonlyArray<string>): string =>
  `${from} (layer ${layers[from]!.level}) imports @stopline/${to} (layer ${layers[to]?.level ?? "none"}); it may import ${named(allowed)}`

const Names = Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
const Manifest = Schema.fromJsonString(
  Schema.Struct({ dependencies: Names, peerDependencies: Names, optionalDependencies: Names })
)

/** What a package.json lets its package import, tests aside. */
export const checkManifest = (file: string, text: string): ReadonlyArray<string> => {
  const { name } = placeOf(file)
  const layer = layers[name]
  if (layer === undefined) return [homeless(file, name)]
  const manifest = Schema.decodeSync(Manifest)(text)
  return Object.entries(manifest).flatMap(([kind, names]) =>
    Object.keys(names ?? {}).flatMap((dependency) => {
      const line = text.slice(0, text.indexOf(`"${dependency}"`, text.indexOf(`"${kind}"`))).split("\n").length
      const ours = /^@stopline\/(.+)$/.exec(dependency)?.[1]
      if (ours !== undefined && !layer.below.includes(ours))
        return [`${file}:${line}: ${tooHigh(name, ours, layer.below)}`]
      if (name === "consent" && ours === undefined && !allowedToConsent.test(dependency)) {
        return [
          `${file}:${line}: consent (layer 0) is pure and depends on ${dependency}; it may depend on effect and libphonenumber-js`
        ]
      }
      return []
    })
  )
}

interface Node {
  readonly type: string
  readonly start: number
  readonly [key: string]: unknown
}

const isNode = (value: unknown): value is Node =>
  Predicate.hasProperty(value, "type") && Predicate.hasProperty(value, "start") && Predicate.isNumber(value.start)

/** Comments are no nodes: what is written in one breaks nothing. */
const childrenOf = (node: Node): ReadonlyArray<Node> => Object.values(node).flat().filter(isNode)

function* nodesOf(node: unknown): Generator<Node> {
  if (!isNode(node)) return
  yield node
  for (const child of childrenOf(node)) yield* nodesOf(child)
}

/** What a node imports, in any of the ways there are: import, export from, import(), a type's import(). */
const importOf = (node: Node): string | undefined =>
  /^(Import(Declaration|Expression)|Export(All|Named)Declaration|TSImportType)$/.test(node.type) &&
  Predicate.hasProperty(node.source, "value") &&
  Predicate.isString(node.source.value)
    ? node.source.value
    : undefined

const isReExport = (node: Node): boolean =>
  node.type === "ExportAllDeclaration" || (node.type === "ExportNamedDeclaration" && node.declaration === null)

/** The words of a node itself: a name, a text, a piece of a template. */
const textOf = (node: Node): ReadonlyArray<string> => {
  const raw = Predicate.hasProperty(node.value, "raw") ? node.value.raw : node.raw
  return [node.name, raw].filter(Predicate.isString)
}

const isNamed = (node: unknown, name: string): boolean => Predicate.hasProperty(node, "name") && node.name === name

/** What makes the same input give another output. */
const impurity = (node: Node): string | undefined => {
  if (node.type === "MemberExpression") {
    if (isNamed(node.object, "Date") && isNamed(node.property, "now"))
      return "Date.now reads the clock; use Clock.currentTimeMillis"
    if (isNamed(node.object, "Math") && isNamed(node.property, "random"))
      return "Math.random cannot be repeated; use Random"
  }
  const dated = (node.type === "NewExpression" || node.type === "CallExpression") && isNamed(node.callee, "Date")
  if (dated && Array.isArray(node.arguments) && node.arguments.length === 0) {
    return "new Date() reads the clock; use Clock.currentTimeMillis, or give it a time"
  }
  return undefined
}
