/**
 * A scenario is a question, the story behind it, and what happens, in a Markdown
 * file that reads aloud. It is read strictly: each sentence is one that is known.
 */
import { Result, Schema } from "effect"
import { type Block, blocksOf } from "./page.ts"
import { firstIn, readSentence, type Sentence } from "./sentence.ts"
import { flawOf, nowhere, type Setting, settingSentences } from "./setting.ts"
import type { Step } from "./step.ts"
import { stepSentences } from "./steps.ts"

export interface Scenario {
  readonly file: string
  readonly title: string
  readonly story: string
  /** The laws it shows, by number. */
  readonly laws: ReadonlyArray<string>
  readonly setting: Setting
  readonly steps: ReadonlyArray<{ readonly line: number; readonly text: string; readonly step: Step }>
}

/** What cannot be read, where, and the cure. */
export class ScenarioError extends Schema.TaggedError<ScenarioError>()("ScenarioError", {
  file: Schema.String,
  line: Schema.Finite,
  problem: Schema.String,
  cure: Schema.String
}) {
  override get message(): string {
    return `${this.file}:${this.line}: ${this.problem}. ${this.cure}`
  }
}

type Wrong = Pick<ScenarioError, "line" | "problem" | "cure">

const fail = (line: number, problem: string, cure: string): Result.Result<never, Wrong> =>
  Result.fail({ line, problem, cure })

export const readScenario = (file: string, page: string): Result.Result<Scenario, ScenarioError> =>
  Result.gen(function* () {
    const blocks = blocksOf(page)
    const { title, story, shows } = yield* readHead(blocks)
    const [world, happens] = yield* readLists(blocks)
    const setting = yield* readSetting(world)
    const sentences = stepSentences(setting)
    const steps: Array<Scenario["steps"][number]> = []
    for (const block of happens) {
      steps.push({ line: block.line, text: bare(block.text), step: yield* understand(sentences, block) })
    }
    return { file, title, story, laws: shows.match(/L\d+/gu) ?? [], setting, steps }
  }).pipe(Result.mapError((wrong) => new ScenarioError({ file, ...wrong })))

const Head = Schema.Struct({
  title: Schema.String.check(Schema.isPattern(/\?$/u, { message: "Begin the file with # and a question" })),
  story: Schema.String.check(
    Schema.isPattern(/[.?!:] .*[.?!]$/u, { message: "Say in two sentences or more why it matters" })
  ),
  shows: Schema.String.check(
    Schema.isPattern(/^Shows L\d+(?:(?:, | and )L\d+)*\.$/u, { message: "Say which laws it shows: Shows L2 and L13." })
  )
})
const decodeHead = Schema.decodeUnknownResult(Head)

/** The question, the story and the laws: all that stands above the world. */
const readHead = (blocks: ReadonlyArray<Block>): Result.Result<typeof Head.Type, Wrong> => {
  const [first, ...rest] = blocks.slice(
    0,
    blocks.findIndex(({ kind }) => kind === "heading")
  )
  const story = rest.slice(0, -1).map(({ text }) => text)
  const head = {
    title: first?.kind === "title" ? first.text : "",
    story: story.join(" "),
    shows: rest.at(-1)?.text ?? ""
  }
  return Result.mapError(decodeHead(head), ({ issue }) => ({
    line: 1,
    problem: "what stands above ## World is not all there",
    cure: firstIn(issue).message
  }))
}

const headings = ["World", "What happens"] as const

/** The two lists, with nothing in them but items. */
const readLists = (
  blocks: ReadonlyArray<Block>
): Result.Result<[ReadonlyArray<Block>, ReadonlyArray<Block>], Wrong> => {
  const found = blocks.filter(({ kind }) => kind === "heading")
  const odd = headings.findIndex((heading, i) => found[i]?.text !== heading)
  if (odd >= 0 || found.length > headings.length) {
    return fail(found[odd]?.line ?? 1, "the headings are others", "There are ## World and ## What happens, in turn")
  }
  const [first, second] = found.map((heading) => blocks.indexOf(heading))
  const lists: [ReadonlyArray<Block>, ReadonlyArray<Block>] = [
    blocks.slice((first ?? 0) + 1, second),
    blocks.slice((second ?? 0) + 1)
  ]
  const stray = lists.flat().find(({ kind }) => kind !== "item")
  if (stray !== undefined) return fail(stray.line, `"${stray.text}" stands in a list`, "Begin it with a dash")
  return Result.succeed(lists)
}

const readSetting = (world: ReadonlyArray<Block>): Result.Result<Setting, Wrong> =>
  Result.gen(function* () {
    let setting = nowhere
    for (const block of world) setting = yield* understand(settingSentences(setting), block)
    const flaw = flawOf(setting)
    return flaw === undefined ? setting : yield* fail(world[0]?.line ?? 1, ...flaw)
  })

/** A sentence without its full stop, and without what is said beside it, in brackets at the end. */
const bare = (text: string): string => text.replace(/\s*\([^()]*\)\.?$/u, "").replace(/\.$/u, "")

const understand = <Meaning>(
  sentences: ReadonlyArray<Sentence<Meaning>>,
  { line, text }: Block
): Result.Result<Meaning, Wrong> => {
  const read = readSentence(sentences, bare(text))
  const known = sentences.map(({ shape }) => `\n  ${shape}`).join("")
  if (read === undefined) return fail(line, `"${text}" is no known sentence`, `There are:${known}`)
  return Result.mapError(read, (why) => ({ line, problem: `"${text}" is not understood`, cure: why }))
}
