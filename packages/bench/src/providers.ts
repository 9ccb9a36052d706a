/** The sandbox in a process of its own: neither side pays for what the providers do, and both meet the same ones. */
import { type ChildProcess, fork } from "node:child_process"
import path from "node:path"
import type { SandboxAccount, SandboxOptions } from "@stopline/sandbox"
import { Effect, Predicate, type Scope } from "effect"
import { believed } from "./believed.ts"

export interface Providers {
  readonly azure: Extract<SandboxAccount, { vendor: "azure" }>
  readonly ringcentral: Extract<SandboxAccount, { vendor: "ringcentral" }>
  /** Something that only colleagues, people and bad luck can do; see the sandbox's control port. */
  readonly control: (method: "GET" | "POST" | "DELETE", route: string, body?: object) => Effect.Effect<unknown>
}

export interface Opened {
  readonly accounts: ReadonlyArray<SandboxAccount>
  readonly controlUrl: string
}

const entry = path.join(import.meta.dirname, "providers-process.ts")

/** The n-th person of every sandbox. */
export const person = (n: number): string => `+${15_550_100_000 + n}`

export const people = (count: number): ReadonlyArray<string> => Array.from({ length: count }, (_, n) => person(n))

/** A process that is told what to do by its one argument and says once, in JSON, what it opened. It ends with the scope. */
export const startProcess = <A>(
  file: string,
  argument: object,
  environment: object = {}
): Effect.Effect<A, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly child: ChildProcess; readonly opened: A }>((resume) => {
        const child = fork(file, [JSON.stringify(argument)], {
          stdio: ["ignore", "ignore", "inherit", "ipc"],
          env: { ...process.env, ...environment }
        })
        child.once("message", (opened) => {
          if (Predicate.isString(opened)) resume(Effect.succeed({ child, opened: believed<A>(opened) }))
        })
        child.once("exit", (code) => resume(Effect.die(new Error(`${path.basename(file)} ended with ${code}`))))
      }),
      ({ child }) =>
        Effect.callback<void>((resume) => {
          if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
          child.once("exit", () => resume(Effect.void))
          child.kill("SIGTERM")
        })
    ),
    ({ opened }) => opened
  )

export const startProviders = Effect.fnUntraced(function* (
  options: SandboxOptions
): Effect.fn.Return<Providers, never, Scope.Scope> {
  const { accounts, controlUrl } = yield* startProcess<Opened>(entry, options)
  const azure = accounts.find((account) => account.vendor === "azure")
  const ringcentral = accounts.find((account) => account.vendor === "ringcentral")
  if (azure === undefined || ringcentral === undefined) return yield* Effect.die("a bench needs one account of each")
  const providers: Providers = {
    azure,
    ringcentral,
    control: (method, route, body) =>
      Effect.promise(async () => {
        const answer = await fetch(`${controlUrl}${route}`, {
          method,
          ...(body !== undefined && { body: JSON.stringify(body) })
        })
        if (!answer.ok) throw new Error(`${method} ${route}: ${answer.status} ${await answer.text()}`)
        return answer.json()
      })
  }
  return providers
})
