/** The image as its Dockerfile and .dockerignore say it, read without an engine. */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import path from "node:path"
import ignore from "@balena/dockerignore"
import { DockerfileParser } from "dockerfile-ast"

export const root = path.join(import.meta.dirname, "..")

export const read = (file: string): string => readFileSync(path.join(root, file), "utf8")

/** Whether a file of the repository is sent to the engine that builds the image. */
export const inContext = ignore.default({ ignorecase: false }).add(read(".dockerignore")).createFilter()

/** What a checkout would send. */
export const context = (): ReadonlyArray<string> =>
  execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" })
    .split("\n")
    .filter((file) => file !== "" && inContext(file))

export interface Instruction {
  readonly keyword: string
  /** Everything behind the keyword. */
  readonly text: string
}

/** The instructions of the Dockerfile in their order, lines that go on put together. */
export const instructions = (): ReadonlyArray<Instruction> =>
  DockerfileParser.parse(read("docker/Dockerfile"))
    .getInstructions()
    .map((instruction) => ({
      keyword: instruction.getKeyword(),
      // Flags are arguments here.
      text: instruction
        .getTextContent()
        .slice(instruction.getInstruction().length)
        .replaceAll(/\\\n\s*/g, "")
        .trim()
    }))

/** What the last instruction of a kind says, in its exec form. */
export const execForm = (keyword: string): ReadonlyArray<string> => {
  const text = instructions().findLast((one) => one.keyword === keyword)?.text ?? ""
  const words: unknown = JSON.parse(text.slice(text.indexOf("[")))
  if (!Array.isArray(words)) throw new Error(`${keyword} is not in exec form`)
  return words.map(String)
}
