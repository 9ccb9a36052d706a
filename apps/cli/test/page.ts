/** A page of the documentation, run as it stands there. */
import { execFile } from "node:child_process"
import { chmod, writeFile } from "node:fs/promises"
import path from "node:path"
import { Effect } from "effect"
import type { World } from "../../worker/test/world.ts"
import { compileCache, type Ended, program } from "./cli.ts"

export const commandsIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block = ""]) => block.trimEnd().split("\n"))

/** A `stopline` on the path, as an installation has it. */
export const install = (folder: string) =>
  Effect.promise(async () => {
    const file = path.join(folder, "stopline")
    await writeFile(file, `#!/bin/sh\nexec "${process.execPath}" "${program}" "$@"\n`)
    await chmod(file, 0o755)
  })

export const shell = (folder: string, environment: Readonly<Record<string, string>>, line: string) =>
  Effect.callback<Ended>((resume) => {
    const env = { ...process.env, ...compileCache, ...environment, PATH: `${folder}:${process.env["PATH"] ?? ""}` }
    execFile("sh", ["-c", line], { cwd: folder, env }, (error, out, err) =>
      resume(Effect.succeed({ code: error === null ? 0 : Number(error.code), out, err }))
    )
  })

/** Runs a line of the page; what stands for something else there is put in its place. */
export const type = (world: World, line: string, changes: Readonly<Record<string, string>> = {}) => {
  const typed = Object.entries(changes).reduce((text, [from, to]) => text.replaceAll(from, () => to), line)
  return shell(world.folder, world.environment, typed)
}
