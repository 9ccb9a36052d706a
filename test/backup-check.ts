/**
 * A backup by `pg_dump` and what `pg_restore` makes of it, tried with the
 * Postgres of this machine, server and tools of the same version: every row
 * comes back, and the ledger works on.
 *
 *   npm run backup:check [-- --pairs 1000000]
 *
 * It needs `pg_config` or /usr/lib/postgresql (Debian: postgresql), and a user
 * `postgres` if it is run as root.
 */
import { execFile } from "node:child_process"
import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import path from "node:path"
import { parseArgs, promisify } from "node:util"
import { Connection, freePort, history, ingest, migrate } from "@stopline/ledger"
import { Clock, Console, Data, Effect, Redacted } from "effect"
import { sql } from "kysely"
import { fill, recipientOf } from "../packages/ledger/measure/fill.ts"
import { observation } from "./world.ts"

class Wrong extends Data.TaggedError("Wrong")<{ readonly message: string }> {}

const { values } = parseArgs({ options: { pairs: { type: "string", default: "100000" } } })
const pairs = Number(values.pairs)

const exec = promisify(execFile)

/** Of the newest version that is installed. */
const findTools = async (): Promise<string> => {
  const versions = await readdir("/usr/lib/postgresql").catch(() => [])
  const newest = versions.toSorted((a, b) => Number(a) - Number(b)).at(-1)
  if (newest !== undefined) return `/usr/lib/postgresql/${newest}/bin`
  return (await exec("pg_config", ["--bindir"])).stdout.trim()
}

const userOf = async (name: string) => {
  const line = (await readFile("/etc/passwd", "utf8")).split("\n").find((each) => each.startsWith(`${name}:`))
  const [, , uid, gid] = (line ?? "").split(":")
  return { uid: Number(uid), gid: Number(gid) }
}

/** Runs one of the tools, as the user who owns the server. */
type Tool = (name: string, ...args: ReadonlyArray<string>) => Effect.Effect<string, Wrong>

const openServer = Effect.gen(function* () {
  const tools = yield* Effect.promise(findTools)
  const user = process.getuid?.() === 0 ? yield* Effect.promise(() => userOf("postgres")) : {}
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(path.join(tmpdir(), "stopline-backup-"))),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
  yield* Effect.promise(() => chmod(folder, 0o777))
  const tool: Tool = (name, ...args) =>
    Effect.tryPromise({
      try: () => exec(path.join(tools, name), args, { cwd: folder, maxBuffer: 2 ** 26, ...user }),
      catch: (cause) => new Wrong({ message: `${name} ${args.join(" ")}\n${String(cause)}` })
    }).pipe(Effect.map(({ stdout }) => stdout))
  const data = path.join(folder, "data")
  const port = yield* freePort
  yield* tool("initdb", "--pgdata", data, "--username=stopline", "--auth=trust", "--no-sync")
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_wal_size=4GB`
  yield* Effect.acquireRelease(
    tool(
      "pg_ctl",
      "start",
      "--wait",
      "--silent",
      "--pgdata",
      data,
      "--log",
      path.join(folder, "log"),
      "--options",
      options
    ),
    () => Effect.ignore(tool("pg_ctl", "stop", "--mode=fast", "--silent", "--pgdata", data))
  )
  return { tool, folder, url: (database: string) => `postgres://stopline@127.0.0.1:${port}/${database}` }
})

/** Every table, how many rows it has, and one number for all that is in them. */
const contents = Effect.gen(function* () {
  const { query } = yield* Connection
  const tables = yield* query("contents", (db) =>
    sql<{ name: string }>`select tablename as name from pg_tables where schemaname = 'public' order by 1`.execute(db)
  )
  const all: Array<string> = []
  for (const { name } of tables.rows) {
    const { rows } = yield* query("contents", (db) =>
      sql<{ rows: number; hash: string }>`
        select count(*) as rows, coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)::text as hash from ${sql.table(name)} t`.execute(
        db
      )
    )
    all.push(`${name}: ${rows[0]?.rows} rows, ${rows[0]?.hash}`)
  }
  return all
})

const timed = <A, E, R>(what: string, self: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const since = yield* Clock.currentTimeMillis
    const done = yield* self
    yield* Console.log(`${what}: ${(((yield* Clock.currentTimeMillis) - since) / 1000).toFixed(1)} s`)
    return done
  })

const check = Effect.gen(function* () {
  const server = yield* openServer
  yield* Console.log((yield* server.tool("pg_dump", "--version")).trim())
  const at = (database: string) => Connection.layer(Redacted.make(server.url(database)))
  yield* server.tool("createdb", "--maintenance-db", server.url("postgres"), "ledger")
  const made = yield* timed(
    `${pairs} pairs made`,
    Effect.gen(function* () {
      yield* migrate
      const filled = yield* fill(pairs)
      return { filled, contents: yield* contents }
    }).pipe(Effect.provide(at("ledger")))
  )
  const file = path.join(server.folder, "ledger.dump")
  yield* timed("pg_dump", server.tool("pg_dump", "--format=custom", "--file", file, server.url("ledger")))
  yield* server.tool("createdb", "--maintenance-db", server.url("postgres"), "restored")
  const restoring = ["--exit-on-error", "--no-owner", "--jobs=2", "--dbname", server.url("restored"), file]
  yield* timed("pg_restore", server.tool("pg_restore", ...restoring))
  yield* timed("vacuumdb", server.tool("vacuumdb", "--analyze-only", "--quiet", server.url("restored")))
  yield* Effect.gen(function* () {
    const restored = yield* contents
    if (restored.join("\n") !== made.contents.join("\n")) {
      return yield* new Wrong({
        message: ["what was there:", ...made.contents, "what came back:", ...restored].join("\n")
      })
    }
    yield* migrate
    const recipient = recipientOf(pairs + 1)
    const { account, sender } = made.filled
    const fact = observation({ account: account.name, sender: sender.address, recipient })
    yield* ingest(account, [fact], 10_000, 0)
    const { observations } = yield* history(recipient, "strict")
    const expected = `observation ${pairs + 1}`
    if (observations.map(({ id }) => `observation ${id}`).join() !== expected) {
      return yield* new Wrong({ message: `the next observation is not number ${pairs + 1}` })
    }
    yield* Console.log(`Every row of ${restored.length} tables came back, and the ledger works on.`)
  }).pipe(Effect.provide(at("restored")))
}).pipe(Effect.scoped)

await Effect.runPromise(check)
