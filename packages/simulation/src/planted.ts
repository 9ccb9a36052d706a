/**
 * Planted bugs: whether the laws would notice it if the engine lied.
 *
 * Each patch in `planted/` is a mistake that a good engineer could make, with
 * the thought that leads to it. It is applied to a copy of the sources, and
 * seeds are played there until one breaks a law. A bug that no seed finds is a
 * hole in the simulation.
 */
import { execFile } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { Clock, Console, Effect, Option, Schema } from "effect"
import { roomy } from "./heap.ts"

const root = path.resolve(import.meta.dirname, "../../..")
const patches = path.join(root, "packages/simulation/planted")
const page = path.join(root, "docs/laws.md")

export interface Bug {
  /** The mistake: `absence-read-as-opt-in`. */
  readonly name: string
  /** What the engineer thought, and which law should break. */
  readonly story: string
  readonly patch: string
}

/** All of them, in order of their names. */
export const plantedBugs: Effect.Effect<ReadonlyArray<Bug>> = Effect.promise(async () => {
  const files = (await fs.readdir(patches)).filter((file) => file.endsWith(".patch")).toSorted()
  return Promise.all(
    files.map(async (file) => {
      const patch = path.join(patches, file)
      const [story = ""] = (await fs.readFile(patch, "utf8")).split(/^diff --git /mu, 1)
      return { name: path.basename(file, ".patch"), story: story.trim(), patch }
    })
  )
})

/** A program that was run: how it ended and what it said. */
interface Ended {
  readonly code: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Interrupted or out of time, the program is told to end. */
const run = (
  program: string,
  args: ReadonlyArray<string>,
  cwd: string,
  limits: { readonly timeout?: number } = {}
): Effect.Effect<Ended> =>
  Effect.promise(
    (signal) =>
      new Promise((resolve) => {
        // A repository around the folder is none of git's business here: it would pass over files outside of it.
        const env = { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(cwd) }
        const child = execFile(
          program,
          [...args],
          { cwd, env, signal, maxBuffer: 2 ** 26, ...limits },
          (_, stdout, stderr) => resolve({ code: child.exitCode ?? undefined, stdout, stderr })
        )
      })
  )

const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => fs.mkdtemp(path.join(tmpdir(), "stopline-planted-"))),
  (folder) => Effect.promise(() => fs.rm(folder, { recursive: true, force: true }))
)

/** What a package needs to run from its sources. Its node_modules are links, and are copied as links. */
const parts = ["package.json", "src", "bin", "node_modules"]

const copyPackages = async (from: string, to: string): Promise<void> => {
  for (const name of await fs.readdir(path.join(from, "packages"))) {
    for (const part of parts) {
      const place = path.join("packages", name, part)
      const exists = await fs.stat(path.join(from, place)).catch(() => undefined)
      if (exists === undefined) continue
      await fs.cp(path.join(from, place), path.join(to, place), { recursive: true, verbatimSymlinks: true })
    }
  }
  await fs.symlink(await fs.realpath(path.join(from, "node_modules")), path.join(to, "node_modules"))
}

/** The sources as they are now, copied to a folder of their own for as long as the scope lives: whatever is edited meanwhile, all bugs meet the same sources. */
export const copySources = Effect.tap(temporaryFolder, (folder) => Effect.promise(() => copyPackages(root, folder)))

/** What cannot be planted. The message says why. */
export class NotPlanted extends Schema.TaggedError<NotPlanted>()("NotPlanted", {
  bug: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.bug}: ${this.problem}`
  }
}

/** Applies a bug to a copy of the sources. */
export const apply = Effect.fn("apply")(function* (
  bug: Bug,
  folder: string,
  ...options: ReadonlyArray<"--check">
): Effect.fn.Return<void, NotPlanted> {
  const { code, stderr } = yield* run("git", ["apply", ...options, bug.patch], folder)
  if (code !== 0) {
    return yield* new NotPlanted({ bug: bug.name, problem: `the patch does not fit the sources: ${stderr.trim()}` })
  }
})

const Broken = Schema.Struct({ seed: Schema.Int, law: Schema.String, what: Schema.String, round: Schema.Int })
type Broken = typeof Broken.Type

/** What `simulate --until-failure --json` says. */
const Played = Schema.Struct({ firstBroken: Schema.optionalKey(Broken), rounds: Schema.Int })
const decodePlayed = Schema.decodeUnknownOption(Schema.fromJsonString(Played))

export interface Play {
  /** How many seeds to play before giving up. */
  readonly mostSeeds: number
  /** Rounds of each seed. */
  readonly rounds: number
}

export interface Outcome {
  readonly bug: string
  /** Null: no seed broke a law. */
  readonly found: Broken | null
  /** Played, in all seeds together. */
  readonly rounds: number
  readonly seconds: number
}

/** No bug is worth more time than this (ms). */
const timeout = 60 * 60_000

const playIn = Effect.fn("playIn")(function* (
  bug: string,
  folder: string,
  { mostSeeds, rounds }: Play,
  seed = 1
): Effect.fn.Return<Outcome, NotPlanted> {
  const startedAt = yield* Clock.currentTimeMillis
  const flags = [
    "--seed",
    `${seed}`,
    "--seeds",
    `${mostSeeds}`,
    "--rounds",
    `${rounds}`,
    "--until-failure",
    "--json",
    "--jobs",
    "1"
  ]
  const args = [roomy, "packages/simulation/src/main.ts", ...flags]
  const { code, stderr, stdout } = yield* run(process.execPath, args, folder, { timeout })
  const seconds = ((yield* Clock.currentTimeMillis) - startedAt) / 1000
  const [played] = stdout.split("\n").flatMap((line) => Option.toArray(decodePlayed(line)))
  if (played !== undefined) return { bug, found: played.firstBroken ?? null, rounds: played.rounds, seconds }
  // Without a code it was ended from outside: its time was over.
  if (code === undefined) return { bug, found: null, rounds: 0, seconds }
  return yield* new NotPlanted({ bug, problem: `the simulation did not run to its end: ${stderr.trim().slice(-2000)}` })
})

/** Plants one bug in a copy of `sources`, and plays seeds until one breaks a law. */
export const plant = Effect.fn("plant")(function* (
  bug: Bug,
  sources: string,
  play: Play
): Effect.fn.Return<Outcome, NotPlanted> {
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.promise(() => copyPackages(sources, folder))
      yield* apply(bug, folder)
      return yield* playIn(bug.name, folder, play)
    })
  )
})

/** Bugs that no seed found, or a sound engine that broke a law. */
export class Unnoticed extends Schema.TaggedError<Unnoticed>()("Unnoticed", { problem: Schema.String }) {
  override get message(): string {
    return this.problem
  }
}

export interface PlantOptions extends Partial<Play> {
  /** Only these bugs; the other rows of the table are left as they are. */
  readonly only?: ReadonlyArray<string>
  /** How many to play at once. */
  readonly jobs?: number
}

/**
 * Plants each bug, says what became of it, and writes that into the table in docs/laws.md at once: a run that is ended
 * early has not run for nothing. Fails when one was not found.
 */
export const plantAll = Effect.fn("plantAll")(function* ({
  jobs = 1,
  mostSeeds = 1000,
  only,
  rounds = 30
}: PlantOptions): Effect.fn.Return<ReadonlyArray<Outcome>, NotPlanted | Unnoticed> {
  const all = yield* plantedBugs
  const bugs = all.filter(({ name }) => only === undefined || only.includes(name))
  const unknown = only?.find((name) => !all.some((bug) => bug.name === name))
  if (unknown !== undefined) {
    const problem = `there is no such bug; there are ${all.map(({ name }) => name).join(", ")}`
    return yield* new NotPlanted({ bug: unknown, problem })
  }
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const sources = yield* copySources
      for (const bug of bugs) yield* apply(bug, sources, "--check")
      yield* playSound(sources, { mostSeeds: firstSeeds, rounds }, 1)
      const outcomes = yield* Effect.forEach(
        bugs,
        Effect.fnUntraced(function* (bug) {
          const outcome = yield* plant(bug, sources, { mostSeeds, rounds })
          const seed = outcome.found?.seed ?? 1
          if (seed > firstSeeds) yield* playSound(sources, { mostSeeds: 1, rounds }, seed)
          yield* Console.log(describe(outcome))
          yield* Effect.sync(() => note(outcome, all))
          return outcome
        }),
        { concurrency: jobs }
      )
      const unnoticed = outcomes.filter(({ found }) => found === null).map(({ bug }) => bug)
      if (unnoticed.length > 0) {
        return yield* new Unnoticed({ problem: `no seed found ${unnoticed.join(", ")}` })
      }
      return outcomes
    })
  )
})

/** So many seeds are played without a bug at once; a later one only when it has found something. */
const firstSeeds = 20

/** Without a bug the same seed may break nothing, or else what it finds with one says nothing. */
const playSound = Effect.fnUntraced(function* (sources: string, play: Play, seed: number) {
  const { found } = yield* playIn("nothing planted", sources, play, seed)
  if (found === null) return
  return yield* new Unnoticed({
    problem: `with nothing planted seed ${found.seed} breaks ${found.law} in round ${found.round}: ${found.what}`
  })
})

const describe = ({ bug, found, rounds, seconds }: Outcome): string =>
  found === null
    ? `${bug}: not found in ${rounds} rounds, ${seconds.toFixed(0)} s`
    : `${bug}: ${found.law} broken by seed ${found.seed} after ${rounds} rounds, ${seconds.toFixed(0)} s: ${found.what}`

const head = ["planted", "law that noticed", "seed", "rounds until then", "seconds"]

type Row = ReadonlyArray<string>

const titleOf = (bug: string) => `[${bug}](../packages/simulation/planted/${bug}.patch)`

const rowOf = ({ bug, found, rounds, seconds }: Outcome): Row => [
  titleOf(bug),
  found?.law ?? "none",
  found === null ? "" : `${found.seed}`,
  `${rounds}`,
  seconds.toFixed(0)
]

/** Padded, as the formatter would leave it. */
const table = (rows: ReadonlyArray<Row>): string => {
  const all = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (cells: Row) => `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(" | ")} |`
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n")
}

const between = /(?<=<!-- planted -->\n\n)[^]*?(?=\n\n<!-- \/planted -->)/u

/** Writes what became of a bug into its row of the page, and leaves out the rows of bugs that are no more. */
const note = (outcome: Outcome, bugs: ReadonlyArray<Bug>): void => {
  const text = readFileSync(page, "utf8")
  const [before] = between.exec(text) ?? []
  if (before === undefined) throw new Error(`${page} has no place for the table of planted bugs`)
  const known = new Map<string, Row>()
  for (const line of before.split("\n").slice(2)) {
    const row = line.split("|", head.length + 1).slice(1)
    known.set(
      row[0]?.trim() ?? "",
      row.map((cell) => cell.trim())
    )
  }
  known.set(titleOf(outcome.bug), rowOf(outcome))
  const rows = bugs.map(({ name }) => known.get(titleOf(name))).filter((row) => row !== undefined)
  writeFileSync(
    page,
    text.replace(between, () => table(rows))
  )
}
