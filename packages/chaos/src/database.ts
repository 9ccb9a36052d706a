/**
 * The one Postgres of all workers: a real server of our own that can be stopped,
 * killed and run out of disk, or the one of `DATABASE_URL`, which is left alone.
 */
import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { open, readFile, rm, statfs } from "node:fs/promises"
import path from "node:path"
import { promisify } from "node:util"
import { embeddedPostgres, type LedgerError } from "@stopline/ledger"
import { Effect, Predicate, Redacted, Scope } from "effect"
import pg from "pg"

/** What only the owner of a server can do to it. */
export interface Owned {
  /** A fast shutdown, as an administrator does it. */
  readonly stop: Effect.Effect<void>
  /** As when the machine loses its power, but for the disk's cache. */
  readonly crash: Effect.Effect<void>
  readonly start: Effect.Effect<void>
  /** Absent where no small disk could be made, with the reason. */
  readonly disk: { readonly fill: Effect.Effect<void>; readonly free: Effect.Effect<void> } | string
}

export interface Database {
  /** Where it listens now: a server that was started again may have moved. */
  readonly port: () => number
  /** Its URL with another port in it: that of a door. */
  readonly urlAt: (port: number) => string
  readonly query: <Row extends pg.QueryResultRow>(text: string) => Effect.Effect<ReadonlyArray<Row>>
  /** Absent for a server that is somebody else's. */
  readonly owned: Owned | undefined
}

const run = promisify(execFile)

const diskMegabytes = 640

/** A small disk of our own at a folder, or why there is none. */
const smallDisk = (folder: string): Effect.Effect<string | undefined, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(() =>
      run("mount", ["-t", "tmpfs", "-o", `size=${diskMegabytes}m,mode=0755`, "tmpfs", folder]).then(
        () => undefined,
        (cause: unknown) => `no small disk can be mounted here (${firstLine(cause)})`
      )
    ),
    (problem) =>
      problem === undefined
        ? Effect.promise(() => run("umount", ["--lazy", folder]).catch(() => undefined))
        : Effect.void
  )

const firstLine = (cause: unknown): string => {
  const text = Predicate.hasProperty(cause, "stderr") ? String(cause.stderr) : String(cause)
  return text.trim().split("\n")[0] ?? "unknown"
}

/** An empty database on `DATABASE_URL`, or on a server of our own in the folder. */
export const openDatabase = Effect.fn("openDatabase")(function* (
  folder: string,
  given: string | undefined
): Effect.fn.Return<Database, LedgerError, Scope.Scope> {
  if (given !== undefined && given !== "") return yield* guest(given)
  const problem = yield* smallDisk(folder)
  // A scope for each time that it runs, so that the last one of them stops it.
  const running = yield* Effect.scope
  const boot = () => Scope.provide(embeddedPostgres({ folder }), running)
  let url = Redacted.value(yield* boot())
  const at = () => new URL(url)
  // A small disk must not be filled by the log of what was written.
  yield* ask(() => url, "alter system set max_wal_size = '128MB'")
  yield* ask(() => url, "alter system set min_wal_size = '32MB'")
  yield* ask(() => url, "select pg_reload_conf()")
  const owned: Owned = {
    stop: Effect.flatMap(
      postmaster(() => url),
      (pid) => end(pid, "SIGINT")
    ),
    crash: Effect.flatMap(
      postmaster(() => url),
      (pid) => end(pid, "SIGKILL")
    ),
    start: Effect.orDie(Effect.map(boot(), (again) => void (url = Redacted.value(again)))),
    disk: problem ?? ballast(path.join(folder, "ballast"))
  }
  // Whoever leaves it lets it run while anybody is connected; those were killed just now, and it may not know yet.
  yield* Effect.addFinalizer(() => Effect.catchCause(owned.stop, () => Effect.void))
  return {
    port: () => Number(at().port),
    urlAt: (port) => moved(url, port),
    query: (text) => ask(() => url, text),
    owned
  }
})

const moved = (url: string, port: number): string => {
  const there = new URL(url)
  there.hostname = "127.0.0.1"
  there.port = String(port)
  return there.href
}

/** A database of our own on a server that is not. */
const guest = Effect.fnUntraced(function* (given: string) {
  const name = `stopline_chaos_${randomBytes(6).toString("hex")}`
  yield* Effect.acquireRelease(
    ask(() => given, `create database ${name}`),
    () => ask(() => given, `drop database if exists ${name} with (force)`)
  )
  const url = new URL(given)
  url.pathname = `/${name}`
  const database: Database = {
    port: () => Number(url.port === "" ? "5432" : url.port),
    urlAt: (port) => moved(url.href, port),
    query: (text) => ask(() => url.href, text),
    owned: undefined
  }
  return database
})

/** One statement on a connection of its own: what is asked here must not depend on what was broken before. */
const ask = <Row extends pg.QueryResultRow>(url: () => string, text: string): Effect.Effect<ReadonlyArray<Row>> =>
  Effect.promise(async () => {
    const client = new pg.Client({ connectionString: url(), application_name: "chaos", query_timeout: 30_000 })
    client.on("error", () => undefined)
    await client.connect()
    try {
      return (await client.query<Row>(text)).rows
    } finally {
      await client.end().catch(() => undefined)
    }
  })

const postmaster = (url: () => string): Effect.Effect<number> =>
  Effect.map(ask<{ text: string }>(url, "select pg_read_file('postmaster.pid') as text"), ([row]) =>
    Number(row?.text.split("\n")[0])
  )

/** Its own processes see that it is gone, and go too; only then may it be started again. */
const end = (pid: number, signal: "SIGINT" | "SIGKILL"): Effect.Effect<void> =>
  Effect.gen(function* () {
    const family = yield* Effect.promise(() => childrenOf(pid))
    process.kill(pid, signal)
    while ([pid, ...family].some(isAlive)) yield* Effect.sleep("20 millis")
  })

const childrenOf = (pid: number): Promise<ReadonlyArray<number>> =>
  readFile(`/proc/${pid}/task/${pid}/children`, "utf8").then(
    (text) => text.trim().split(/\s+/).filter(Boolean).map(Number),
    () => []
  )

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Takes all the room that is left, and gives it back. */
const ballast = (file: string) => ({
  fill: Effect.promise(async () => {
    const { bavail, bsize } = await statfs(path.dirname(file))
    const megabyte = Buffer.alloc(1024 * 1024)
    const handle = await open(file, "w")
    try {
      for (let left = bavail * bsize; left > 0; left -= megabyte.length) await handle.write(megabyte)
      // What was freed meanwhile, to the last byte.
      for (;;) await handle.write(megabyte.subarray(0, 4096))
    } catch {
      // It is full.
    } finally {
      await handle.close()
    }
  }),
  free: Effect.promise(() => rm(file, { force: true }))
})
