/** The command line as a person runs it: a process of its own, in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { Effect, Schema, type Scope } from "effect"
import { eventually, type World } from "../../worker/test/world.ts"

export const program = new URL("../bin/stopline.mjs", import.meta.url).pathname

/** Without it, most of a short command's time goes into reading the same source again. */
export const compileCache = { NODE_COMPILE_CACHE: path.join(tmpdir(), "stopline-compile-cache") }

export interface Place {
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
}

export interface Started {
  readonly child: ChildProcess
  /** What it has printed so far. */
  readonly output: { out: string; err: string; code: number | undefined; signal: NodeJS.Signals | undefined }
  /** Waits for its end. */
  readonly ended: Effect.Effect<Ended>
}

export interface Ended {
  readonly code: number | undefined
  readonly out: string
  readonly err: string
}

/** Starts a command at the head of a process group of its own; whatever is left of that ends with the scope. */
export const start = (
  { environment, folder }: Place,
  ...args: ReadonlyArray<string>
): Effect.Effect<Started, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, [program, ...args], {
        cwd: folder,
        env: { PATH: process.env["PATH"], ...compileCache, ...environment },
        detached: true,
        stdio: ["ignore", "pipe", "pipe"]
      })
      const output: Started["output"] = { out: "", err: "", code: undefined, signal: undefined }
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output.out += chunk))
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => (output.err += chunk))
      const ended = Effect.promise(
        () =>
          new Promise<Ended>((resolve) =>
            child.once("close", (code, signal) => {
              output.code = code ?? undefined
              output.signal = signal ?? undefined
              resolve({ code: output.code, out: output.out, err: output.err })
            })
          )
      )
      // Listened to from the beginning: an end that nobody waited for yet is not missed.
      const end = Effect.runPromise(ended)
      return { child, output, ended: Effect.promise(() => end) }
    }),
    ({ child }) => Effect.sync(() => void signalGroup(child, "SIGKILL"))
  )

/** Runs a command to its end. */
export const run = (place: Place, ...args: ReadonlyArray<string>): Effect.Effect<Ended> =>
  Effect.scoped(Effect.flatMap(start(place, ...args), ({ ended }) => ended))

/** Whether there was anybody left in the group to take it. */
export const signalGroup = (child: ChildProcess, signal: NodeJS.Signals | 0): boolean => {
  if (child.pid === undefined) return false
  try {
    return process.kill(-child.pid, signal)
  } catch {
    return false
  }
}

export const said = (started: Started, text: string): Effect.Effect<void> =>
  eventually(
    `${text} is said; so far: ${started.output.out} ${started.output.err}`,
    Effect.sync(() => started.output.out.includes(text))
  )

const parseJson = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Any))

/** The one JSON document that was printed. */
export const json = ({ out }: Ended): any => parseJson(out)

export const put = ({ folder }: Place, name: string, text: string): Effect.Effect<void> =>
  Effect.promise(() => writeFile(path.join(folder, name), text))

/** Everything that must not be told to anybody. */
export const secretsOf = ({ databaseUrl, environment }: World): ReadonlyArray<string> => {
  const { password } = new URL(databaseUrl)
  const key = /accesskey=(.*)$/.exec(environment["CONTOSO_CONNECTION_STRING"] ?? "")?.[1] ?? ""
  const named = ["ACME_CLIENT_SECRET", "ACME_JWT", "CONTOSO_WEBHOOK_SECRET", "ACME_WEBHOOK_TOKEN"]
  return [password, key, ...named.map((name) => environment[name] ?? "")].filter((secret) => secret !== "")
}
