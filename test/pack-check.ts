/**
 * The packages as strangers get them: built, packed, looked at by publint and by
 * "are the types wrong?", and installed with npm in an empty project, where they
 * are imported, their examples compiled, and run against the sandbox.
 *
 *   npm run pack:check
 */
import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { promisify } from "node:util"
import { startSandbox } from "@stopline/sandbox"
import { Console, Data, Effect, Schema } from "effect"
import { examplesOfAzure, examplesOfClient, examplesOfRingCentral, examplesOfTwilio } from "./examples.ts"

const root = path.join(import.meta.dirname, "..")
const bin = path.join(root, "node_modules/.bin")

/** In the order of their layers: each needs only those before it. */
const published = [
  "client",
  "consent",
  "provider",
  "provider-testkit",
  "provider-azure",
  "provider-ringcentral",
  "provider-twilio",
  "ledger",
  "engine"
]
const examples = [...examplesOfClient, ...examplesOfAzure, ...examplesOfRingCentral, ...examplesOfTwilio]

/** What is wrong, with all that was printed about it. */
class Wrong extends Data.TaggedError("Wrong")<{ readonly message: string }> {}

const exec = promisify(execFile)

/** What it printed. Whatever goes wrong is fatal, with all that was printed. */
const run = (cwd: string, command: string, ...args: ReadonlyArray<string>) =>
  Effect.tryPromise(() => exec(command, [...args], { cwd, maxBuffer: 2 ** 26 })).pipe(
    Effect.map(({ stdout }) => stdout),
    Effect.mapError(({ cause }) => new Wrong({ message: `${command} ${args.join(" ")}\n${printed(cause)}` }))
  )

const printed = (cause: unknown): string =>
  cause instanceof Error && "stdout" in cause && "stderr" in cause
    ? `${String(cause.stdout)}${String(cause.stderr)}`
    : String(cause)

const Manifest = Schema.fromJsonString(
  Schema.Struct({
    dependencies: Schema.Record(Schema.String, Schema.String),
    peerDependencies: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
    exports: Schema.Record(Schema.String, Schema.Unknown)
  })
)

const Installed = Schema.fromJsonString(Schema.Struct({ packages: Schema.Record(Schema.String, Schema.Unknown) }))

const manifestOf = Effect.fnUntraced(function* (name: string) {
  const file = path.join(root, "packages", name, "package.json")
  return yield* Schema.decodeEffect(Manifest)(yield* Effect.promise(() => readFile(file, "utf8")))
})

/** The package itself, and those of ours below it. */
const closure: (name: string) => Effect.Effect<ReadonlySet<string>, Schema.SchemaError> = Effect.fnUntraced(
  function* (name) {
    const { dependencies } = yield* manifestOf(name)
    const below = Object.keys(dependencies).flatMap((dependency) => /^@stopline\/(.+)$/.exec(dependency)?.[1] ?? [])
    const found = yield* Effect.forEach(below, closure)
    return new Set([name, ...found.flatMap((names) => [...names])])
  }
)

const build = Effect.gen(function* () {
  // What was built from sources that are gone must not be packed.
  yield* Effect.promise(() =>
    Promise.all(
      published.map((name) => rm(path.join(root, "packages", name, "dist"), { recursive: true, force: true }))
    )
  )
  yield* run(root, path.join(bin, "tsc"), "-b")
})

/** Packs one package, and lets the two judges look at it. Returns the tarball. */
const pack = Effect.fnUntraced(function* (name: string, folder: string) {
  yield* run(path.join(root, "packages", name), "npx", "--yes", "pnpm@12.21.0", "pack", "--pack-destination", folder)
  const tarball = path.join(folder, `stopline-${name}-0.1.0.tgz`)
  const files = yield* run(folder, "tar", "tzf", tarball)
  if (/\/test\/|tsbuildinfo|\.env|\.test\./.test(files)) {
    return yield* new Wrong({ message: `${name} packs more than it should:\n${files}` })
  }
  yield* run(root, path.join(bin, "publint"), "run", tarball, "--strict")
  yield* run(root, path.join(bin, "attw"), tarball, "--profile", "esm-only")
  return tarball
})

/** An empty project with this package in it. Returns how much came along. */
const install = Effect.fnUntraced(function* (name: string, folder: string, tarballs: ReadonlyMap<string, string>) {
  const needed = yield* closure(name)
  const { exports, peerDependencies = {} } = yield* manifestOf(name)
  yield* Effect.promise(() => mkdir(folder))
  const manifest = { name: "scratch", private: true, type: "module" }
  yield* Effect.promise(() => writeFile(path.join(folder, "package.json"), JSON.stringify(manifest)))
  const peers = Object.entries(peerDependencies).map(([peer, range]) => `${peer}@${range}`)
  const files = [...needed].map((each) => tarballs.get(each) ?? each)
  const npmInstall = ["install", "--prefer-offline", "--no-audit", "--no-fund"]
  // Peers are the business of whoever installs, so they are not counted.
  yield* run(folder, "npm", ...npmInstall, "--omit=peer", ...files)
  const lock = path.join(folder, "node_modules/.package-lock.json")
  const installed = yield* Schema.decodeEffect(Installed)(yield* Effect.promise(() => readFile(lock, "utf8")))
  const kilobytes = Number((yield* run(folder, "du", "-sk", "node_modules")).split("\t")[0])
  if (peers.length > 0) yield* run(folder, "npm", ...npmInstall, ...peers)
  const entries = Object.keys(exports).map((entry) => `@stopline/${name}${entry.slice(1)}`)
  const imports = entries.filter((entry) => entry !== "@stopline/provider-testkit")
  yield* run(folder, process.execPath, "-e", imports.map((entry) => `await import("${entry}")`).join("\n"))
  return `${Object.keys(installed.packages).length} packages, ${(kilobytes / 1024).toFixed(1)} MB`
})

/** Compiles the package's examples where it is installed, with the types that came along, and runs them. */
const tryExamples = Effect.fnUntraced(function* (name: string, folder: string) {
  const own = examples.filter(({ file }) => file.startsWith(`packages/${name}/examples/`))
  if (own.length === 0) return 0
  const there = (yield* Effect.promise(() => readdir(path.join(root, "packages", name, "examples")))).length
  if (there !== own.length) return yield* new Wrong({ message: `${name} has examples that nobody runs` })
  yield* Effect.promise(() => cp(path.join(root, "packages", name, "examples"), folder, { recursive: true }))
  const types = path.join(root, "node_modules/@types")
  // The default libraries, and no declaration skipped: what does not fit would show at somebody's home.
  const flags = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024"]
  const sources = own.map(({ file }) => path.basename(file))
  yield* run(folder, path.join(bin, "tsc"), ...flags, "--typeRoots", types, "--types", "node", ...sources)
  for (const { file, run, world } of own) {
    yield* Effect.flatMap(startSandbox(world), (sandbox) => run(path.join(folder, path.basename(file)), sandbox)).pipe(
      Effect.scoped
    )
  }
  return own.length
})

const check = Effect.gen(function* () {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(path.join(tmpdir(), "stopline-pack-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true }))
  )
  yield* build
  const tarballs = new Map<string, string>()
  for (const name of published) tarballs.set(name, yield* pack(name, folder))
  yield* Console.log(`${published.length} packages packed; publint and attw have nothing to say.`)
  for (const name of published) {
    const project = path.join(folder, name)
    const size = yield* install(name, project, tarballs)
    const ran = yield* tryExamples(name, project)
    yield* Console.log(`@stopline/${name}: ${size}${ran === 0 ? "" : `; ${ran} examples ran`}`)
  }
}).pipe(Effect.scoped)

await Effect.runPromise(check)
