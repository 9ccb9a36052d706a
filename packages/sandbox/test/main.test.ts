import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { startSandbox } from "../src/index.ts"
import { until } from "./support.ts"

const program = new URL("../bin/sandbox.mjs", import.meta.url).pathname

/** Starts the program, and ends it with the test. */
const run = (...flags: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child: ChildProcess = spawn(process.execPath, [program, ...flags])
      const output = { out: "", err: "", ended: false }
      child.stdout?.on("data", (chunk: Buffer) => {
        output.out += chunk.toString()
      })
      child.stderr?.on("data", (chunk: Buffer) => {
        output.err += chunk.toString()
      })
      child.once("close", () => {
        output.ended = true
      })
      return { child, output }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

describe("the program", () => {
  it.live("says where it is and how to begin, and ends when told", () =>
    Effect.gen(function* () {
      for (const signal of ["SIGINT", "SIGTERM"] as const) {
        const { child, output } = yield* run("--port", "0", "--people", "3", "--seed", "5")
        yield* until(() => output.out.includes("curl"))
        const [, controlUrl = ""] = /control\s+(\S+)/.exec(output.out) ?? []
        const people: any = yield* Effect.promise(async () => (await fetch(`${controlUrl}/people`)).json())
        assert.strictEqual(people.total, 3)
        assert.match(output.out, /CONTOSO_CONNECTION_STRING="endpoint=http:\/\/127\.0\.0\.1:\d+\/;accesskey=/)
        assert.match(output.out, /ACME_CLIENT_ID=\S+\nACME_CLIENT_SECRET=\S+\nACME_JWT=\S+/)
        child.kill(signal)
        yield* until(() => output.ended)
        assert.isNull(child.signalCode)
      }
    })
  )

  it.live("says in one line that a port is in use, and exits with 1", () =>
    Effect.gen(function* () {
      const sandbox = yield* startSandbox()
      // The control server's port is the last that is opened, so all the ports before it must be free.
      const taken = Number(new URL(sandbox.accounts[0]?.url ?? "").port)
      const { child, output } = yield* run("--port", String(taken - 1))
      yield* until(() => output.ended)
      assert.strictEqual(child.exitCode, 1)
      assert.include(output.out + output.err, `Port ${taken} on 127.0.0.1 is in use.`)
      assert.notInclude(output.out + output.err, "    at ")
    })
  )
})
