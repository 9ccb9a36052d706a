/**
 * The image without an engine: does by hand in an empty folder what the
 * Dockerfile says, and then runs it as somebody who may write nowhere in it,
 * against a Postgres and the image's own sandbox.
 *
 *   npm run docker:check
 *
 * It fetches packages where the store has them not. It needs Linux.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { chmod, cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { promisify } from "node:util"
import { embeddedPostgres } from "@stopline/ledger"
import { Clock, Console, Data, Effect, Redacted, Schema } from "effect"
import { parse } from "yaml"
import { context, execForm, instructions, read, root } from "./image.ts"

/** What is wrong, with all that was printed about it. */
class Wrong extends Data.TaggedError("Wrong")<{ readonly message: string }> {}

const exec = promisify(execFile)

/** A path of the image, in the folder that stands for it. */
const inside = (stage: string, text: string): string =>
  text.replaceAll(/(?<![\w.])\/(?=(app|usr\/local)\b)/g, `${stage}/`)

/** Carries out the Dockerfile. Returns the folder that stands for the last stage. */
const build = Effect.fn("build")(function* (scratch: string) {
  const stages = new Map<string, string>()
  let stage = ""
  let cwd = ""
  for (const { keyword, text } of instructions()) {
    const words = text.split(/\s+/)
    switch (keyword) {
      case "FROM":
        stage = path.join(scratch, words[2] ?? "final")
        stages.set(words[2] ?? "final", stage)
        yield* Effect.promise(() => mkdir(path.join(stage, "usr/local/bin"), { recursive: true }))
        break
      case "WORKDIR":
        cwd = inside(stage, text)
        yield* Effect.promise(() => mkdir(cwd, { recursive: true }))
        break
      case "RUN":
        yield* Console.log(`RUN ${text}`)
        // What an engine keeps between two builds, pnpm keeps here in its own place.
        yield* shell(stage, cwd, inside(stage, text.replace(/^--mount=\S+\s+/, "")))
        break
      case "COPY":
        yield* copy(stages, stage, cwd, words)
        break
      case "ARG":
      case "CMD":
      case "ENTRYPOINT":
      case "ENV":
      case "EXPOSE":
      case "HEALTHCHECK":
      case "LABEL":
      case "STOPSIGNAL":
      case "USER":
        break
      default:
        return yield* new Wrong({ message: `what is ${keyword}? This check does not know it` })
    }
  }
  return stage
})

/** With only the Node of this run on the path, and what the stage itself has installed. */
const pathIn = (stage: string) =>
  [`${stage}/usr/local/bin`, path.dirname(process.execPath), "/usr/bin", "/bin"].join(":")

const shell = (stage: string, cwd: string, command: string) =>
  Effect.tryPromise({
    try: () =>
      exec("sh", ["-c", command], {
        cwd,
        maxBuffer: 2 ** 26,
        env: { ...process.env, PATH: pathIn(stage), npm_config_prefix: `${stage}/usr/local`, CI: "true" }
      }),
    catch: (cause) => new Wrong({ message: `${command}\n${printed(cause)}` })
  })

const printed = (cause: unknown): string =>
  cause instanceof Error && "stdout" in cause && "stderr" in cause
    ? `${String(cause.stdout)}${String(cause.stderr)}`
    : String(cause)

const copy = (stages: ReadonlyMap<string, string>, stage: string, cwd: string, words: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const from = /^--from=(.+)$/.exec(words[0] ?? "")?.[1]
    const [target = "", ...sources] = words.slice(from === undefined ? 0 : 1).toReversed()
    if (from !== undefined) {
      const origin = stages.get(from) ?? ""
      await cp(inside(origin, sources[0] ?? ""), inside(stage, target), { recursive: true, verbatimSymlinks: true })
      return
    }
    const wanted = sources.includes(".") ? context() : context().filter((file) => sources.includes(file))
    for (const file of wanted) {
      await mkdir(path.dirname(path.join(cwd, file)), { recursive: true })
      await cp(path.join(root, file), path.join(cwd, file))
    }
  })

/** Somebody who owns nothing there; whoever is not root takes the right to write from himself. */
const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

interface Running {
  readonly child: ChildProcess
  readonly output: { text: string }
}

const start = (stage: string, environment: Readonly<Record<string, string>>, command: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync((): Running => {
      const [program = "", ...args] = command.map((word) => inside(stage, word))
      const env = { NODE_ENV: "production", PATH: pathIn(stage), ...environment }
      const child = spawn(program, args, {
        cwd: path.join(stage, "app"),
        env,
        stdio: ["ignore", "pipe", "pipe"],
        ...nobody
      })
      const output = { text: "" }
      child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output.text += chunk))
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => (output.text += chunk))
      child.on("error", (error) => (output.text += error.message))
      return { child, output }
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  )

const ended = ({ child }: Running) =>
  Effect.callback<number>((resume) => {
    const end = () => resume(Effect.succeed(child.exitCode ?? 128))
    if (child.exitCode !== null || child.signalCode !== null) return end()
    child.once("close", end)
  })

/** Runs a command in the image to its end. */
const once = (stage: string, environment: Readonly<Record<string, string>>, command: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const running = yield* start(stage, environment, command)
      return { code: yield* ended(running), text: running.output.text }
    })
  )

const eventually = <E, R>(what: string, told: () => string, holds: Effect.Effect<boolean, E, R>) =>
  Effect.gen(function* () {
    for (let tries = 0; tries < 900; tries++) {
      if (yield* holds) return
      yield* Effect.sleep("100 millis")
    }
    return yield* new Wrong({ message: `never: ${what}\n${told()}` })
  })

const said = (running: Running, text: string) =>
  eventually(
    text,
    () => running.output.text,
    Effect.sync(() => running.output.text.includes(text))
  )

/** `NAME=value` and `NAME="value"`, as the sandbox prints them. */
const variables = (text: string) =>
  Object.fromEntries([...text.matchAll(/^([A-Z_]+)="?(.*?)"?$/gm)].map(([, name = "", value = ""]) => [name, value]))

const person = "+15550100042"

const Composition = Schema.Struct({
  services: Schema.Record(Schema.String, Schema.Struct({ command: Schema.optionalKey(Schema.Array(Schema.String)) }))
})

/** What the composition has the processes of Stopline do, by service. */
const commands = (): ReadonlyArray<readonly [service: string, command: ReadonlyArray<string>]> => {
  const { services } = Schema.decodeUnknownSync(Composition)(parse(read("docker/compose.yaml"), { merge: true }))
  return Object.entries(services).flatMap(([name, { command = [] }]) =>
    command[0] === "up" ? [[name, command] as const] : []
  )
}

const tryIt = Effect.fn("tryIt")(function* (scratch: string, stage: string) {
  const database = path.join(scratch, "database")
  const url = yield* embeddedPostgres({ folder: database, disposable: true })
  const sandbox = yield* start(stage, {}, ["node", "/app/packages/sandbox/bin/sandbox.mjs", "--port", "0"])
  yield* said(sandbox, "ACME_JWT=")
  const secrets = variables(`${read("docker/sandbox.env")}\n${sandbox.output.text}`)
  const config = path.join(scratch, "stopline.yaml")
  const ports = new Map<string, string>()
  const portOf = (stated: string) => ports.get(stated) ?? stated
  for (const [index, stated] of ["4000", "4001", "4002"].entries())
    ports.set(stated, String(20_000 + (process.pid % 3_000) * 3 + index))
  const text = read("docker/stopline.yaml")
    .replace("http://127.0.0.1:4012", secrets["ACME_SERVER"] ?? "")
    .replace("127.0.0.1:4000", `127.0.0.1:${portOf("4000")}`)
  yield* Effect.promise(() => writeFile(config, text))
  const environment = { ...secrets, DATABASE_URL: Redacted.value(url) }
  const entry = execForm("ENTRYPOINT")
  const here = (word: string) => (word.endsWith("stopline.yaml") ? config : portOf(word))
  const health = (port: string) => once(stage, {}, [...execForm("HEALTHCHECK"), portOf(port)])

  if ((yield* health("4000")).code !== 1) return yield* new Wrong({ message: "the healthcheck is content with nobody" })
  const workers = new Map<string, Running>()
  for (const [name, command] of commands()) {
    workers.set(name, yield* start(stage, environment, [...entry, ...command.map(here)]))
  }
  for (const [name, command] of commands()) {
    const running = workers.get(name)!
    yield* said(running, "Stopline is ready")
    const { code, text } = yield* health(command.at(-1) ?? "")
    if (code !== 0) return yield* new Wrong({ message: `the healthcheck finds fault with ${name}: ${text}` })
  }
  yield* Console.log(`${[...workers.keys()].join(", ")} are ready, and their healthchecks content.`)

  const control = /^control +(\S+)/m.exec(sandbox.output.text)?.[1] ?? ""
  const body = JSON.stringify({ from: person, to: "+16505550100", text: "STOP" })
  yield* Effect.promise(() => fetch(`${control}/texts`, { method: "POST", body }))
  const all = Effect.sync(() => [...workers.values()].map(({ output }) => output.text).join("\n"))
  yield* eventually(
    "the STOP is carried",
    () => Effect.runSync(all),
    Effect.map(all, (text) => text.includes("STOP of +1555•••0042"))
  )
  const history = yield* once(stage, environment, [...entry, "history", person, "--config", config])
  if (!history.text.includes("must not be texted")) return yield* new Wrong({ message: history.text })
  yield* Console.log("They carried a STOP, and another command in the image knows of it.")

  for (const [name, worker] of workers) {
    const since = yield* Clock.currentTimeMillis
    worker.child.kill(instructions().findLast(({ keyword }) => keyword === "STOPSIGNAL")?.text as NodeJS.Signals)
    const code = yield* ended(worker).pipe(
      Effect.timeoutOrElse({ duration: "15 seconds", orElse: () => new Wrong({ message: `${name} does not end` }) })
    )
    if (code !== 130 && code !== 0)
      return yield* new Wrong({ message: `${name} ended with ${code}\n${worker.output.text}` })
    yield* Console.log(`${name} ended with ${code} after ${(yield* Clock.currentTimeMillis) - since} ms.`)
  }
})

/** Whether nobody was able to leave anything in the image. */
const untouched = Effect.fn("untouched")(function* (stage: string, before: number) {
  const after = (yield* Effect.promise(() => readdir(stage, { recursive: true }))).length
  if (after !== before) return yield* new Wrong({ message: `${after - before} files were written into the image` })
})

const check = Effect.gen(function* () {
  const scratch = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(path.join(tmpdir(), "stopline-image-"))),
    (folder) =>
      Effect.promise(() => exec("sh", ["-c", 'chmod -R u+w "$0"', folder]).then(() => rm(folder, { recursive: true })))
  )
  yield* Effect.promise(() => chmod(scratch, 0o755))
  const stage = yield* build(scratch)
  const { stdout } = yield* Effect.promise(() => exec("du", ["-sm", path.join(stage, "app")]))
  yield* Console.log(`/app has ${stdout.split("\t")[0]} MB.`)
  yield* Effect.promise(() => exec("chmod", ["-R", "a-w", stage]))
  const files = (yield* Effect.promise(() => readdir(stage, { recursive: true }))).length
  yield* tryIt(scratch, stage)
  yield* untouched(stage, files)
  yield* Console.log("Nothing was written into it.")
}).pipe(Effect.scoped)

await Effect.runPromise(check)
