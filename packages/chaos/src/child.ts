/**
 * A program in a process of its own that can be killed, frozen and started
 * again. What it says goes into a file, which a kill cannot take along.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { closeSync, openSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { Effect, type Scope } from "effect"

export interface Program {
  readonly name: string
  /** Of node: the file, and what follows it. */
  readonly args: ReadonlyArray<string>
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** Where its standard output and standard error go, one behind the other. */
  readonly log: string
}

export interface Child {
  readonly name: string
  readonly log: string
  /** Absent while it does not run. */
  readonly pid: () => number | undefined
  readonly start: Effect.Effect<void>
  readonly signal: (signal: "SIGKILL" | "SIGSTOP" | "SIGCONT" | "SIGTERM") => Effect.Effect<void>
  /** Kills it and waits until it is gone. */
  readonly kill: Effect.Effect<void>
  /** Ends that nobody here asked for, in words. */
  readonly accidents: () => ReadonlyArray<string>
}

/** Without it, most of a start goes into reading the same source again. */
const compileCache = { NODE_COMPILE_CACHE: path.join(tmpdir(), "stopline-compile-cache") }

/** Makes a program ready to be started. Whatever of it still runs is killed with the scope. */
export const makeChild = Effect.fn("makeChild")(function* (
  program: Program
): Effect.fn.Return<Child, never, Scope.Scope> {
  let current: { readonly process: ChildProcess; readonly gone: Promise<void>; wanted: boolean } | undefined
  const accidents: Array<string> = []

  const start = Effect.sync(() => {
    if (current !== undefined) return
    const log = openSync(program.log, "a")
    const child = spawn(process.execPath, [...program.args], {
      cwd: program.folder,
      env: { PATH: process.env["PATH"], ...compileCache, ...program.environment },
      stdio: ["ignore", log, log]
    })
    closeSync(log)
    const gone = new Promise<void>((resolve) =>
      child.once("close", (code, signal) => {
        if (current?.process === child) {
          if (!current.wanted) accidents.push(`${program.name} ended by itself (${code ?? signal}); see ${program.log}`)
          current = undefined
        }
        resolve()
      })
    )
    current = { process: child, gone, wanted: false }
  })

  const kill = Effect.promise(async () => {
    const running = current
    if (running === undefined) return
    running.wanted = true
    running.process.kill("SIGKILL")
    await running.gone
  })

  yield* Effect.addFinalizer(() => kill)
  return {
    name: program.name,
    log: program.log,
    pid: () => current?.process.pid,
    start,
    signal: (signal) =>
      Effect.sync(() => {
        if (current === undefined) return
        if (signal === "SIGTERM") current.wanted = true
        current.process.kill(signal)
      }),
    kill,
    accidents: () => accidents
  }
})
