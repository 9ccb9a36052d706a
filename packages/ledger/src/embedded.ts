/**
 * A Postgres of our own, from npm, for a machine that has none.
 *
 * It is a real server on loopback with its files in one folder. The first
 * process that needs it starts it, others join it, and the last one to leave
 * stops it. A process that was killed leaves the server running; the next one
 * finds it by its pid file and joins it.
 */
import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { promisify } from "node:util"
import { Effect, Predicate, Redacted, Schedule, Schema, type Scope } from "effect"
import pg from "pg"
import { LedgerError } from "./error.ts"
import { exists, findPlace, type Place } from "./place.ts"
import { freePort } from "./port.ts"

export interface EmbeddedOptions {
  /** Folder for the server's files, made if absent: `.stopline`. */
  readonly folder: string
  /** For tests: fast and forgetful. */
  readonly disposable?: boolean
}

const broken = (detail: string) => new LedgerError({ kind: "broken", operation: "embedded Postgres", detail })

const attempt = <A>(what: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => broken(`${what}: ${Predicate.isError(cause) ? cause.message : "failed"}`)
  })

/** Starts or joins the server of a folder for as long as the scope lives. Gives its URL. */
export const embeddedPostgres = Effect.fn("embeddedPostgres")(function* (
  options: EmbeddedOptions
): Effect.fn.Return<Redacted.Redacted, LedgerError, Scope.Scope> {
  const place = yield* attempt("finding a place for the files", () => findPlace(path.resolve(options.folder)))
  yield* attempt("creating the database files", () => initialise(place, options.disposable ?? false))
  const { url } = yield* Effect.acquireRelease(startOrJoin(place, options.disposable ?? false), (server) =>
    Effect.promise(() => leave(place, server))
  )
  return url
})

const run = promisify(execFile)

const command = (place: Place, program: string, args: ReadonlyArray<string>) =>
  run(path.join(place.binaries, "bin", program), [...args], {
    ...place.user,
    cwd: path.dirname(place.data),
    env: { PATH: process.env["PATH"] ?? "", LC_ALL: "C", TZ: "UTC" }
  })

/** Made beside its place and moved there: cut off halfway, or raced by another process, it leaves nothing that passes for a database. */
const initialise = async (place: Place, disposable: boolean): Promise<void> => {
  const made = () => exists(path.join(place.data, "PG_VERSION"))
  if (await made()) return
  const folder = await fs.mkdtemp(path.join(tmpdir(), "stopline-"))
  const passwordFile = path.join(folder, "password")
  const unfinished = await fs.mkdtemp(`${place.data}.`)
  try {
    await fs.chmod(folder, 0o755)
    await fs.writeFile(passwordFile, place.password, { mode: 0o600 })
    if (place.user !== undefined) {
      await fs.chown(passwordFile, place.user.uid, place.user.gid)
      await fs.chown(unfinished, place.user.uid, place.user.gid)
    }
    const flags = ["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--username=stopline"]
    await command(place, "initdb", [
      `--pgdata=${unfinished}`,
      `--pwfile=${passwordFile}`,
      ...flags,
      ...(disposable ? ["--no-sync"] : [])
    ])
    await fs.rename(unfinished, place.data).catch(async (cause: unknown) => {
      if (!(await made())) throw cause
    })
  } finally {
    await fs.rm(folder, { recursive: true, force: true })
    await fs.rm(unfinished, { recursive: true, force: true })
  }
}

const PidFile = Schema.Struct({ pid: Schema.Int, port: Schema.Int })

/** The server that says it runs on these files, from its pid file (line 1: pid, line 4: port). */
const running = async (place: Place): Promise<typeof PidFile.Type | undefined> => {
  const text = await fs.readFile(path.join(place.data, "postmaster.pid"), "utf8").catch(() => "")
  const lines = text.split("\n")
  const found = { pid: Number(lines[0]), port: Number(lines[3]) }
  return Schema.is(PidFile)(found) && found.port > 0 ? found : undefined
}

const urlOf = (place: Place, port: number) =>
  Redacted.make(`postgres://stopline:${place.password}@127.0.0.1:${port}/postgres`)

const answers = async (url: Redacted.Redacted): Promise<boolean> => {
  const client = new pg.Client({ connectionString: Redacted.value(url), connectionTimeoutMillis: 5000 })
  client.on("error", () => undefined)
  try {
    await client.connect()
    await client.query("select 1")
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Waits for a server that somebody else started: after a crash it has to recover first. Undefined: it is gone. */
const join = Effect.fnUntraced(function* (place: Place, found: typeof PidFile.Type) {
  const url = urlOf(place, found.port)
  for (let tries = 0; tries < 60; tries++) {
    if (yield* Effect.promise(() => answers(url))) return url
    if (!isAlive(found.pid)) return undefined
    yield* Effect.sleep("500 millis")
  }
  return undefined
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (cause) {
    return Predicate.hasProperty(cause, "code") && cause.code === "EPERM"
  }
}

const startOrJoin = (place: Place, disposable: boolean) =>
  Effect.gen(function* () {
    const found = yield* attempt("reading the pid file", () => running(place))
    const joined = found === undefined ? undefined : yield* join(place, found)
    if (joined !== undefined) return { url: joined, isOurs: false }
    const port = yield* freePort
    yield* attempt("starting the server", () => start(place, port, disposable))
    return { url: urlOf(place, port), isOurs: true }
  }).pipe(
    // Two processes may start it at once: one of them loses, waits a moment, and joins.
    Effect.retry({ times: 5, schedule: Schedule.spaced("500 millis") })
  )

const start = async (place: Place, port: number, disposable: boolean): Promise<void> => {
  const settings = [
    `-p ${port}`,
    "-c listen_addresses=127.0.0.1",
    "-c unix_socket_directories=",
    "-c max_connections=200"
  ]
  const forgetful = ["-c fsync=off", "-c synchronous_commit=off", "-c full_page_writes=off"]
  const options = [...settings, ...(disposable ? forgetful : [])].join(" ")
  try {
    await command(place, "pg_ctl", [
      "start",
      "--wait",
      "--silent",
      "--pgdata",
      place.data,
      "--log",
      place.log,
      "--options",
      options
    ])
  } catch {
    const log = await fs.readFile(place.log, "utf8").catch(() => "")
    throw new Error(`pg_ctl failed; the end of ${place.log} says: ${log.trim().split("\n").slice(-3).join(" | ")}`)
  }
}

const leaving = "stopline leaving"

/** For so long at most the server may know of a connection that was closed already (ms). Who has joined keeps nobody waiting for that long. */
const lingering = { starter: 2_000, joiner: 300 }

/**
 * Stops the server unless somebody else is still connected. Two who leave at once do not wait for each other.
 *
 * @param server `isOurs`: this process started it
 */
const leave = async (
  place: Place,
  { isOurs, url }: { readonly url: Redacted.Redacted; readonly isOurs: boolean }
): Promise<void> => {
  const client = new pg.Client({
    connectionString: Redacted.value(url),
    connectionTimeoutMillis: 5000,
    application_name: leaving
  })
  client.on("error", () => undefined)
  try {
    await client.connect()
    const isAlone = async (): Promise<boolean> => {
      const { rows } = await client.query<{ others: string }>(
        "select count(*) as others from pg_stat_activity where backend_type = 'client backend' and application_name <> $1",
        [leaving]
      )
      return Number(rows[0]?.others) === 0
    }
    const most = isOurs ? lingering.starter : lingering.joiner
    for (let waited = 0; !(await isAlone()); waited += 100) {
      if (waited >= most) return
      await sleep(100)
    }
  } catch {
    return
  } finally {
    await client.end().catch(() => undefined)
  }
  await command(place, "pg_ctl", ["stop", "--mode", "fast", "--wait", "--silent", "--pgdata", place.data]).catch(
    () => undefined
  )
}
