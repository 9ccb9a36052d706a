/** A folder for a Postgres of npm that nobody needs afterwards. */
import { chmod, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { Effect, type Scope } from "effect"

/** A folder of its own for as long as the scope lives. @param name what it is for, as a part of its own name */
export const temporaryFolder = (name: string): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const folder = await mkdtemp(path.join(tmpdir(), `stopline-${name}-`))
      // Started by root, Postgres runs as another user, who has to get in.
      await chmod(folder, 0o755)
      return folder
    }),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
